//! What is left of a project when its containers are gone. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lenient::or_empty;
use crate::model::{Host, Project};

/// The request `deploy.clear`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clear {
    /// Where.
    pub host: Arc<Host>,
    /// Whose they must be.
    pub project: Arc<Project>,
    /// Networks to remove, by the engine's names. One in which there is still a container is left.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// Volumes to remove with all that is in them, by the engine's names.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
}
