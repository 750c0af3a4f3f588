//! Something in the config that cannot be carried out. Pure.

use std::ops::Range;

/// Something that keeps the config from being carried out, with its place in the file.
///
/// `message` is lower case, without a full stop, with names in backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// What the user can do about it.
    pub hint: Option<String>,
}

/// A place in the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Bytes of the file's text.
    Bytes(Range<usize>),
    /// The value of a key, dotted, list items by their index: `services.web.ports.0`. A later room
    /// has only these; [`Places`](super::Places) knows the bytes.
    Key(String),
}

impl Problem {
    /// A problem with no place.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, hint: None }
    }

    /// A problem with the value of `key`.
    pub fn at_key(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: Some(Place::Key(key.into())), ..Self::new(message) }
    }

    /// A problem with these bytes of the text.
    pub fn at_bytes(bytes: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(message).at(bytes)
    }

    /// Says which bytes of the text it is about.
    #[must_use]
    pub fn at(mut self, bytes: Range<usize>) -> Self {
        self.place = Some(Place::Bytes(bytes));
        self
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
