//! What a service is to be. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lenient::or_empty;
use crate::model::ContainerSpec;

/// All that a service is to be. It is stored whole with the service, so it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// What each instance is made from. Its `image` identifies the content; from where nodes have it is told apart.
    pub spec: Arc<ContainerSpec>,
    /// How many instances there are.
    pub scale: Scale,
    /// Where they may run.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Place::is_anywhere")]
    pub place: Place,
    /// How old instances make way for new ones.
    pub update: Update,
}

/// How many instances of a service there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// So many, wherever they may run.
    Replicas(u32),
    /// So many on each node where it may run.
    PerNode(u32),
}

/// Which nodes a service may run on: those that have one of the roles, and those that are named; all where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// One of these roles.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// These nodes, by name.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
}

impl Place {
    /// Whether any node will do.
    pub fn is_anywhere(&self) -> bool {
        *self == Self::default()
    }
}

/// How old instances make way for new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// How many at a time, at least 1.
    pub batch: u32,
    /// What is first.
    pub order: Order,
    /// Milliseconds for which a new instance has to serve before it counts as one that does.
    pub settle_ms: u64,
    /// Milliseconds that an instance may take until it serves.
    pub ready_within_ms: u64,
    /// Whether the cluster is to go back to what was there when new instances do not serve; else it stops there.
    pub rollback: bool,
}

/// What is first when an instance is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The new instance starts beside the old one.
    StartFirst,
    /// The old instance stops before the new one starts.
    StopFirst,
}

/// The reply to `cluster.review`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cannots {
    /// What the cluster cannot be asked for; empty where it can do all.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub cannot: Vec<Cannot>,
}

/// Something that a cluster cannot be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cannot {
    /// The service.
    pub service: String,
    /// Where the config says so, below the service, such as `volumes` or `health`; empty for the service as a whole.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Why not: lower case, no full stop.
    pub message: String,
    /// What the user can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
