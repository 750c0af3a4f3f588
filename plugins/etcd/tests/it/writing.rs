//! What is written into clusters, and what is left as it is.

use std::collections::BTreeMap;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::inventory::{Add, Remove};
use cloudpad_plugin_api::{Failure, FailureKind, Outcome, Reply, Request};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::support::{host, list, names};

/// Where it was written.
fn add(config: &Value, host: &Host) -> Result<String, Failure> {
    place(config, Request::InventoryAdd(Add { host: host.clone() }))
}

fn remove(config: &Value, name: &str) -> Result<String, Failure> {
    place(config, Request::InventoryRemove(Remove { name: name.to_owned() }))
}

fn place(config: &Value, request: Request) -> Result<String, Failure> {
    match host(config.clone()).call(request).end? {
        Reply::Written(written) => Ok(written.place),
        other => panic!("{other:?}"),
    }
}

fn whole() -> Host {
    Host {
        roles: vec!["web".into()],
        labels: BTreeMap::from([("rack".into(), "9".into())]),
        ..Host::new("a", "deploy@192.0.2.1:22")
    }
}

#[test]
fn a_host_is_written_once_and_is_gone_with_all_its_fields() {
    let mut cluster = Cluster::plain(3);
    let config = json!({ "endpoints": cluster.endpoints });
    assert_eq!(add(&config, &whole()).unwrap(), "`/cloudpad/hosts/a` in etcd");
    assert_eq!(list(config.clone()).unwrap().hosts, [whole()]);
    // The same again is done already, and another of that name is not written over it.
    add(&config, &whole()).unwrap();
    let failure = add(&config, &Host::new("a", "192.0.2.9")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stale);
    assert!(failure.message.contains("`/cloudpad/hosts/a`"), "{failure:?}");
    cluster.put("/cloudpad/hosts/b/roles", "web");
    let failure = add(&config, &Host::new("b", "192.0.2.2")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stale, "fields of a host are there too");

    cluster.put("/cloudpad/hosts/b/address", "192.0.2.2");
    cluster.put("/cloudpad/hosts/b2/address", "192.0.2.3");
    cluster.kill(0);
    for _ in 0..2 {
        assert_eq!(remove(&config, "b").unwrap(), "`/cloudpad/hosts/b` in etcd");
        assert_eq!(names(config.clone()), ["a=deploy@192.0.2.1:22", "b2=192.0.2.3"]);
    }
}

#[test]
fn who_may_only_read_is_told_and_nothing_is_written() {
    let cluster = Cluster::plain(1);
    cluster.put("/cloudpad/hosts/a/address", "192.0.2.1");
    cluster.let_in("reader");
    let config = json!({ "endpoints": cluster.endpoints, "user": "reader" });
    let failure = add(&config, &Host::new("b", "192.0.2.2")).unwrap_err();
    assert!(failure.message.starts_with("could not add host `b`: etcd refuses: "), "{failure:?}");
    assert_eq!(failure.outcome, Outcome::None);
    remove(&config, "a").unwrap_err();
    assert_eq!(names(config), ["a=192.0.2.1"]);
}

#[test]
fn what_a_cluster_without_a_majority_has_done_is_not_known() {
    let mut cluster = Cluster::plain(3);
    cluster.kill(0);
    cluster.kill(1);
    let config = json!({ "endpoints": cluster.endpoints, "timeout": 2 });
    let failure = add(&config, &Host::new("b", "192.0.2.2")).unwrap_err();
    assert!(failure.message.ends_with("no member of the etcd cluster has answered"), "{failure:?}");
    assert_eq!(failure.outcome, Outcome::Unknown);
}
