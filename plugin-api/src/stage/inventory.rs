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

    /// Every host the provider knows of, each name once.
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
}
