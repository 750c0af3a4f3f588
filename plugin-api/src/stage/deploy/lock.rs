//! The lock of a project on a host: one deploy at a time, whoever deploys. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lenient::or_empty;
use crate::model::{Host, Project};

/// The request `deploy.lock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Where.
    pub host: Arc<Host>,
    /// What is locked: another environment of the same project has another lock.
    pub project: Arc<Project>,
    /// For whom.
    pub holder: Arc<Holder>,
}

/// Who holds a lock, in words for those who are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Such as `alice@laptop`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub who: String,
    /// When it began, such as `2026-11-26 08:15:00 UTC`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub since: String,
    /// What for, such as `deploy`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub command: String,
}

/// The reply to `deploy.lock`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locked {
    /// Who else has it; none where the caller has it now. Where nothing is known of them, it is empty, not missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<Holder>,
}

/// The request `deploy.unlock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlock {
    /// Where.
    pub host: Arc<Host>,
    /// What is locked.
    pub project: Arc<Project>,
}
