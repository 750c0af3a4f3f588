//! What plugins of Cloudpad are made with, and the contract that they share with it.
//!
//! A *stage* ([`Stage`]) is one step of a deployment that touches the world. Each is done by a *provider*, which
//! lives in a *plugin* and is chosen in `Cloudpad.toml`. To write one, implement the stage's trait ([`stage`]),
//! make it known, and have a `main`:
//!
//! ```no_run
//! use cloudpad_plugin_api::stage::inventory::{Hosts, Inventory, List};
//! use cloudpad_plugin_api::{Context, Failure, Handler, Provider, model::Host, register};
//!
//! struct Rack;
//!
//! #[derive(Default, serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     count: u8,
//! }
//!
//! impl Inventory for Rack {
//!     fn check(&self, cx: &Context) -> Result<(), Failure> {
//!         cx.config::<Config>().map(drop)
//!     }
//!
//!     fn list(&self, cx: &Context, _: &List) -> Result<Hosts, Failure> {
//!         let Config { count } = cx.config()?;
//!         let host = |number| Host::new(format!("rack{number}"), format!("deploy@192.0.2.{number}"));
//!         Ok(Hosts { hosts: (1..=count).map(host).collect(), ..Hosts::default() })
//!     }
//! }
//!
//! register! {
//!     Provider { name: "rack", about: "the machines of our rack", handler: Handler::Inventory(&Rack) },
//! }
//!
//! cloudpad_plugin_api::main!();
//! ```
//!
//! The same source can be linked into a program, be one, or be a dynamic library: with `crate-type = ["cdylib"]`
//! nothing else is needed, for [`abi`] exports what a host looks for.
//!
//! Everything a provider is asked is a [`Request`], everything it answers a [`Reply`] or a [`Failure`]. While it
//! works, a [`Context`] brings its configuration, takes what there is to tell the user, and says when to stop.
//! [`tool`] runs programs, [`Secret`] holds what must not be seen, and with feature `testing` there is
//! a module of that name that plays the host in tests.
//!
//! Read in this order: [`model`] (the nouns), [`stage`] (the verbs, one module per stage), [`wire`] (how both
//! travel), [`serve`] (the loop that answers a host).
//!
//! The version of this crate is not that of the protocol: hosts of Cloudpad 1 speak protocol 1 and ABI 1 with
//! plugins that were built with any version of it. In a later one types may have more fields; where a reply has a
//! default, `..Default::default()` is prepared for that.
//!
//! Nothing in here knows how a plugin is found, started or ended, nor of anything else in this workspace. Pure are
//! `context`, `failure`, `frames`, `model`, `plugin`, `provider`, `secret`, `stage` and `wire`.

#![deny(missing_docs, unsafe_code)]

pub mod abi;
mod context;
mod failure;
pub mod frames;
mod lenient;
pub mod model;
mod plugin;
mod provider;
mod secret;
pub mod serve;
pub mod stage;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tool;
pub mod wire;

pub use context::{Cancel, Context, Emit, Event, Level, Progress};
pub use failure::{Failure, FailureKind, Outcome};
pub use inventory;
pub use plugin::Plugin;
pub use provider::{Handler, Placement, Provider, PushScope};
pub use secret::Secret;
pub use stage::{CheckConfig, Reply, Request, Stage};
