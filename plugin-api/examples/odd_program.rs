//! The tests' plugin as a program. I/O: standard input and output.

#[path = "../tests/plugin/odd.rs"]
mod odd;

cloudpad_plugin_api::main!();
