//! The transport against OpenSSH's own server, on a loopback port. Needs `sshd`, `ssh`, `ssh-keygen` and
//! `ssh-agent`; a test fails where one is missing.

mod server;
mod streams;
