//! A host as a machine, whatever runs on it. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Engine;
use crate::lenient::or_empty;
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

/// The request `deploy.host`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Which host.
    pub host: Arc<Host>,
}

/// The reply to `deploy.host`. What is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The host's engine.
    #[serde(default, deserialize_with = "or_empty")]
    pub engine: Engine,
    /// Such as `Debian GNU/Linux 12 (bookworm)`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub system: String,
    /// The kernel's version.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub kernel: String,
    /// Processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// Memory in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Containers that run, those of others too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<u32>,
    /// The disk on which the engine keeps images and containers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
}

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The folder that was looked at.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// What of it is free for anybody, in bytes.
    pub free: u64,
}

/// The request `deploy.login`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Where.
    pub host: Arc<Host>,
    /// What to run there, as in [`Command::command`]; a shell where it is empty.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Whether whoever runs it sits at a terminal.
    #[serde(default, deserialize_with = "or_empty")]
    pub terminal: bool,
}

/// The reply to `deploy.login`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// A program of this machine and its arguments.
    pub command: Vec<String>,
}

/// The request `deploy.keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// Which host.
    pub host: Arc<Host>,
}

/// The reply to `deploy.keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostKey {
    /// Whom one has asked, such as `192.0.2.11:22`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// Such as `ssh-ed25519`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub key_type: String,
    /// What tells the key from others, such as `SHA256:…`.
    pub fingerprint: String,
    /// What is known of it.
    pub known: Known,
    /// Where that stands, such as a file and its line.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub place: String,
}

/// What is known of a key that a host shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It is the host's.
    Known,
    /// Nothing.
    Unknown,
    /// The host has another key.
    Changed,
    /// It must not be trusted; also what comes from a newer protocol.
    #[serde(other)]
    Revoked,
}

/// The request `deploy.trust`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// Which host.
    pub host: Arc<Host>,
    /// The key that is meant, by [`HostKey::fingerprint`].
    pub fingerprint: String,
    /// Whether it takes the place of another that is known for the host.
    #[serde(default, deserialize_with = "or_empty")]
    pub replace: bool,
}
