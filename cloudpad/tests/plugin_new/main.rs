//! `cloudpad plugin new`: what it writes works, in every language and for every stage. Runs the program, then
//! what the plugin's author would: python3, sh with jq, make with a C compiler and cJSON, cargo.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod c;
mod command;
mod made;
mod python;
mod rust;
mod sh;

use made::Made;

const STAGES: [&str; 6] = ["inventory", "source", "secrets", "build", "push", "deploy"];
