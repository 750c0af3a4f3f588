//! Docker engines over any transport, and what providers share about them. I/O.
//!
//! - [`Engine`] speaks to one engine: this machine's ([`Engine::local`]) or that at the far end of a
//!   [`Transport`](cloudpad_transport::Transport) ([`Engine::over`]).
//! - [`failure`] turns what the engine's client reports into a [`Failure`](cloudpad_plugin_api::Failure).
//! - [`credentials`] finds what the user's Docker configuration says about a registry, [`Access`] whose they
//!   are, and [`refusal`] what a registry's no means. Pure.
//! - [`Reference`] takes an image reference apart, [`release_names`] finds the names that are for people. Pure.

mod access;
mod connector;
pub mod credentials;
mod endpoint;
mod engine;
mod failure;
mod reference;
pub mod refusal;
mod release;
mod sender;
mod upgrade;

pub use access::Access;
pub use bollard;
pub use cloudpad_transport::cancelled;
pub use endpoint::{DEFAULT_SOCKET, Endpoint};
pub use engine::{Engine, Version};
pub use failure::{failure, said, status};
pub use reference::Reference;
pub use release::release_names;
pub use upgrade::Switched;
