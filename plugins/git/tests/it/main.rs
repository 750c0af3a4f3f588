//! The provider against real repositories: over files, git's own protocol and HTTP.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall say where")]

mod directory;
mod fetch;
mod interrupted;
mod prepare;
mod resolve;
mod serve;
mod support;
