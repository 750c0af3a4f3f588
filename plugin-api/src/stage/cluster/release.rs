//! What a cluster remembers of a release. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Service;
use crate::lenient::{or_empty, understood};
use crate::model::Project;
use crate::stage::deploy::{About, ImageRef};

/// The request `cluster.record`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Whose release it is.
    pub project: Arc<Project>,
    /// What the cluster is to remember; none where it is only to forget. What it has under that id is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Arc<Release>>,
    /// Releases to forget, by id.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub forget: Vec<String>,
}

/// A release that has changed something in a cluster, and all of the project that is to run there since. It holds the names of
/// secrets, and no values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its id. Those of later releases sort after it.
    pub id: String,
    /// Where it came from.
    #[serde(default, deserialize_with = "or_empty")]
    pub about: Arc<About>,
    /// The services that it has changed, sorted.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// All services that are to run. One that the reader does not understand is left out.
    #[serde(default, deserialize_with = "understood", skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, Arc<Service>>,
    /// From where nodes have their images, by the service's name.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, ImageRef>,
}
