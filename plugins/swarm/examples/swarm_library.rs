//! This plugin as a dynamic library, for tests. I/O: the functions of whoever loads it.

use cloudpad_swarm as _;
