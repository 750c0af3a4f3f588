//! Why nothing was done: the error of everything that happens before hosts are touched. Pure.

use cloudpad_plugin_api::Failure;

use crate::config::Problem;

/// Why a command did nothing. Its exit code is always [`exit::REFUSED`](crate::report::exit::REFUSED).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something is wrong outside the config.
    Message {
        /// What was tried, on what, why not.
        message: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// The config cannot be carried out. `config` is there to point at its places.
    Problems(Vec<Problem>),
    /// Providers could not find out what is so.
    Failures(Vec<Failure>),
}

impl Refusal {
    /// A message with no hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self::Message { message: message.into(), hint: None }
    }

    /// Adds what to do next, to a message.
    #[must_use]
    pub fn hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Message { message, .. } => Self::Message { message, hint: Some(text.into()) },
            other => other,
        }
    }
}

impl From<Vec<Problem>> for Refusal {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Problems(problems)
    }
}
