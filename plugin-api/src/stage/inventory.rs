//! Stage `inventory`: which hosts there are. Pure.

use serde::{Deserialize, Serialize};

use crate::context::NoConfig;
use crate::lenient::or_empty;
use crate::model::Host;
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

    /// Every host the provider knows of, each name once, and what it cannot read as one.
    ///
    /// # Errors
    /// Whatever keeps the list from being complete: half an inventory is a failure.
    fn list(&self, cx: &Context, request: &List) -> Result<Hosts, Failure>;
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
}
