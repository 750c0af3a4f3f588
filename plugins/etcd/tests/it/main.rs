//! Hosts from real clusters of etcd. They need Debian's packages `etcd-server`, `etcd-client` and `openssl`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may")]

mod cluster;
mod publishing;
mod reading;
mod refused;
mod support;
mod watching;
mod writing;
