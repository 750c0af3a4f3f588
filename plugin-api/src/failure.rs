//! What a provider answers when it could not do what it was asked. Pure.

use serde::{Deserialize, Deserializer, Serialize};

use crate::lenient::or_empty;

/// Why a request was not carried out, in words that can be shown to a user as they are.
///
/// `message` says what was tried, on what, and why not: lower case, no full stop, names in backticks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The fork in the caller's road.
    pub kind: FailureKind,
    /// What was tried, on what, and why it did not work.
    pub message: String,
    /// What lies behind it, nearest cause first; also the last lines of a failed container or build step.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What the user can do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether the same request may succeed when it is sent again.
    #[serde(default, deserialize_with = "or_empty")]
    pub retryable: bool,
    /// What the world looks like after the failure; `unknown` where a plugin does not tell.
    #[serde(default = "untold", deserialize_with = "or_untold")]
    pub outcome: Outcome,
    /// The host on which it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// What a caller does differently, depending on the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// The request or the provider's configuration makes no sense; nothing was tried.
    Invalid,
    /// The provider does not offer this method.
    Unsupported,
    /// The host, registry or remote could not be reached, or did not let us in.
    Unreachable,
    /// What the request was decided upon is no longer so; nothing was changed.
    Stale,
    /// It was tried and did not work.
    Failed,
    /// The caller asked to stop.
    Cancelled,
    /// The provider itself died or misbehaved.
    Crashed,
    /// A kind from a newer protocol.
    #[serde(other)]
    Other,
}

/// What a failed request has left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing was changed.
    None,
    /// Some of it was done.
    Partial,
    /// Nobody can tell without a fresh look; also any value from a newer protocol.
    #[serde(other)]
    Unknown,
}

fn untold() -> Outcome {
    Outcome::Unknown
}

fn or_untold<'de, D: Deserializer<'de>>(from: D) -> Result<Outcome, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(Outcome::Unknown))
}

impl Failure {
    /// A failure of `kind` that has changed nothing.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            retryable: false,
            outcome: Outcome::None,
            host: None,
        }
    }

    /// It was tried and did not work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Failed, message)
    }

    /// The request or the configuration makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Invalid, message)
    }

    /// What was seen when the request was made is no longer so.
    pub fn stale(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Stale, message)
    }

    /// The provider does not offer `method`.
    pub fn unsupported(method: &str) -> Self {
        Self::new(FailureKind::Unsupported, format!("`{method}` is not offered by this provider"))
    }

    /// The caller asked to stop.
    pub fn cancelled() -> Self {
        Self::new(FailureKind::Cancelled, "stopped because the caller asked for it")
    }

    /// Adds a cause, farther away than those already there.
    #[must_use]
    pub fn cause(mut self, cause: impl std::fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds what the user can do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says on which host it happened.
    #[must_use]
    pub fn on(mut self, host: &str) -> Self {
        self.host.get_or_insert_with(|| host.to_owned());
        self
    }

    /// Says what is left behind.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Says that sending the same request again may help.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
