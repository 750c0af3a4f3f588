//! The tests' plugin as a dynamic library. I/O: the functions of whoever loads it.

#[path = "../tests/plugin/odd.rs"]
mod odd;
