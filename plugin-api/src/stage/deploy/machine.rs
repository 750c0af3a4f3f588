//! A host as a machine, whatever runs on it. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::Host;

/// The request `deploy.command`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Where.
    pub host: Arc<Host>,
    /// What to run: one word is a line for the user's shell there, several are a program and its arguments, as they
    /// are.
    pub command: Vec<String>,
    /// Milliseconds after which it is ended; none for as long as it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// The reply to `deploy.command`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// What it has ended with; 128 and more where a signal has ended it.
    pub exit_code: i32,
    /// The signal that has ended it, such as `KILL`, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
}
