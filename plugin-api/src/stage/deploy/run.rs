//! One-off containers: one is made, runs to its end, and is removed. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::State;
use crate::lenient::or_empty;
use crate::model::{ContainerSpec, Host, Project, TerminalSize};

/// The request `deploy.run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Where.
    pub host: Arc<Host>,
    /// For whom.
    pub project: Arc<Project>,
    /// The release it belongs to.
    pub release: String,
    /// The container's name, which is this run's alone: the same name again means the same run.
    pub container: String,
    /// What else the container is labelled with, such as the job that it is.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// All that the container is made from. Its image is on the host. It is never started again when it has ended,
    /// whatever `restart` says, and is not known by any service's name in its networks.
    pub spec: Arc<ContainerSpec>,
    /// Milliseconds after which it is stopped; none for as long as it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Whether the container stays when it has ended by itself; else it is removed. One that stays answers the same request
    /// again without running again.
    #[serde(default, deserialize_with = "or_empty")]
    pub keep: bool,
    /// The size of the terminal that its process gets; none where it gets pipes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<TerminalSize>,
    /// The unix socket over which its streams go, in [`frames`](crate::frames). Where none is named it has no input, and each
    /// line that it prints is an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

/// The reply to `deploy.run`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// What the container's process has ended with.
    pub exit_code: i64,
    /// Whether it was stopped because its time was over.
    #[serde(default, deserialize_with = "or_empty")]
    pub timed_out: bool,
    /// Whether an earlier request had begun it; this one has waited for its end, or found it ended.
    #[serde(default, deserialize_with = "or_empty")]
    pub found: bool,
}

/// A one-off container of the project, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneOff {
    /// The engine's id.
    pub id: String,
    /// Its name, as in [`Run::container`].
    pub name: String,
    /// The release it belongs to.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub release: String,
    /// Its labels that begin with `cloudpad.`, without those that say whose it is and what it was made from.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What it does.
    pub state: State,
    /// What its process has ended with, where it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// When it was made, in seconds since 1970.
    #[serde(default, deserialize_with = "or_empty")]
    pub created: i64,
    /// The image of the spec that it was made from, where that is known.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// For how long it has done so, in words, such as `2 minutes`; empty where it is not known.
    #[serde(
        rename = "for",
        default,
        deserialize_with = "or_empty",
        skip_serializing_if = "String::is_empty"
    )]
    pub lasting: String,
}
