//! What was said in a conversation, step by step, as text that can be compared byte for byte. Pure.
//!
//! Made equal before: the order of a message's fields, its white space and the way that characters are escaped, which JSON
//! leaves to the writer; in a hello the plugin's own name and version; and the words of an `unsupported` failure, which
//! may name the plugin. Everything else is as it was said.

use std::fmt;

use serde_json::Value;

/// The lines of a plugin, by what was asked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Transcript(Vec<(String, Vec<String>)>);

impl Transcript {
    /// Begins a step.
    pub fn begin(&mut self, what: &str) {
        self.0.push((what.to_owned(), Vec::new()));
    }

    /// Adds a message of the plugin to the step that was begun last.
    pub fn hear(&mut self, message: Value) {
        let line = normal(message).to_string();
        self.0.last_mut().expect("a step was begun").1.push(line);
    }

    /// Without the steps of these names.
    pub fn without(&self, left_out: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(what, _)| !left_out(what)).cloned().collect())
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, lines) in &self.0 {
            writeln!(f, "# {what}")?;
            lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        }
        Ok(())
    }
}

fn normal(mut message: Value) -> Value {
    if message["t"] == "hello" {
        for own in ["name", "version"] {
            assert!(message[own].is_string(), "{message}");
            message[own] = "…".into();
        }
    }
    if message["error"]["kind"] == "unsupported" {
        message["error"]["message"] = "…".into();
    }
    message.sort_all_objects();
    message
}

/// Fails the test unless two transcripts are the same.
#[track_caller]
pub fn assert_same(who: &str, found: &Transcript, expected: &Transcript) {
    let (found, expected) = (found.to_string(), expected.to_string());
    let differ = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    assert!(found == expected, "{who} differs at {differ:#?}\n{who}:\n{found}\nexpected:\n{expected}");
}
