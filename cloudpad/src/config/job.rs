//! What `[jobs.NAME]` says, as meant. Pure.

use std::collections::BTreeMap;

use super::{Mount, Secret};

/// A container that runs to its end: before a deploy, after it, or by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What it is made from.
    pub of: JobOf,
    /// When it runs.
    pub when: When,
    /// The services that have to serve before it runs, so that a deploy brings them first.
    pub depends_on: Vec<String>,
    /// Where it runs.
    pub run: RunOn,
    /// Hosts that have one of these roles. With no role and no host named: those of its service, or every host.
    pub roles: Vec<String>,
    /// These hosts, beside those with the roles.
    pub hosts: Vec<String>,
    /// Overrides the image's `CMD`.
    pub command: Option<Vec<String>>,
    /// Environment variables, beside those of its service.
    pub env: BTreeMap<String, String>,
    /// Secrets, beside those of its service, by where the container finds each.
    pub secrets: BTreeMap<String, Secret>,
    /// Volumes and directories; those of its service where nothing is said.
    pub volumes: Option<Vec<Mount>>,
    /// Networks as the file names them; those of its service, or the project's own, where nothing is said.
    pub networks: Option<Vec<String>>,
    /// Milliseconds after which it is stopped and counts as failed; none for as long as it takes.
    pub timeout_ms: Option<u64>,
}

/// What a job is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobOf {
    /// A service, whose image, variables, secrets, volumes, networks and limits it has.
    Service(String),
    /// An image alone.
    Image(String),
}

/// When a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before a deploy changes any container but those of what it depends on. When it fails, no other is changed.
    Before,
    /// When all that a deploy has changed serves. When it fails, nothing is taken back.
    After,
    /// When somebody asks for it.
    Manual,
}

impl When {
    /// What the file calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Manual => "manual",
        }
    }
}

/// On how many of its hosts a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOn {
    /// On one of them.
    Once,
    /// On each.
    PerHost,
}
