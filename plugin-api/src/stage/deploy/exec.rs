//! A command in a container that runs. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Named;
use crate::lenient::or_empty;
use crate::model::{Host, Project, TerminalSize};

/// The request `deploy.exec`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exec {
    /// Where.
    pub host: Arc<Host>,
    /// Whose container it must be.
    pub project: Arc<Project>,
    /// The container.
    pub container: Named,
    /// The argument list.
    pub command: Vec<String>,
    /// The size of the terminal that the command gets; none where it gets pipes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<TerminalSize>,
    /// Variables beside those of the container.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The user, such as `root` or `1000:1000`; the container's own where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The working directory; the container's own where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// The unix socket over which its streams go, in [`frames`](crate::frames). Where none is named it has no input, and each
    /// line that it prints is an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

/// The reply to `deploy.exec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// What the command has ended with.
    pub exit_code: i64,
}
