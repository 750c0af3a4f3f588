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

    /// What all secrets are called that are kept here.
    ///
    /// # Errors
    /// `unsupported` where that cannot be told.
    fn list(&self, cx: &Context, request: &List) -> Result<Names, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("secrets.list"))
    }

    /// Keeps this value, in place of any other. All other secrets stay as they are.
    ///
    /// # Errors
    /// `unsupported` where secrets are kept by other means; `failed` when the value cannot be kept.
    fn set(&self, cx: &Context, request: &Set) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("secrets.set"))
    }

    /// All secrets as one text, for a person to edit.
    ///
    /// # Errors
    /// `unsupported` where there is no such text.
    fn open(&self, cx: &Context, request: &Open) -> Result<Opened, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("secrets.open"))
    }

    /// Keeps what became of that text.
    ///
    /// # Errors
    /// `invalid` when the text is none that can be kept, saying where; `stale` when something else has been kept
    /// since it was opened.
    fn save(&self, cx: &Context, request: &Save) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("secrets.save"))
    }
}

/// The request `secrets.list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {}

/// The reply to `secrets.list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// What the secrets are called.
    #[serde(deserialize_with = "or_empty")]
    pub names: Vec<String>,
}

/// The request `secrets.set`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// What the secret is called.
    pub name: String,
    /// Its value.
    #[serde(serialize_with = "Secret::serialize_exposed")]
    pub value: Secret,
}

/// The request `secrets.open`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {}

/// The reply to `secrets.open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The text; where nothing is kept yet, one to begin with.
    #[serde(serialize_with = "Secret::serialize_exposed")]
    pub text: Secret,
    /// What tells what is kept now from what may be kept later.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub mark: String,
}

/// The request `secrets.save`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Save {
    /// The text.
    #[serde(serialize_with = "Secret::serialize_exposed")]
    pub text: Secret,
    /// The mark that came with the text that was edited.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub mark: String,
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
