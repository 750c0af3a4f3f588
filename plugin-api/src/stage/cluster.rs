//! Stage `deploy`, placement "cluster": Cloudpad says what is to run, a scheduler decides where. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::context::NoConfig;
use crate::lenient::or_empty;
use crate::model::Project;
use crate::stage::deploy::{ImageRef, Logged};
use crate::{Context, Failure};

mod release;
mod seen;
mod wish;

pub use release::{Record, Release};
pub use seen::{Instance, Node, Observation, Rollout, Seen};
pub use wish::{Cannot, Cannots, Order, Place, Scale, Service, Update};

/// Has a cluster run services.
///
/// A service is known by its name within its project, and what it is to be by an identity that Cloudpad gives it. Methods that
/// change something are idempotent: the same request again finds its work done. What is not as the request says it was
/// seen is `stale`, and is left alone: there is no lock, and of two who change a service at a time one is told so.
pub trait Cluster: Send + Sync {
    /// Whether the configuration in `cx` is one that the provider can work with. Touches nothing.
    ///
    /// # Errors
    /// `invalid`, saying what is wrong with it.
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<NoConfig>().map(|_| ())
    }

    /// What of these services the cluster cannot be asked for. Touches nothing, and need not reach the cluster; it is asked before
    /// anything is built.
    ///
    /// # Errors
    /// `unsupported` where the provider can do all that a service can be.
    fn review(&self, cx: &Context, request: &Review) -> Result<Cannots, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("cluster.review"))
    }

    /// The cluster's nodes and the project's services there. Changes nothing.
    ///
    /// # Errors
    /// `unreachable` when nobody who can speak for the cluster answers.
    fn observe(&self, cx: &Context, request: &Observe) -> Result<Observation, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("cluster.observe"))
    }

    /// Has the cluster run a service as it is to be, and comes back when the cluster has taken it, not when it is so. What it
    /// needs, such as networks and secrets, is made before; values of secrets are in `cx`. One that has that identity already is fine.
    ///
    /// # Errors
    /// `stale` when the service is not the one that was seen; `failed` when the cluster refuses.
    fn apply(&self, cx: &Context, request: &Apply) -> Result<Applied, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("cluster.apply"))
    }

    /// Waits until all instances of a service are those of that identity and serve, and have done so for the time that it
    /// says. A cluster that rolls nothing out by itself is led through it here, and back where that fails.
    ///
    /// # Errors
    /// `stale` when the service is another one; `failed` when it does not come to that in time or the cluster has given up, with the
    /// last lines that an instance has printed as causes.
    fn ready(&self, cx: &Context, request: &Ready) -> Result<BecameReady, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("cluster.ready"))
    }

    /// Takes services off the cluster, with all that only they needed, and comes back when their instances are gone. What is gone
    /// already is fine.
    ///
    /// # Errors
    /// `stale` when a service is not the one that was seen; `failed` when the cluster refuses.
    fn remove(&self, cx: &Context, request: &Remove) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("cluster.remove"))
    }

    /// Remembers a release in the cluster until it is to be forgotten, so that [`Cluster::observe`] can tell it; and forgets
    /// others. What is forgotten already is fine.
    ///
    /// # Errors
    /// `failed` when the cluster refuses.
    fn record(&self, cx: &Context, request: &Record) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("cluster.record"))
    }

    /// Tells what the instances of services have printed. Each line is an event whose source is the instance, such as `web.1`, and where
    /// it is known the node that it is on: `web.1@n1`. Of instances without a number each is the first.
    ///
    /// # Errors
    /// `failed` when the cluster cannot read it.
    fn logs(&self, cx: &Context, request: &Logs) -> Result<Logged, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("cluster.logs"))
    }
}

/// The request `cluster.review`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// For whom.
    pub project: Arc<Project>,
    /// What they are to be.
    #[serde(default, deserialize_with = "or_empty")]
    pub services: Vec<Arc<Service>>,
}

/// The request `cluster.observe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observe {
    /// Whose services to tell about.
    pub project: Arc<Project>,
    /// Whether the releases that the cluster remembers are to be told too, [`Observation::releases`].
    #[serde(default, deserialize_with = "or_empty")]
    pub releases: bool,
}

/// The request `cluster.apply`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apply {
    /// For whom.
    pub project: Arc<Project>,
    /// The release it belongs to.
    pub release: String,
    /// The identity of `service`, as its planner computed it.
    pub id: String,
    /// What it is to be.
    pub service: Arc<Service>,
    /// From where nodes have its image.
    pub image: ImageRef,
    /// The [revision](Seen::revision) of the service that was seen; none where there was no such service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

/// The reply to `cluster.apply`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Whether anything was changed; else it was so already.
    #[serde(default = "crate::lenient::yes", deserialize_with = "crate::lenient::or_true")]
    pub changed: bool,
}

/// The request `cluster.ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Whose service.
    pub project: Arc<Project>,
    /// The service's name.
    pub service: String,
    /// The identity that it has to have.
    pub id: String,
    /// Milliseconds for which all instances have to go on serving.
    #[serde(default, deserialize_with = "or_empty")]
    pub settle_ms: u64,
    /// Milliseconds that the cluster may take for it, however many instances there are.
    pub timeout_ms: u64,
}

/// The reply to `cluster.ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BecameReady {
    /// How many instances serve.
    #[serde(default, deserialize_with = "or_empty")]
    pub instances: u32,
}

/// The request `cluster.remove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    /// Whose they must be.
    pub project: Arc<Project>,
    /// The services.
    #[serde(default, deserialize_with = "or_empty")]
    pub services: Vec<Named>,
}

/// A service by what it was seen as.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its [revision](Seen::revision).
    pub revision: String,
}

/// The request `cluster.logs`. Its fields are those of [`deploy::Logs`](crate::stage::deploy::Logs), without the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// Whose services.
    pub project: Arc<Project>,
    /// Of which services; of all where none is named.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Which instance of them; all where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u32>,
    /// Whether to go on telling what they print until the caller asks to stop.
    #[serde(default, deserialize_with = "or_empty")]
    pub follow: bool,
    /// Nothing before this time, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// So many of the last lines of each instance; all where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<u64>,
}
