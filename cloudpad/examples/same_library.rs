//! The provider of the suite over all carriers, as a dynamic library. I/O: the functions of whoever loads it.

#[path = "../tests/carriers/same.rs"]
mod same;
