//! The contract between Cloudpad and the plugins that do its work.
//!
//! A *stage* ([`Stage`]) is one step of a deployment that touches the world. Each stage is done by a
//! *provider*: a value that implements the stage's trait ([`stage`]). Everything a provider is asked
//! is a [`Request`], everything it answers a [`Reply`] or a [`Failure`]; the planner's actions are
//! such requests, not yet sent. Providers that are linked in are registered with [`Provider`].
//!
//! Read in this order: [`model`] (the nouns), [`stage`] (the verbs, one module per stage), [`wire`]
//! (how both travel), [`Context`] (what a provider may say and ask while it works).
//!
//! Pure but for the callbacks that a [`Context`] carries. Nothing in here knows how a plugin is
//! found, started or ended, nor of anything else in this workspace.

pub mod abi;
mod context;
mod failure;
mod lenient;
pub mod model;
mod plugin;
mod provider;
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
pub use provider::{Handler, Provider, PushScope};
pub use stage::{CheckConfig, Reply, Request, Stage};
