//! What a host remembers of a release. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ImageRef, Rule};
use crate::lenient::{if_understood, or_empty, understood};
use crate::model::{ContainerSpec, Host, Instance, Project};

/// The request `deploy.record`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Where.
    pub host: Arc<Host>,
    /// Whose release it is.
    pub project: Arc<Project>,
    /// What the host is to remember; none where it is only to forget. What it has under that id is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Arc<Release>>,
    /// Releases to forget, by id.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub forget: Vec<String>,
}

/// A release that has changed something on a host: where it came from, and all of the project that is to run there
/// since. It holds the names of secrets, and no values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its id. Those of later releases sort after it.
    pub id: String,
    /// What is so of it on all hosts.
    #[serde(default, deserialize_with = "or_empty")]
    pub about: Arc<About>,
    /// Whether nothing of the project was on the host before.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
    /// The services that it has changed there, sorted.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// All that is to run there, sorted by instance.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Recorded>,
    /// Their specs by identity. One that the reader does not understand is left out.
    #[serde(default, deserialize_with = "understood", skip_serializing_if = "BTreeMap::is_empty")]
    pub specs: BTreeMap<String, Arc<ContainerSpec>>,
    /// From where images of these specs can be pulled, where they came from a registry.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, ImageRef>,
    /// The routes of the project that hold there since, by service; none where nobody has said or understands them. A page that is
    /// shown in a service's place is no part of them.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub routes: Option<BTreeMap<String, Arc<Rule>>>,
    /// The hosts on which something of the project is to run since, by name. It stands in the records of a few hosts only.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "none")]
    pub hosts: Arc<BTreeMap<String, Presence>>,
}

fn none(hosts: &Arc<BTreeMap<String, Presence>>) -> bool {
    hosts.is_empty()
}

/// That a project is on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The host's address.
    pub address: String,
    /// The last release that has changed something there.
    pub release: String,
}

/// An instance of a release on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Which copy of which service.
    pub instance: Instance,
    /// The identity of what its container is made from.
    pub spec_id: String,
}

/// Where a release came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Who made it, such as `anna@laptop`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// From where: a directory, or a run of a CI service.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// By which command.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// The release whose containers it has brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<String>,
    /// The revision of each source under version control.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, String>,
}
