//! Inventory provider `etcd`, on a cluster of one member of its own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use cloudpad_plugin_api::stage::inventory::List;
use cloudpad_plugin_api::{Request, Stage};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::engine::Mute;
use super::{World, is_the_same_everywhere, without};
use crate::steps::{Step, check};

struct Etcd {
    endpoint: String,
    mute: Mute,
    _dir: TempDir,
    process: Child,
}

fn etcd() -> Etcd {
    let dir = tempfile::tempdir().unwrap();
    let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [endpoint, peer] = held.map(|port| format!("http://{}", port.local_addr().unwrap()));
    let mut command = Command::new("etcd");
    command.arg("--data-dir").arg(dir.path().join("data")).args([
        format!("--listen-client-urls={endpoint}"),
        format!("--advertise-client-urls={endpoint}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
    ]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("these tests need Debian's package `etcd-server`");
    let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
    log.find(|line| line.contains("serving insecure client requests on ")).expect("etcd has ended");
    // What nobody reads would block it.
    std::thread::spawn(move || log.for_each(drop));
    let etcd = Etcd { endpoint, mute: Mute::new(), _dir: dir, process };
    etcd.put("/cloudpad/hosts/b", r#"{"address": "192.0.2.2", "roles": ["web"]}"#);
    etcd.put("/cloudpad/hosts/a/address", "deploy@192.0.2.1");
    etcd.put("/cloudpad/hosts/c", "hi");
    etcd
}

impl Etcd {
    fn put(&self, key: &str, value: &str) {
        let mut command = Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").args(["--endpoints", &self.endpoint, "put", key, value]);
        let output = command.output().expect("these tests need Debian's package `etcd-client`");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl World for Etcd {
    fn steps(&self) -> Vec<Step> {
        let step = |what, config, request| Step::new(what, "etcd", config, request);
        let list = || Request::InventoryList(List {});
        let (one, mute) = (json!({ "endpoints": [self.endpoint] }), self.mute.clone());
        let silent = json!({ "endpoints": [format!("http://{}", self.mute.address())], "timeout": 600 });
        vec![
            step("a config is fit", one.clone(), check(Stage::Inventory)),
            step("no config", Value::Null, check(Stage::Inventory)),
            step("hosts, and one that is broken", one, list()),
            step("nobody is there", json!({ "endpoints": ["http://127.0.0.1:1"] }), list()),
            step("cancelled", silent, list()).cancelled_once(move || mute.take()),
        ]
    }

    fn hide(&self, message: Value) -> Option<Value> {
        Some(without(&message, &[&self.endpoint, &self.mute.address()]))
    }
}

#[test]
fn etcd_is_the_same_everywhere() {
    let expected = [
        "`endpoints` is missing",
        "\"deploy@192.0.2.1\"",
        "/cloudpad/hosts/c",
        "no member of the etcd cluster has answered",
        "\"kind\":\"cancelled\"",
    ];
    is_the_same_everywhere("etcd", etcd, &expected);
}
