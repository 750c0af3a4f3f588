//! Stage `deploy`, placement "hosts": Cloudpad decides what runs where, the provider does it on one
//! host at a time. Pure.

use serde::{Deserialize, Deserializer, Serialize};

use crate::context::NoConfig;
use crate::lenient::{if_understood, is_newer, known, or_empty, or_true, yes};
use crate::model::{ContainerSpec, Health, Host, Instance, Project, Protocol};
use crate::{Context, Failure};

/// Runs containers on hosts.
///
/// Each method is about one host; calls for different hosts, and for different containers of one
/// host, come at the same time. Methods that change something are idempotent: the same request again
/// finds its work done. What is not as the request says it was seen is `stale`, and is left alone.
pub trait Deploy: Send + Sync {
    /// Whether the configuration in `cx` is one that the provider can work with. Touches nothing.
    ///
    /// # Errors
    /// `invalid`, saying what is wrong with it.
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<NoConfig>().map(|_| ())
    }

    /// What is on the host. Changes nothing.
    ///
    /// # Errors
    /// `unreachable` when the host does not answer, is not who it was, or does not let us in.
    fn observe(&self, cx: &Context, request: &Observe) -> Result<Observation, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.observe"))
    }

    /// Lets the host pull an image from its registry, with the caller's credentials.
    ///
    /// # Errors
    /// `failed` when the registry refuses or has no such image.
    fn pull(&self, cx: &Context, request: &Pull) -> Result<Pulled, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.pull"))
    }

    /// Makes and starts a container. A stopped one of that name and spec is started instead of made. Until
    /// it is known to serve, be it by [`Deploy::ready`], it is [`State::Starting`].
    ///
    /// # Errors
    /// `stale` when the name is taken by a container of another spec or owner; `failed` when the engine refuses.
    fn start(&self, cx: &Context, request: &Start) -> Result<Started, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.start"))
    }

    /// Waits until a container serves.
    ///
    /// # Errors
    /// `failed` when it ends, is unhealthy or does not serve in time, with its last log lines as causes.
    fn ready(&self, cx: &Context, request: &Ready) -> Result<BecameReady, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.ready"))
    }

    /// Stops a container and keeps it. One that is stopped already is fine.
    ///
    /// # Errors
    /// `stale` when there is no such container; `failed` when the engine refuses.
    fn stop(&self, cx: &Context, request: &Stop) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.stop"))
    }

    /// Removes stopped containers and images that nothing uses. What is gone already is fine; an image
    /// that something else uses is left; a container that runs is `stale`. Volumes are never removed.
    ///
    /// # Errors
    /// `stale` when a container runs; `failed` when the engine refuses.
    fn remove(&self, cx: &Context, request: &Remove) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.remove"))
    }
}

/// The request `deploy.observe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observe {
    /// The host to look at.
    pub host: Host,
    /// Whose containers to tell about.
    pub project: Project,
}

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
    /// References (`name:tag`) of all images on the host, sorted.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Ports of the host that running containers hold, the project's own and others', sorted. One of a
    /// protocol that the reader does not know is left out.
    #[serde(default, deserialize_with = "known_ports", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<PortHeld>,
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
    /// Its name, as in [`Start::container`].
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
    pub spec: Option<ContainerSpec>,
    /// What it does.
    pub state: State,
    /// When it was made, in seconds since 1970.
    #[serde(default, deserialize_with = "or_empty")]
    pub created: i64,
}

/// What a container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It runs, and where it has a health check, that has passed.
    Running,
    /// It runs, and its health check has not passed yet since it was started.
    Starting,
    /// It runs, and fails its health check.
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

/// An image reference that is known now, or once the push that it names has been done. A provider only
/// ever sees one that is known, and on the wire that is a string.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ImageRef {
    /// This one.
    Known(String),
    /// [`Pushed::reference`](super::push::Pushed::reference) of an action of the same plan.
    PushedBy {
        /// The action's number.
        pushed_by: u32,
    },
}

impl ImageRef {
    /// The reference.
    ///
    /// # Errors
    /// `invalid` when it has not been filled in.
    pub fn get(&self) -> Result<&str, Failure> {
        match self {
            ImageRef::Known(reference) => Ok(reference),
            ImageRef::PushedBy { pushed_by } => {
                Err(Failure::invalid(format!("the image that action {pushed_by} pushes is not known yet")))
            }
        }
    }
}

/// The request `deploy.pull`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// The host that pulls.
    pub host: Host,
    /// What it pulls.
    pub image: ImageRef,
    /// The `name:tag` under which the host is to find the image afterwards, where that is not the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// The reply to `deploy.pull`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulled {
    /// The engine's id of the image.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub id: String,
}

/// The request `deploy.start`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Where.
    pub host: Host,
    /// For whom.
    pub project: Project,
    /// Which copy of which service.
    pub instance: Instance,
    /// The release it belongs to.
    pub release: String,
    /// The container's name. It contains the spec's identity, so equal names mean equal containers.
    pub container: String,
    /// The identity of `spec`.
    pub spec_id: String,
    /// All that the container is made from. Its image is on the host.
    pub spec: ContainerSpec,
}

/// The reply to `deploy.start`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The engine's id of the container.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Whether it was made; else it was there, and has been started where needed.
    #[serde(default = "yes", deserialize_with = "or_true")]
    pub created: bool,
}

/// The request `deploy.ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Where.
    pub host: Host,
    /// The container's name.
    pub container: String,
    /// How to tell; where there is nothing, it is ready when it has run for `settle_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Milliseconds for which a container with no health check has to keep running.
    pub settle_ms: u64,
    /// Milliseconds to wait at the most.
    pub timeout_ms: u64,
}

/// The reply to `deploy.ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BecameReady {
    /// How often it was tried.
    #[serde(default, deserialize_with = "or_empty")]
    pub tries: u32,
}

/// The request `deploy.stop`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Where.
    pub host: Host,
    /// Whose container it must be.
    pub project: Project,
    /// The container.
    pub container: Named,
    /// Seconds between the stop signal and the kill signal.
    pub timeout: u32,
}

/// A container by what it was seen as.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Named {
    /// The engine's id; none for a container that this plan makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
}

/// The request `deploy.remove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    /// Where.
    pub host: Host,
    /// Whose containers they must be.
    pub project: Project,
    /// Containers to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Named>,
    /// Images (`name:tag`) to remove when nothing uses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
}
