//! The provider against a double of fleetd, and the double against what is known of fleetd. Needs `sshd`, as the transport's
//! tests do, and those in `engine` this machine's Docker engine and its client. I/O: loopback, unix sockets.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../double/mod.rs"]
mod double;
#[path = "../../../transport/tests/it/server.rs"]
#[expect(dead_code, reason = "the transport's own tests need more of it")]
mod server;

mod client;
mod cluster;
mod engine;
mod facts;
mod passing;
mod rollout;
mod support;
mod systemd;
mod tunnel;
