//! What containers have printed. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lenient::or_empty;
use crate::model::{Host, Project};

/// The request `deploy.logs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// Where.
    pub host: Arc<Host>,
    /// Whose containers.
    pub project: Arc<Project>,
    /// Of which services, and of which jobs; of all services where none is named.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Which instance of them; all where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// Whether to go on telling what they print, and what containers print that are started meanwhile, until the caller asks to
    /// stop.
    #[serde(default, deserialize_with = "or_empty")]
    pub follow: bool,
    /// Nothing before this time, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// So many of the last lines of each container; all where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<u64>,
}

/// The reply to `deploy.logs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// How many containers there were to tell of.
    #[serde(default, deserialize_with = "or_empty")]
    pub containers: u32,
}
