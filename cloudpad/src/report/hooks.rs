//! What becomes of hooks. Pure.

use cloudpad_plugin_api::Failure;
use serde::Serialize;

use crate::config::HookPoint;

/// What happens to a hook.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum HookStep {
    /// It begins.
    Started,
    /// It has printed a line.
    Output {
        /// The line, without its end.
        line: String,
    },
    /// It has ended well.
    Done {
        /// How long it took, in milliseconds.
        ms: u64,
    },
    /// It has not.
    Failed {
        /// How long it took, in milliseconds.
        ms: u64,
        /// Why.
        error: Failure,
    },
}

/// A hook that failed.
#[derive(Clone, Debug, Serialize)]
pub struct FailedHook {
    /// When it ran.
    pub hook: HookPoint,
    /// Its command, as it is told.
    pub command: String,
    /// Why it failed.
    pub error: Failure,
}
