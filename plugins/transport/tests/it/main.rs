//! The transport against OpenSSH's own server, on a loopback port. Needs `sshd`, `ssh`, `ssh-keygen` and
//! `ssh-agent`; a test fails where one is missing.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod commands;
mod faults;
mod host_keys;
mod login;
mod routes;
mod server;
mod streams;
