//! The commands around plugins, as users run them: finding, listing, trusting, locking, completing, checking. Each
//! test has a home, a project and a folder on PATH of its own. Needs `python3`, `bash`,
//! `script` and `cc`, no lab.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail")]

mod check;
mod cluster;
mod complete;
mod conform;
mod doctor;
mod files;
mod fleet;
mod foreign;
mod help;
mod hosts;
mod list;
mod lock;
mod readme;
mod room;
mod trust;
