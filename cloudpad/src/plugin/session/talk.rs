//! What the lines of a plugin mean, and which of them break the protocol. Pure.
//!
//! What a newer plugin may say is ignored: unknown fields, kinds and values, and events of calls that have
//! just ended. Anything else out of place is a breach at once: a plugin that only fails at the fifth stray
//! line would fail when nobody looks.

use std::collections::BTreeSet;
use std::sync::Arc;

use cloudpad_plugin_api::wire::{FromPlugin, PluginHello};
use cloudpad_plugin_api::{Event, Failure};
use serde::Deserialize;
use serde_json::Value;

use super::hello::{self, Unfit};
use super::lines::TooLong;
use super::tail::{KEPT, shorten};
use crate::plugin::mask::Mask;

/// How many characters of a line are quoted.
const QUOTED: usize = 200;

/// How many values a line may have: a million numbers take sixteen times the room that they took in the line.
const VALUES: usize = 1_000_000;

/// What a plugin has said.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// Its hello.
    Hello(PluginHello),
    /// Something about a call that is under way.
    Event(u64, Event),
    /// The end of a call that was under way.
    End(u64, Result<Value, Failure>),
    /// Nothing that matters.
    Nothing,
}

/// How a plugin has broken the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// It does not speak our protocol.
    Protocols(String),
    /// In words that follow the plugin's name.
    Other(String),
}

impl From<TooLong> for Breach {
    fn from(_: TooLong) -> Self {
        Self::Other("wrote a line that is longer than it may be".to_owned())
    }
}

/// A conversation.
pub struct Talk {
    /// For what is quoted.
    mask: Arc<Mask>,
    introduced: bool,
    under_way: BTreeSet<u64>,
    /// The highest number that a call has had.
    highest: u64,
}

impl Talk {
    /// One that has not begun.
    pub fn new(mask: Arc<Mask>) -> Self {
        Self { mask, introduced: false, under_way: BTreeSet::new(), highest: 0 }
    }

    /// A call of this number is sent; each is higher than those before or, where it is not, new.
    pub fn begin(&mut self, id: u64) {
        self.under_way.insert(id);
        self.highest = self.highest.max(id);
    }

    /// What a line means.
    ///
    /// # Errors
    /// When it is not one that the plugin may send now.
    pub fn line(&mut self, line: &[u8]) -> Result<Heard, Breach> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(Heard::Nothing);
        }
        let text = std::str::from_utf8(line).map_err(|_| self.stray(line, "it is not UTF-8"))?;
        if values(line) > VALUES {
            return Err(Breach::Other(format!("wrote a line with more than {VALUES} values")));
        }
        match self.kind(text)?.as_str() {
            "hello" if self.introduced => Err(Breach::Other("said hello twice".to_owned())),
            "hello" => self.hello(text),
            kind if !self.introduced => {
                Err(Breach::Other(format!("began with `{kind}` in place of its hello: {}", self.quote(line))))
            }
            "event" | "result" | "error" => {
                let message =
                    serde_json::from_str(text).map_err(|error| self.stray(line, &error.to_string()))?;
                self.message(message, line)
            }
            _ => Ok(Heard::Nothing),
        }
    }

    fn hello(&mut self, text: &str) -> Result<Heard, Breach> {
        let value =
            serde_json::from_str(text).map_err(|error| self.stray(text.as_bytes(), &error.to_string()))?;
        let hello = hello::read(value).map_err(|unfit| match unfit {
            Unfit::Protocols(spoken) => Breach::Protocols(spoken),
            Unfit::Shape(why) => Breach::Other(format!("said a hello that is none ({why})")),
        })?;
        self.introduced = true;
        Ok(Heard::Hello(hello))
    }

    fn message(&mut self, message: FromPlugin, line: &[u8]) -> Result<Heard, Breach> {
        let (id, end) = match message {
            FromPlugin::Event { id, event } if self.under_way.contains(&id) => {
                return Ok(Heard::Event(id, event));
            }
            FromPlugin::Event { id, .. } if (1..=self.highest).contains(&id) => return Ok(Heard::Nothing),
            FromPlugin::Event { id, .. } => return Err(self.no_call(id, line)),
            FromPlugin::Result { id, ok } => (id, Ok(ok)),
            FromPlugin::Error { id, error } => (id, Err(error)),
            _ => return Ok(Heard::Nothing),
        };
        if self.under_way.remove(&id) { Ok(Heard::End(id, end)) } else { Err(self.no_call(id, line)) }
    }

    /// The field `t`; whatever else there is costs nothing.
    fn kind(&self, text: &str) -> Result<String, Breach> {
        #[derive(Deserialize)]
        struct Kind {
            t: String,
        }
        let stray = |why: &str| self.stray(text.as_bytes(), why);
        if !text.trim_start().starts_with('{') {
            return Err(stray("standard output is for messages; everything else goes to standard error"));
        }
        let kind = serde_json::from_str::<Kind>(text).map_err(|error| stray(&error.to_string()))?;
        Ok(kind.t)
    }

    fn stray(&self, line: &[u8], why: &str) -> Breach {
        Breach::Other(format!("wrote a line that is no message: {} ({why})", self.quote(line)))
    }

    fn no_call(&self, id: u64, line: &[u8]) -> Breach {
        Breach::Other(format!("spoke of call {id}, which is not under way: {}", self.quote(line)))
    }

    fn quote(&self, line: &[u8]) -> String {
        quote(line, &self.mask)
    }
}

/// About how many values there are in a line of JSON.
fn values(line: &[u8]) -> usize {
    if line.len() <= VALUES {
        return line.len();
    }
    let (mut values, mut in_text, mut escaped) = (0, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b',' | b':' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    values
}

/// The beginning of a line, for an error.
pub fn quote(line: &[u8], mask: &Mask) -> String {
    // More than is shown, so that no secret is cut and then missed.
    let line = String::from_utf8_lossy(&line[..line.len().min(KEPT)]);
    format!("`{}`", shorten(mask.text(line.trim()).as_ref(), QUOTED))
}

#[cfg(test)]
#[path = "talk_tests.rs"]
mod tests;
