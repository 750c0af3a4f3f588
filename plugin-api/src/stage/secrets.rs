//! Stage `secrets`: the values that only containers may see. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::context::NoConfig;
use crate::lenient::or_empty;
use crate::{Context, Failure, Secret};

/// Knows the values of secrets.
pub trait Secrets: Send + Sync {
    /// Whether the configuration in `cx` is one that the provider can work with. Touches nothing.
    ///
    /// # Errors
    /// `invalid`, saying what is wrong with it.
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<NoConfig>().map(|_| ())
    }

    /// The values of these secrets. One that does not exist is left out of the reply: the caller names all
    /// that are missing.
    ///
    /// # Errors
    /// Whatever keeps the provider from telling whether there is such a secret.
    fn get(&self, cx: &Context, request: &Get) -> Result<Found, Failure>;
}

/// The request `secrets.get`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Get {
    /// What the secrets are called where they are kept; each once, sorted.
    pub names: Vec<String>,
}

/// The reply to `secrets.get`. The host shows it to nobody and keeps it nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The values, by name.
    #[serde(deserialize_with = "or_empty")]
    pub values: Values,
}

/// Values of secrets by name. They can be sent, and not be printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(pub BTreeMap<String, Secret>);

impl Values {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value.expose())))
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(from).map(Self)
    }
}
