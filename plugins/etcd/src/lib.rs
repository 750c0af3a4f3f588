//! Inventory provider `etcd`: hosts are keys of an etcd v3 cluster, read and written through its JSON gateway.
//!
//! Below a prefix each host is one key with a JSON document, or one key for each of its fields. All
//! of one answer is of one revision, whichever members it came from.

use cloudpad_plugin_api::{Handler, Provider, register};

mod client;
mod config;
mod hosts;
mod list;
mod provider;
mod publish;
mod watch;
mod wire;
mod write;

register! {
    Provider {
        name: "etcd",
        about: "hosts that are keys of an etcd v3 cluster",
        handler: Handler::Inventory(&provider::Etcd),
    },
}
