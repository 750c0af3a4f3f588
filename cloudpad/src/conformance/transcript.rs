//! What a plugin has said in one conversation: what each line means, and what is wrong with it. Pure.
//!
//! Unlike a session, which ends at the first breach, it goes on and remembers the first breach of each kind.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::wire::FromPlugin;
use serde_json::Value;

use crate::plugin::session::shorten;

/// How many characters of a line are quoted.
const QUOTED: usize = 200;

/// What a line means.
#[derive(Debug, PartialEq)]
pub enum Said {
    /// A hello, `t` included.
    Hello(Value),
    /// The end of a call.
    End(u64, Result<Value, Failure>),
    /// Anything else.
    Other,
}

/// A conversation.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    begun: BTreeSet<u64>,
    /// How often each call was ended.
    ends: BTreeMap<u64, u32>,
    /// What was written that is no message.
    pub stray: Option<String>,
    /// What was said of a call that is not under way.
    pub misplaced: Option<String>,
}

impl Transcript {
    /// A call of this number is sent.
    pub fn begin(&mut self, id: u64) {
        self.begun.insert(id);
    }

    /// How often a call was ended.
    pub fn ends(&self, id: u64) -> u32 {
        self.ends.get(&id).copied().unwrap_or(0)
    }

    /// Takes what was left without an end of line.
    pub fn rest(&mut self, line: &[u8]) {
        if !line.is_empty() {
            self.is_stray(line, "it has no end of line");
        }
    }

    /// Takes a line, without its end.
    pub fn line(&mut self, line: &[u8]) -> Said {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Said::Other;
        }
        let value: Value = match serde_json::from_slice(line) {
            Ok(value @ Value::Object(_)) => value,
            Ok(_) => return self.is_stray(line, "a message is an object"),
            Err(error) => return self.is_stray(line, &format!("it is no JSON: {error}")),
        };
        match value.get("t").and_then(Value::as_str) {
            None => self.is_stray(line, "it has no field `t`"),
            Some("hello") => Said::Hello(value),
            Some(_) => match serde_json::from_value(value) {
                Ok(message) => self.message(message, line),
                Err(error) => self.is_stray(line, &error.to_string()),
            },
        }
    }

    fn message(&mut self, message: FromPlugin, line: &[u8]) -> Said {
        let (id, end) = match message {
            FromPlugin::Event { id, .. } => {
                // One of a call that has just ended may have been on its way.
                if !self.begun.contains(&id) {
                    self.is_misplaced(id, "was never made", line);
                }
                return Said::Other;
            }
            FromPlugin::Result { id, ok } => (id, Ok(ok)),
            FromPlugin::Error { id, error } => (id, Err(error)),
            _ => return Said::Other,
        };
        if !self.begun.contains(&id) {
            self.is_misplaced(id, "was never made", line);
            return Said::Other;
        }
        let ends = self.ends.entry(id).or_default();
        *ends += 1;
        if *ends > 1 {
            self.is_misplaced(id, "had ended", line);
            return Said::Other;
        }
        Said::End(id, end)
    }

    fn is_stray(&mut self, line: &[u8], why: &str) -> Said {
        self.stray.get_or_insert_with(|| format!("it wrote {} to standard output: {why}", quote(line)));
        Said::Other
    }

    fn is_misplaced(&mut self, id: u64, why: &str, line: &[u8]) {
        self.misplaced.get_or_insert_with(|| format!("it spoke of call {id}, which {why}: {}", quote(line)));
    }
}

fn quote(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(&line[..line.len().min(8 * QUOTED)]);
    format!("`{}`", shorten(line.trim(), QUOTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str]) -> (Vec<Said>, Transcript) {
        let mut transcript = Transcript::default();
        transcript.begin(1);
        let said = lines.iter().map(|line| transcript.line(line.as_bytes())).collect();
        (said, transcript)
    }

    #[test]
    fn a_good_conversation() {
        let log = r#"{"t":"event","id":1,"kind":"log","message":"x"}"#;
        let (said, transcript) = after(&[
            r#"{"t":"hello"}"#,
            "",
            log,
            r#"{"t":"applause"}"#,
            r#"{"t":"result","id":1,"ok":{"a":1}}"#,
        ]);
        assert_eq!(said[0], Said::Hello(serde_json::json!({ "t": "hello" })));
        assert_eq!(said[4], Said::End(1, Ok(serde_json::json!({ "a": 1 }))));
        assert_eq!((transcript.stray, transcript.misplaced), (None, None));
    }

    #[test]
    fn what_is_no_message() {
        let cases = [
            ("loading", "it wrote `loading` to standard output: it is no JSON"),
            ("[1]", "a message is an object"),
            (r#"{"a":1}"#, "it has no field `t`"),
            (r#"{"t":"result"}"#, "missing field `id`"),
            (r#"{"t":"error","id":1,"error":"oops"}"#, "invalid type"),
        ];
        for (line, expected) in cases {
            let (said, transcript) = after(&[line, "later"]);
            assert_eq!(said[0], Said::Other);
            let stray = transcript.stray.unwrap();
            assert!(stray.contains(expected), "{stray}");
        }
        let mut transcript = Transcript::default();
        transcript.rest(b"");
        assert_eq!(transcript.stray, None);
        transcript.rest(b"{\"t\"");
        assert!(transcript.stray.unwrap().contains("it has no end of line"));
    }

    #[test]
    fn calls_that_are_not_under_way() {
        let (end, event) = (r#"{"t":"result","id":1}"#, r#"{"t":"event","id":1,"kind":"log","message":"x"}"#);
        let cases: [(&[&str], &str); 3] = [
            (&[r#"{"t":"result","id":2}"#], "it spoke of call 2, which was never made"),
            (
                &[r#"{"t":"event","id":2,"kind":"log","message":"x"}"#],
                "it spoke of call 2, which was never made",
            ),
            (&[end, end], "it spoke of call 1, which had ended"),
        ];
        for (lines, expected) in cases {
            let (_, transcript) = after(lines);
            let misplaced = transcript.misplaced.unwrap();
            assert!(misplaced.starts_with(expected), "{misplaced}");
        }
        assert_eq!(after(&[end, end]).1.ends(1), 2);
        assert_eq!(after(&[end, event]).1.misplaced, None, "an event may have been on its way");
    }
}
