//! What containers use. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lenient::or_empty;
use crate::model::{Host, Instance, Project};

/// The request `deploy.stats`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Where.
    pub host: Arc<Host>,
    /// Whose containers.
    pub project: Arc<Project>,
    /// Of which services; of all where none is named.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
}

/// The reply to `deploy.stats`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// What those that run use, by instance.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Usage>,
    /// Instances that have a container there of which none runs.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub stopped: Vec<Instance>,
}

/// What a container uses. What is not known is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Which copy of which service it is.
    pub instance: Instance,
    /// Its name.
    pub container: String,
    /// Processor time in microseconds for each second: 1000000 is one processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_micros: Option<u64>,
    /// Memory in bytes, without what is merely cached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// How much of it there is for the container, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit: Option<u64>,
    /// Bytes that have come over all its networks since it was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<u64>,
    /// Bytes that it has sent over them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// Bytes that it has read from disks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<u64>,
    /// Bytes that it has written to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<u64>,
    /// Processes and threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pids: Option<u64>,
}
