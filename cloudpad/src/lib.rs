//! Cloudpad: from source control to running containers on every host.
//!
//! The rooms, in the order in which data flows through them:
//!
//! - [`config`] turns the text of `Cloudpad.toml` into a [`config::Config`], or into problems. Pure.
//! - [`inventory`] says which hosts there are and which of them are meant. Pure.
//! - [`observed`] holds what was seen on each host, or why nothing was. Pure.
//! - [`plan`](mod@plan) decides what is to be done. Pure.

pub mod config;
pub mod inventory;
pub mod observed;
pub mod plan;
