//! The provider of the suite over all carriers, as a program. I/O: standard input and output.

#[path = "../tests/carriers/same.rs"]
mod same;

cloudpad_plugin_api::main!();
