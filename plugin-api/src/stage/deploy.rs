//! Stage `deploy`, placement "hosts": Cloudpad decides what runs where, the provider does it on one
//! host at a time. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::context::NoConfig;
use crate::lenient::{if_understood, or_empty, or_true, yes};
use crate::model::{ContainerSpec, Health, Host, Instance, Project};
use crate::{Context, Failure};

mod clear;
mod events;
mod exec;
mod lock;
mod logs;
mod machine;
mod release;
mod resolve;
mod route;
mod run;
mod seen;
mod stats;

pub use clear::Clear;
pub use events::{Events, Happened};
pub use exec::{Exec, Executed};
pub use lock::{Holder, Lock, Locked, Unlock};
pub use logs::{Logged, Logs};
pub use machine::{Command, Disk, Exited, HostKey, Keys, Known, Login, Look, Machine, Terminal, Trust};
pub use release::{About, Presence, Record, Recorded, Release};
pub use resolve::{Digest, Digests, Resolve};
pub use route::{Claim, Proxy, ProxySeen, RouteHealth, RouteSeen, Rule, SetRoute, Tls};
pub use run::{OneOff, Ran, Run};
pub use seen::{Container, Engine, Observation, PortHeld, State, Status};
pub use stats::{Measure, Measured, Usage};

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

    /// Has the host's proxy lead requests to containers, and others no more, and comes back when it does; where containers
    /// were removed, once they have answered what they had been asked, or the time for that is over. The proxy is
    /// made where it is not there, and made anew where it is another one. No request may be lost over it.
    ///
    /// # Errors
    /// `stale` when the requests lead to a service of another project, or a container is not there; `failed` when the
    /// proxy cannot be had or refuses.
    fn route(&self, cx: &Context, request: &SetRoute) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.route"))
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

    /// Takes the project's lock on the host, if nobody else has it, and keeps it until [`Deploy::unlock`] or until this
    /// process is gone, however it ends. One that this process has already is fine.
    ///
    /// # Errors
    /// `unreachable` when the host cannot be reached; `failed` when nothing can be locked there.
    fn lock(&self, cx: &Context, request: &Lock) -> Result<Locked, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.lock"))
    }

    /// Gives the project's lock on the host back. One that this process does not have is fine.
    ///
    /// # Errors
    /// `failed` when it cannot be told whether it is free now.
    fn unlock(&self, cx: &Context, request: &Unlock) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.unlock"))
    }

    /// Makes a one-off container, runs it to its end, and removes it. Each line that it prints is an event. One of that
    /// name that runs is waited for, and one that has ended answers: the same request never runs twice. When the caller
    /// asks to stop, or its time is over, it is stopped and removed.
    ///
    /// # Errors
    /// `stale` when the name is taken by another container; `failed` when the engine refuses. What the container's
    /// process ends with is no failure.
    fn run(&self, cx: &Context, request: &Run) -> Result<Ran, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.run"))
    }

    /// Takes a key for the host's from now on. One that is its own already is fine.
    ///
    /// # Errors
    /// `stale` when the host shows another key than this one; `invalid` when another key is known for it and is not to be
    /// replaced, or this one is revoked.
    fn trust(&self, cx: &Context, request: &Trust) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.trust"))
    }

    /// The key that the host shows of itself, and what is known of it. Does not log in.
    ///
    /// # Errors
    /// `unreachable` when the host cannot be reached; `unsupported` where hosts are known by other means.
    fn keys(&self, cx: &Context, request: &Keys) -> Result<HostKey, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.keys"))
    }

    /// The command of this machine that gives whoever runs it a shell on the host, or runs something there. Runs nothing, and
    /// need not reach the host.
    ///
    /// # Errors
    /// `unsupported` when there is no such command.
    fn login(&self, cx: &Context, request: &Login) -> Result<Terminal, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.login"))
    }

    /// What the host is, as a machine: its engine, its processors, memory and disk. Changes nothing.
    ///
    /// # Errors
    /// `unreachable` when the host does not answer, is not who it was, or does not let us in.
    fn host(&self, cx: &Context, request: &Look) -> Result<Machine, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.host"))
    }

    /// Runs a command in a container that runs, and waits for its end.
    ///
    /// # Errors
    /// `stale` when there is no such container; `failed` when it does not run, or the engine refuses. What the command
    /// ends with is no failure.
    fn exec(&self, cx: &Context, request: &Exec) -> Result<Executed, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.exec"))
    }

    /// Runs a command on the host itself, with no input. Each line that it prints is an event, whose source is `stdout` or
    /// `stderr`. When the caller asks to stop, or its time is over, it is ended with all that it has started.
    ///
    /// # Errors
    /// `failed` when it did not end in time. What it ends with is no failure.
    fn command(&self, cx: &Context, request: &Command) -> Result<Exited, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.command"))
    }

    /// Remembers a release on the host until it is to be forgotten, whatever becomes of containers and images, so
    /// that [`Deploy::observe`] can tell it; and forgets others. What is forgotten already is fine.
    ///
    /// # Errors
    /// `failed` when the engine refuses.
    fn record(&self, cx: &Context, request: &Record) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.record"))
    }

    /// Tells what the containers of services have printed, in the order of time: of each instance what runs, or what ran
    /// last. Each line is an event whose source is the instance, such as `web.1`. What is followed begins with a
    /// [`Progress`](crate::Progress) labelled [`Events::LISTENING`].
    ///
    /// # Errors
    /// `failed` when the engine cannot read it; `unreachable` and retryable when the host or its engine is lost while it is followed.
    fn logs(&self, cx: &Context, request: &Logs) -> Result<Logged, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.logs"))
    }

    /// Tells what happens to the project's containers until the caller asks to stop: a [`Progress`](crate::Progress) labelled
    /// [`Events::LISTENING`] once nothing is missed any more, then an [`Event::Happened`](crate::Event::Happened) for each thing.
    ///
    /// # Errors
    /// `unreachable` and retryable when the host or its engine is lost meanwhile.
    fn events(&self, cx: &Context, request: &Events) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.events"))
    }

    /// What the project's containers use now, for about as long as one has to wait to tell how busy a processor is.
    ///
    /// # Errors
    /// `failed` when the engine cannot tell.
    fn stats(&self, cx: &Context, request: &Measure) -> Result<Measured, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.stats"))
    }

    /// Makes the container that [`Deploy::start`] is to start, with all that it needs, so that there is nothing left to do then but to
    /// start it. One of that name and spec that is there is made ready to be started; one that runs is fine. It is asked only
    /// where [`Observation::creates`] was told, before the container that has to be gone first is stopped.
    ///
    /// # Errors
    /// As for [`Deploy::start`].
    fn create(&self, cx: &Context, request: &Start) -> Result<Started, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.create"))
    }

    /// Removes what is left of a project on the host when its containers are gone: networks in which nothing is, volumes with all that
    /// is in them, and the proxy, where nobody's requests are led any more. What is gone already is fine.
    ///
    /// # Errors
    /// `invalid` for a name that is not the project's; `failed` when a container uses a volume, or the engine refuses.
    fn clear(&self, cx: &Context, request: &Clear) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.clear"))
    }

    /// What references mean in their registries now, with the caller's credentials, each by itself: one that is not known is no
    /// failure of the others. Pulls nothing. It is asked of one host, only where [`Observation::resolves`] was told.
    ///
    /// # Errors
    /// `unreachable` when the host does not answer.
    fn resolve(&self, cx: &Context, request: &Resolve) -> Result<Digests, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("deploy.resolve"))
    }
}

/// The request `deploy.observe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observe {
    /// The host to look at.
    pub host: Arc<Host>,
    /// Whose containers to tell about.
    pub project: Arc<Project>,
    /// Whether containers there may be asked whether they serve, by HTTP or TCP through the host: then it is to be
    /// told where no connection can be made, [`Observation::no_connections`].
    #[serde(default, deserialize_with = "or_empty")]
    pub connects: bool,
    /// Whether the releases that the host remembers are to be told too, [`Observation::releases`].
    #[serde(default, deserialize_with = "or_empty")]
    pub releases: bool,
    /// Whether the containers that run are to be asked whether they serve, where their health check is none that the engine makes
    /// ([`Health::needs_connection`]): one that does not is told as [`State::Unhealthy`], with [`Status::reason`].
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub checks: Option<Checks>,
}

/// How containers are asked whether they serve. A host through which no connection can be made says nothing of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks {
    /// Milliseconds that a container may take from its start until it serves: before, one that does not is
    /// [`State::Starting`].
    #[serde(default, deserialize_with = "or_empty")]
    pub ready_within_ms: u64,
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
    pub host: Arc<Host>,
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

/// The request `deploy.start`, and `deploy.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Where.
    pub host: Arc<Host>,
    /// For whom.
    pub project: Arc<Project>,
    /// Which copy of which service.
    pub instance: Instance,
    /// The release it belongs to.
    pub release: String,
    /// The container's name. It contains the spec's identity, so equal names mean equal containers.
    pub container: String,
    /// The identity of `spec`.
    pub spec_id: String,
    /// All that the container is made from. Its image is on the host.
    pub spec: Arc<ContainerSpec>,
}

/// The reply to `deploy.start`, and to `deploy.create`.
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
    pub host: Arc<Host>,
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
    pub host: Arc<Host>,
    /// Whose container it must be.
    pub project: Arc<Project>,
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
    pub host: Arc<Host>,
    /// Whose containers they must be.
    pub project: Arc<Project>,
    /// Containers to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Named>,
    /// Images (`name:tag`) to remove when nothing uses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
}
