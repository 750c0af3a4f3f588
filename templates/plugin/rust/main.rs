//! The plugin as a program.

cloudpad_plugin_api::main!(@crate@);
