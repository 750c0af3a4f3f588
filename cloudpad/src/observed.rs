//! What was seen before a plan is made: sources, images and hosts, or why a host was not seen. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::build::ImageState;
use cloudpad_plugin_api::stage::deploy::Observation;
use cloudpad_plugin_api::stage::source::Resolved;

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Observed {
    /// What each source stands for, by its name.
    pub sources: BTreeMap<String, Resolved>,
    /// What identifies each image that is built, by its name.
    pub images: BTreeMap<String, ImageState>,
    /// What is on each host, by its name.
    pub hosts: BTreeMap<String, HostState>,
}

/// What is on a host.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    /// This.
    Seen(Observation),
    /// Nobody knows, because the look failed.
    Unseen(Failure),
}
