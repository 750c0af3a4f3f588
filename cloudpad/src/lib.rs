//! Cloudpad: from source control to running containers on every host.
//!
//! The rooms, in the order in which data flows through them:
//!
//! - [`project`] finds and reads the project's files. I/O.
//! - [`config`] turns the text of `Cloudpad.toml` into a [`config::Config`], or into problems. Pure.
//! - [`inventory`] says which hosts there are and which of them are meant. Pure.
//! - [`plugin`] finds providers and calls them. I/O.
//! - [`observed`] holds what was seen, or why nothing was. Pure.
//! - [`plan`](mod@plan) decides what is to be done. Pure.
//! - [`report`] sums up what happens. Pure.
//! - [`words`] and [`listing`] say it in words. Pure.
//! - [`journal`] keeps it, [`term`] shows it. I/O.
//! - [`refusal`] is why nothing was done. Pure.

pub mod config;
pub mod inventory;
pub mod journal;
pub mod listing;
pub mod observed;
pub mod plan;
pub mod plugin;
pub mod project;
pub mod refusal;
pub mod report;
pub mod term;
pub mod words;
