//! That whoever listens hears of changes, and of no others.

use cloudpad_plugin_api::stage::inventory::Watch;
use cloudpad_plugin_api::{Failure, FailureKind, Reply, Request};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::support::host;

fn watch(config: &Value, since: Option<&str>) -> Result<String, Failure> {
    let request = Request::InventoryWatch(Watch { since: since.map(str::to_owned) });
    match host(config.clone()).call(request).end? {
        Reply::Watched(watched) => Ok(watched.now),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_change_since_then_is_told_at_once_and_one_to_come_when_it_comes() {
    let mut cluster = Cluster::plain(3);
    let config = json!({ "endpoints": cluster.endpoints });
    let first = watch(&config, None).unwrap();
    cluster.put("/cloudpad/hosts/a/address", "192.0.2.1");
    let second = watch(&config, Some(&first)).unwrap();
    assert_ne!(first, second);
    // One that listens hears of nothing beside, and of what comes by another member when its own is lost.
    cluster.kill(0);
    let listening = std::thread::spawn({
        let (config, second) = (config.clone(), second.clone());
        move || watch(&config, Some(&second))
    });
    cluster.put("/other/b", "x");
    assert!(!listening.is_finished(), "another key is no change");
    cluster.put("/cloudpad/hosts/b/address", "192.0.2.2");
    assert_ne!(listening.join().unwrap().unwrap(), second);
    // What was compacted cannot be told any more, so it may have changed.
    let now = watch(&config, None).unwrap();
    cluster.ctl(&["compact", &now]);
    assert_eq!(watch(&config, Some("1")).unwrap(), now);
}

#[test]
fn who_cannot_be_heard_is_told() {
    let failure = watch(&json!({ "endpoints": ["http://127.0.0.1:1"] }), Some("1")).unwrap_err();
    assert_eq!((failure.kind, failure.retryable), (FailureKind::Unreachable, true));
    let failure = watch(&json!({ "endpoints": ["http://127.0.0.1:1"] }), Some("x")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
}
