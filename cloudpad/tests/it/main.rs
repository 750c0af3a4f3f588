//! The real program against real hosts, as a user would run it. Needs the lab: `cargo xtask test` raises it.
//!
//! Each file is a topic. A test makes a project of its own ([`support::Project`]), so tests run side by
//! side; one that breaks a host takes the whole lab ([`support::Lab::alone`]). Tests begin in the order of their names,
//! and one that takes the whole lab waits for all that have begun: so those are in topics before `routes::steady`, which
//! takes minutes.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod aftermath;
mod aws;
mod bad_input;
mod begun;
mod book;
mod boundaries;
mod departed;
mod deploy;
#[path = "../../../plugins/fleet/tests/double/mod.rs"]
#[allow(clippy::unwrap_used, reason = "as in its own tests")]
mod double;
mod drift;
mod etcd;
mod events;
mod exec;
mod failure;
mod files_in_memory;
mod halfway;
mod history;
mod hooks;
mod hosts;
mod hosts_add;
mod hosts_exec;
mod hosts_rm;
mod hosts_trust;
mod interrupt;
mod inventory;
mod inventory_cached;
mod jobs;
mod jobs_by_hand;
mod jobs_depend;
mod kamal;
mod local;
mod lock;
mod logs;
mod many;
#[path = "../../../plugins/aws-inventory/tests/it/moto.rs"]
mod moto;
mod plan;
mod plugin_dies;
mod plugins;
mod protected;
mod provision;
mod ps;
mod ps_watch;
mod push;
mod readme;
#[path = "../../../plugins/registry/tests/it/real.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "it has more forms than are needed here")]
mod real;
mod registry;
mod registry_digests;
mod registry_prune;
mod registry_tokens;
mod releases;
mod remove;
mod restart;
mod rollback;
mod routes;
mod run;
mod same;
mod scale;
mod secrets;
mod secrets_age;
mod shape;
mod source;
mod start;
mod stats;
mod stop;
mod support;
mod swarm;
mod swarm_lost;
mod taken_out;
mod terminal;
mod unfinished;
mod unproven;
