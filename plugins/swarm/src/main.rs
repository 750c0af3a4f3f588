//! This plugin as a program of its own. I/O: standard input and output.

cloudpad_plugin_api::main!(cloudpad_swarm);
