//! What happens to containers. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lenient::or_empty;
use crate::model::{Host, Project};
use crate::{Event, Progress};

/// The request `deploy.events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// Where.
    pub host: Arc<Host>,
    /// Whose containers.
    pub project: Arc<Project>,
    /// Of which services; of all, and of one-off containers, where none is named.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Also what has happened since this time, in nanoseconds since 1970, as far as the engine remembers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
}

impl Events {
    /// The label of the [`Progress`](crate::Progress) by which a provider says that from now on it misses nothing; also of what is
    /// printed.
    pub const LISTENING: &str = "listening";

    /// That progress, as an event.
    pub fn listening() -> Event {
        Event::Progress(Progress { label: Self::LISTENING.to_owned(), ..Progress::default() })
    }
}

/// Something that has happened to a container of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// The instance, such as `web.1`; of a one-off container its name.
    pub source: String,
    /// The container's name.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub container: String,
    /// What has happened, by Docker's word for it: `create`, `start`, `health_status`, `pause`, `unpause`, `kill`, `oom`, `die`,
    /// `stop`, `restart`, `rename`, `update`, `destroy`; and `ready` once it has served.
    pub action: String,
    /// When, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
    /// The release that made it.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub release: String,
    /// `die`: what its process has ended with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// `kill`: the signal that it gets, such as `15`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// `health_status`: `healthy` or `unhealthy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
}
