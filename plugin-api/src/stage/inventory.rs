//! Stage `inventory`: which hosts there are. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::context::NoConfig;
use crate::lenient::{if_understood, or_empty};
use crate::model::{Host, Instance, Port, Project};
use crate::{Context, Failure};

/// Lists hosts.
pub trait Inventory: Send + Sync {
    /// Whether the configuration in `cx` is one that the provider can work with. Touches nothing.
    ///
    /// # Errors
    /// `invalid`, saying what is wrong with it.
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<NoConfig>().map(|_| ())
    }

    /// Whether [`Inventory::add`] and [`Inventory::remove`] are offered: `cloudpad hosts add` and `rm` write there then, and else to
    /// `Cloudpad.toml`.
    fn is_writable(&self) -> bool {
        false
    }

    /// Whether [`Inventory::watch`] is offered.
    fn is_watchable(&self) -> bool {
        false
    }

    /// Whether [`Inventory::published`] and [`Inventory::publish`] are offered.
    fn is_publisher(&self) -> bool {
        false
    }

    /// Every host the provider knows of, each name once, and what it cannot read as one.
    ///
    /// # Errors
    /// Whatever keeps the list from being complete: half an inventory is a failure.
    fn list(&self, cx: &Context, request: &List) -> Result<Hosts, Failure>;

    /// Writes one more host into the inventory, where [`Inventory::list`] finds it from then on.
    ///
    /// # Errors
    /// `stale` when it has something of that name already, which is left as it is; `failed` when it cannot be written to.
    fn add(&self, cx: &Context, request: &Add) -> Result<Written, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("inventory.add"))
    }

    /// Takes a host out of the inventory, with all that it says of it. One that is gone already is fine.
    ///
    /// # Errors
    /// `failed` when it cannot be written to.
    fn remove(&self, cx: &Context, request: &Remove) -> Result<Written, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("inventory.remove"))
    }

    /// Comes back once the list may be another one than at the time that it is asked about; without such a time, at once.
    ///
    /// # Errors
    /// `unreachable` and retryable when what is watched is lost meanwhile.
    fn watch(&self, cx: &Context, request: &Watch) -> Result<Watched, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("inventory.watch"))
    }

    /// What it tells others of a project's instances. With nothing in [`Publication::services`], they are told nothing.
    ///
    /// # Errors
    /// `failed` when it cannot be read.
    fn published(&self, cx: &Context, request: &AskPublished) -> Result<Publication, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("inventory.published"))
    }

    /// Tells others where instances of a project are, all at once.
    ///
    /// # Errors
    /// `stale` when what it told has changed since it was asked, and is left as it is; `failed` when it cannot be written to.
    fn publish(&self, cx: &Context, request: &Publish) -> Result<Written, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("inventory.publish"))
    }
}

/// The request `inventory.published`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskPublished {
    /// Whose instances.
    pub project: Project,
}

/// The reply to `inventory.published`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// The instances of each service; none at all where the configuration says that nothing is to be told.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub services: Option<BTreeMap<String, Vec<Served>>>,
    /// What tells this time from others, in whatever form the provider likes.
    #[serde(default, deserialize_with = "or_empty")]
    pub now: String,
}

/// The request `inventory.publish`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// Whose instances.
    pub project: Project,
    /// The services that are to be told otherwise, each with all of its instances; one without any is told no more.
    pub services: BTreeMap<String, Vec<Served>>,
    /// [`Publication::now`], as of when that was decided.
    pub since: String,
}

/// Where an instance can be reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Served {
    /// The instance.
    pub instance: Instance,
    /// Its host's name.
    pub host: String,
    /// The host's address, without a user and a port.
    pub address: String,
    /// The ports that are published there.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
}

/// The request `inventory.add`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Add {
    /// What is to be written.
    pub host: Host,
}

/// The request `inventory.remove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    /// The host's name.
    pub name: String,
}

/// The reply to `inventory.add`, and to `inventory.remove`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Where that is, for people: the key of a store, or a file.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub place: String,
}

/// The request `inventory.watch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// [`Watched::now`] of an earlier reply.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// The reply to `inventory.watch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// What tells this time from others, in whatever form the provider likes.
    pub now: String,
}

/// The request `inventory.list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {}

/// The reply to `inventory.list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hosts {
    /// In any order; the host sorts them by name. It has to be told, be it empty.
    #[serde(deserialize_with = "or_empty")]
    pub hosts: Vec<Host>,
    /// What there is beside them and cannot be used. The host tells of it, and changes nothing on any host unless it is told to
    /// go ahead without these.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<Broken>,
}

/// An entry of the inventory that is no host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// What it is called there, such as a key or a host's name.
    pub name: String,
    /// What is wrong with it, as words that go after its name.
    pub why: String,
    /// The host that it would be: its name, of which `inventory.remove` takes it out.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}
