//! A cluster as it was seen. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Release, Service};
use crate::lenient::{if_understood, known_or_empty, or_empty};
use crate::stage::deploy::State;

/// The reply to `cluster.observe`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The cluster's nodes, sorted by name.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Node>,
    /// The project's services, sorted by name. They have to be told, be there none: where one were forgotten it would be made anew.
    #[serde(deserialize_with = "or_empty")]
    pub services: Vec<Seen>,
    /// The project's releases that the cluster remembers, sorted by id, where they were asked for; none when the provider
    /// remembers none.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub releases: Option<Vec<Release>>,
    /// Names that services of the project cannot have, as what the cluster would call them is there and not the project's; with whose it
    /// is, in words, such as "project `shop`".
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub taken: BTreeMap<String, String>,
}

/// A node of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Where it is reached, as far as the cluster tells.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// What it is for, sorted.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Anything else that is known of it.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Why it takes no instances, such as `down` or `drained`; empty where it does.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub closed: String,
}

/// A service of the project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// What tells it from itself at other times, in the provider's own words: it changes whenever what it is to be does, whoever
    /// changes it.
    pub revision: String,
    /// The release that has applied it.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub release: String,
    /// The identity that it was applied with; empty when it has been changed since by others, so that it is not that any more.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// What it was applied as; none when that is not understood.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub service: Option<Arc<Service>>,
    /// From where nodes have its image.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// How many instances there are to be.
    #[serde(default, deserialize_with = "or_empty")]
    pub wanted: u32,
    /// Those that there are, sorted by number and node: with those that end, without those that have ended long ago.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<Instance>,
    /// Whether what it is to be is so.
    #[serde(default, deserialize_with = "known_or_empty")]
    pub rollout: Rollout,
    /// More of that for people, such as why the cluster has given up.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// How far a cluster is with what a service is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rollout {
    /// It is so, as far as the cluster can tell.
    #[default]
    Settled,
    /// The cluster is at work on it.
    Updating,
    /// It has stopped there.
    Paused,
    /// It has gone, or goes, back to what was there before.
    RolledBack,
}

/// An instance of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its number, from 1; with one on each node none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// The node; empty where there is none yet.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// What it does.
    pub state: State,
    /// The identity of the service that it is an instance of; empty when that is not known.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Whether it has a health check that was made, and has passed.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "std::ops::Not::not")]
    pub healthy: bool,
    /// For how long it has done so, in words, or why it does, such as `2 minutes` or `no suitable node`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub status: String,
}
