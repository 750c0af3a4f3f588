//! Plugins as real processes: good ones, and ones that do everything wrong. Needs `cc` and `python3`, no lab.
//!
//! Each file is a topic. A test makes a [`kit::Bench`] of its own, writes a plugin in a few lines, and looks at
//! what is said of it and what is left of it. Only the limit that a test is about is shortened, so that a slow
//! machine changes nothing.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod breach;
mod calls;
mod choose;
mod ending;
mod flood;
mod hello;
mod kit;
mod launch;
mod library;
mod program;
