//! What `cloudpad doctor` finds, and what to do about it. Pure, but for [`here`].
//!
//! `needs` says what a config needs of this machine, `here` looks whether that is so, `local` and `hosts` judge what was seen of this
//! machine and of hosts.

pub mod here;
mod hosts;
mod local;
mod needs;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::words;
pub use hosts::{Shown, host};
pub use local::{listed, local, secrets};
pub use needs::Needs;

/// The place of what is found on this machine.
pub const HERE: &str = "this machine";

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A host, or [`HERE`].
    pub place: String,
    /// What was looked at, in a word.
    pub check: &'static str,
    /// How it is.
    pub state: State,
    /// The same in words.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and could be better.
    Note,
    /// It has to be mended.
    Mend,
}

impl Finding {
    /// Something that is as it should be.
    pub fn ok(place: &str, check: &'static str, message: impl Into<String>) -> Self {
        Self { place: place.to_owned(), check, state: State::Ok, message: message.into(), hint: None }
    }

    /// Something that works, and what could be done about it.
    pub fn note(
        place: &str,
        check: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let hint = Some(hint.into());
        Self { state: State::Note, hint, ..Self::ok(place, check, message) }
    }

    /// Something that has to be mended, and how.
    pub fn mend(place: &str, check: &'static str, message: impl Into<String>, hint: Option<String>) -> Self {
        Self { state: State::Mend, hint, ..Self::ok(place, check, message) }
    }
}

/// All findings, for programs.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// Whether nothing has to be mended.
    pub well: bool,
    /// In the order in which it was looked at.
    pub findings: &'a [Finding],
}

impl<'a> Report<'a> {
    /// The report of these.
    pub fn of(findings: &'a [Finding]) -> Self {
        Self { well: findings.iter().all(|finding| finding.state != State::Mend), findings }
    }

    /// Findings by their places, in lines.
    pub fn text(&self) -> String {
        let width = self.findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
        let (mut text, mut place) = (String::new(), "");
        for finding in self.findings {
            if finding.place != place {
                place = &finding.place;
                text += &format!("{place}\n");
            }
            let state = match finding.state {
                State::Ok => "ok",
                State::Note => "note",
                State::Mend => "MEND",
            };
            text += &format!("  {state:4}  {:width$}  {}\n", finding.check, finding.message);
            if let Some(hint) = &finding.hint {
                text += &format!("        {:width$}  hint: {hint}\n", "");
            }
        }
        text
    }

    /// How many of which kind, in a line.
    pub fn sum(&self) -> String {
        let count = |state| self.findings.iter().filter(|finding| finding.state == state).count();
        let notes = match count(State::Note) {
            0 => String::new(),
            notes => format!(", {}", words::plural(notes, "note")),
        };
        match count(State::Mend) {
            0 => format!("all is well: {}{notes}", words::plural(self.findings.len(), "check")),
            mend => format!("{mend} to be mended{notes}"),
        }
    }
}
