//! The provider against real registries on loopback, through this machine's engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on shall say where")]

mod faults;
mod forms;
mod kept;
mod private;
mod proxy;
mod push;
mod real;
mod shelf;
mod support;
