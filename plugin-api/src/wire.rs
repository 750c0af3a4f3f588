//! Wire protocol 1: one JSON object per line, UTF-8, at most [`MAX_LINE`] bytes. Pure.
//!
//! Field `t` says what a line is. Unknown fields, kinds and values are ignored, so that either side
//! may be newer than the other. Exactly one of `result` and `error` ends a call.

use serde::{Deserialize, Serialize};

use crate::{Event, Failure, PushScope, Request, Stage};

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
        ok: serde_json::Value,
    },
    /// The call was not done.
    Error {
        /// The call.
        id: u64,
        /// Why not.
        error: Failure,
    },
}

/// What the host says.
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
        reason: String,
    },
}

/// A plugin's hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginHello {
    /// The plugin's name.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// The protocols it speaks, best first.
    pub protocols: Vec<u32>,
    /// What it offers.
    pub provides: Vec<Provides>,
    /// Whether it takes a call while another is under way.
    #[serde(default)]
    pub parallel: bool,
}

/// A provider that a plugin offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provides {
    /// The stage it serves.
    pub stage: Stage,
    /// Its name.
    pub provider: String,
    /// The methods it offers.
    pub methods: Vec<String>,
    /// One line about it.
    #[serde(default)]
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
    pub version: String,
    /// The longest line it takes, in bytes.
    pub max_line: usize,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// A number that no other call of this session has.
    pub id: u64,
    /// Which of the plugin's providers is meant.
    pub provider: String,
    /// That provider's configuration.
    #[serde(default)]
    pub config: serde_json::Value,
    /// The same for the same work: a provider that sees a key again finds its work done.
    #[serde(default)]
    pub key: String,
    /// `method` and `params`.
    #[serde(flatten)]
    pub request: Request,
}
