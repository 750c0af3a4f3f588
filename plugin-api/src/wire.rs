//! Wire protocol 1: one JSON object per line, UTF-8, at most [`MAX_LINE`] bytes. Pure.
//!
//! Field `t` says what a line is. Unknown fields, kinds and values are ignored, so that either side
//! may be newer than the other. What is empty or not there is left out when it is written; a field that
//! is `null` is read as one that is not there. Exactly one of `result` and `error` ends a call.
//!
//! The lines under `plugin-api/tests/wire/v1/` are the protocol: they are added to, and never changed.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::lenient::{is_newer, known, or_empty};
use crate::stage::secrets::Values;
use crate::{Event, Failure, PushScope, Request, Stage};

mod read;

pub use read::Unreadable;

/// The protocol spoken here.
pub const PROTOCOL: u32 = 1;

/// The longest line, in bytes, its end not counted.
pub const MAX_LINE: usize = 16 * 1024 * 1024;

/// What a plugin says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
pub enum FromPlugin {
    /// The first line, unprompted.
    Hello(PluginHello),
    /// Something that happens while a call is under way.
    Event {
        /// The call.
        id: u64,
        /// What happens.
        #[serde(flatten)]
        event: Event,
    },
    /// The call is done.
    Result {
        /// The call.
        id: u64,
        /// What came of it, an object whose shape follows from the method: [`Request::reply`] reads it.
        #[serde(default = "nothing", deserialize_with = "or_nothing")]
        ok: Value,
    },
    /// The call was not done.
    Error {
        /// The call.
        id: u64,
        /// Why not.
        error: Failure,
    },
    /// A kind from a newer protocol, to be ignored.
    #[serde(other)]
    Other,
}

/// What the host says. [`FromHost::read`] reads it as a plugin has to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
#[allow(clippy::large_enum_variant, reason = "nearly all of them are calls")]
pub enum FromHost {
    /// The answer to the plugin's hello.
    Hello(HostHello),
    /// Do this.
    Call(Call),
    /// Stop doing that.
    Cancel {
        /// The call.
        id: u64,
        /// Why, for the plugin's log.
        #[serde(default, deserialize_with = "or_empty")]
        reason: String,
    },
    /// A kind from a newer protocol, to be ignored.
    #[serde(other)]
    Other,
}

/// A plugin's hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginHello {
    /// The plugin's name, which is that of its crate where it has one.
    pub name: String,
    /// Its own version; empty where it does not tell.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The protocols it speaks, best first.
    pub protocols: Vec<u32>,
    /// What it offers. An offer for a stage or of a scope that the reader does not know is left out.
    #[serde(deserialize_with = "known_offers")]
    pub provides: Vec<Provides>,
    /// Whether it takes a call while another is under way.
    #[serde(default, deserialize_with = "or_empty")]
    pub parallel: bool,
}

/// A provider that a plugin offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provides {
    /// The stage it serves.
    pub stage: Stage,
    /// Its name.
    pub provider: String,
    /// The methods it takes calls for. It may still answer `unsupported` to some of them.
    pub methods: Vec<String>,
    /// One line about it.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// For a provider of stage `push`: how often an image has to be pushed. To each host, where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<PushScope>,
}

/// The host's hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostHello {
    /// The protocol to speak from here on.
    pub protocol: u32,
    /// The host's version.
    #[serde(default, deserialize_with = "or_empty")]
    pub version: String,
    /// The longest line it takes, in bytes.
    #[serde(default = "max_line", deserialize_with = "or_max_line")]
    pub max_line: usize,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// A number that no other call of this session has.
    pub id: u64,
    /// Which of the plugin's providers is meant: the one of this name that serves the method's stage.
    pub provider: String,
    /// That provider's configuration.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub config: Value,
    /// The same for the same work: a provider that sees a key again finds its work done.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The values of the secrets that `params` names.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Values::is_empty")]
    pub secrets: Values,
    /// `method` and `params`.
    #[serde(flatten)]
    pub request: Request,
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

fn or_nothing<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    Ok(Option::<Value>::deserialize(from)?.unwrap_or_else(nothing))
}

fn max_line() -> usize {
    MAX_LINE
}

fn or_max_line<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    Ok(Option::<usize>::deserialize(from)?.unwrap_or(MAX_LINE))
}

fn known_offers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Provides>, D::Error> {
    known(from, |offer| is_newer::<Stage>(&offer["stage"]) || is_newer::<PushScope>(&offer["scope"]))
}
