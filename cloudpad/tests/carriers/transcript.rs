//! What was said in a conversation, step by step, as text that can be compared byte for byte. Pure.
//!
//! Made equal before: the order of a message's fields, its white space and the way that characters are escaped, which JSON
//! leaves to the writer; in a hello the plugin's own name and version; and the words of an `unsupported` failure, which
//! may name the plugin. Everything else is as it was said, but for what a test of real work says that it hides.

use std::fmt;

use serde_json::Value;

/// The messages of a plugin, by what was asked.
#[derive(Clone, Default)]
pub struct Transcript(Vec<(String, Vec<Value>)>);

impl Transcript {
    /// Begins a step.
    pub fn begin(&mut self, what: &str) {
        self.0.push((what.to_owned(), Vec::new()));
    }

    /// Adds a message of the plugin to the step that was begun last.
    pub fn hear(&mut self, message: Value) {
        self.0.last_mut().expect("a step was begun").1.push(normal(message));
    }

    /// Without the steps of these names.
    pub fn without(&self, left_out: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(what, _)| !left_out(what)).cloned().collect())
    }

    /// Each message as `change` makes it, and without those of which it makes nothing.
    pub fn changed(self, change: impl Fn(Value) -> Option<Value>) -> Self {
        let all = self.0.into_iter();
        Self(all.map(|(what, said)| (what, said.into_iter().filter_map(&change).collect())).collect())
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, messages) in &self.0 {
            writeln!(f, "# {what}")?;
            messages.iter().try_for_each(|message| writeln!(f, "{message}"))?;
        }
        Ok(())
    }
}

fn normal(mut message: Value) -> Value {
    if message.get("t") == Some(&"hello".into()) {
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
