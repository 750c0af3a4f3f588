//! A host as it was seen. Pure.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::{OneOff, ProxySeen, Release};
use crate::Failure;
use crate::lenient::{if_understood, is_newer, known, or_empty};
use crate::model::{ContainerSpec, Instance, Protocol};

/// The reply to `deploy.observe`: a host as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The host's engine.
    #[serde(default, deserialize_with = "or_empty")]
    pub engine: Engine,
    /// The project's containers, running or not, sorted by name. It has to be told, be it empty: where it
    /// were forgotten, all would be started anew.
    #[serde(deserialize_with = "or_empty")]
    pub containers: Vec<Container>,
    /// The project's one-off containers ([`Deploy::run`](super::Deploy::run)), running or ended, sorted by name.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub one_offs: Vec<OneOff>,
    /// References (`name:tag`) of all images on the host, sorted.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Those of `images` that are what was built under that reference, by their label
    /// ([`label::IMAGE`](crate::model::label::IMAGE)), sorted; none when the provider does not look at labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built: Option<Vec<String>>,
    /// Ports of the host that running containers hold, the project's own and others', sorted. One of a
    /// protocol that the reader does not know is left out.
    #[serde(default, deserialize_with = "known_ports", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<PortHeld>,
    /// Why no connection can be made through the host, where it was asked for
    /// ([`Observe::connects`](super::Observe::connects)) and is so.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub no_connections: Option<Failure>,
    /// The host's proxy, be it there or not; none when the provider has no part in routes.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Box<ProxySeen>>,
    /// The project's releases that the host remembers ([`Deploy::record`](super::Deploy::record)), sorted by id, where
    /// they were asked for; none when the provider remembers none.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub releases: Option<Vec<Release>>,
    /// References of images that the project's other environments need there, for a container or a release that the host
    /// remembers, and of one-off containers of which [`OneOff::image`] is not told, sorted. Told with `releases`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub needed_elsewhere: Vec<String>,
    /// The project's own volumes there, by name, sorted. Told with `releases`; none when the provider does not tell.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<String>>,
    /// Whether containers can be made there before they are started ([`Deploy::create`](super::Deploy::create)).
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "std::ops::Not::not")]
    pub creates: bool,
    /// Images on the host that somebody else has made, by digest (`name@sha256:…`), sorted.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<String>,
    /// Whether the host can ask registries what references mean ([`Deploy::resolve`](super::Deploy::resolve)).
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "std::ops::Not::not")]
    pub resolves: bool,
}

impl Observation {
    /// The images that are what was built under their reference, and not just others of that name; all where the
    /// provider does not look at labels.
    pub fn all_built(&self) -> &[String] {
        self.built.as_deref().unwrap_or(&self.images)
    }

    /// Whether `reference` is one of [`all_built`](Self::all_built).
    pub fn has_built(&self, reference: &str) -> bool {
        self.all_built().iter().any(|image| image == reference)
    }
}

/// A host's engine; what is not told is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// Such as `20.10.24`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Such as `1.41`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub api: String,
    /// Such as `linux/amd64`.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub platform: String,
}

/// A container of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The engine's id.
    pub id: String,
    /// Its name, as in [`Start::container`](super::Start::container).
    pub name: String,
    /// Which copy of which service it is.
    pub instance: Instance,
    /// The release that made it.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub release: String,
    /// The identity of the spec it was made from.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub spec_id: String,
    /// The spec it was made from; none when its label is not understood.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub spec: Option<Arc<ContainerSpec>>,
    /// What it does.
    pub state: State,
    /// When it was made, in seconds since 1970.
    #[serde(default, deserialize_with = "or_empty")]
    pub created: i64,
    /// What else is known of what it does, for people.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Status::is_empty")]
    pub status: Status,
}

/// What is known of a container beside its [`State`], mostly from the engine's list of them; what is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// For how long it has done so, in words, such as `2 minutes`.
    #[serde(
        rename = "for",
        default,
        deserialize_with = "or_empty",
        skip_serializing_if = "String::is_empty"
    )]
    pub lasting: String,
    /// What its process has ended with, where it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// Whether it has a health check that was made, and has passed.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "std::ops::Not::not")]
    pub healthy: bool,
    /// Whether it has ended without having served since it was started, where its health check is none that the engine makes.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "std::ops::Not::not")]
    pub unproven: bool,
    /// What came of its health check, where that was asked for ([`Observe::checks`](super::Observe::checks)) and has failed, such as
    /// "`GET /up` on port 80 answered 500".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Status {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It runs, and where it has a health check, that has passed.
    Running,
    /// It runs, and its health check has not passed yet since it was started.
    Starting,
    /// It runs, has served since it was started or should by now, and fails its health check.
    Unhealthy,
    /// It runs, but is frozen.
    Paused,
    /// Its process ended and is being started again.
    Restarting,
    /// It does not run.
    Stopped,
    /// Anything else, such as dead or being removed.
    #[serde(other)]
    Other,
}

impl State {
    /// Whether its process is there.
    pub fn is_up(self) -> bool {
        matches!(
            self,
            State::Running | State::Starting | State::Unhealthy | State::Paused | State::Restarting
        )
    }
}

/// A port of the host that a running container holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortHeld {
    /// The host's port.
    pub published: u16,
    /// TCP or UDP.
    #[serde(default)]
    pub protocol: Protocol,
    /// The host's address it listens on; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_ip: Option<String>,
    /// The name of the container that holds it.
    pub container: String,
}

fn known_ports<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PortHeld>, D::Error> {
    known(from, |port| is_newer::<Protocol>(&port["protocol"]))
}
