//! The provider as a program of its own, and what it answers.

use std::process::Command;

use cloudpad_plugin_api::stage::inventory::{Hosts, List};
use cloudpad_plugin_api::testing::TestHost;
use cloudpad_plugin_api::{Failure, Reply, Request};
use serde_json::Value;

/// The plugin, with the password `right` in its environment.
pub fn host(config: Value) -> TestHost {
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloudpad-etcd"));
        command.env("ETCDCTL_PASSWORD", "right").env("WRONG", "wrong").env_remove("NOWHERE");
        command
    };
    TestHost::program("etcd", start).config(config)
}

/// Which hosts it lists.
pub fn list(config: Value) -> Result<Hosts, Failure> {
    match host(config).call(Request::InventoryList(List {})).end? {
        Reply::Hosts(hosts) => Ok(hosts),
        other => panic!("{other:?}"),
    }
}

/// Its hosts as `NAME=ADDRESS`, with none that is broken.
pub fn names(config: Value) -> Vec<String> {
    let hosts = list(config).unwrap();
    assert_eq!(hosts.broken, []);
    hosts.hosts.into_iter().map(|host| format!("{}={}", host.name, host.address)).collect()
}
