//! One suite over all carriers of a plugin: the same calls, the same transcript, the same result. Needs `cc` with cJSON,
//! `python3`, `jq`, `git`, this machine's engine, Debian's `busybox-static` and `docker-registry`, and what `cargo test
//! --workspace` builds: the plugins that ship, as programs and as libraries.
//!
//! - `same`: one provider in Rust (`same.rs`, in four carriers), Python, shell and C: built in and called directly; built
//!   in and called through JSON; an executable; an isolated library; a program in Python, one in shell; a library in C.
//! - `shipped`: the providers that ship, in the four carriers that a Rust plugin has.
//! - `frozen`: plugins as they were written for protocol 1, which are never changed, and plugins from the future.
//!
//! A conversation is `steps`, had by one of three: `wire` says them line by line, `direct` calls the provider's code, and
//! `through_host` is what a deploy does. What comes of it is a `transcript`, compared byte for byte; that file says what
//! is made equal before.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod built;
mod direct;
mod frozen;
mod future;
mod same;
mod same_everywhere;
mod shipped;
mod steps;
mod through_host;
mod transcript;
mod wire;
