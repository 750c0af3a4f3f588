//! What is read from clusters that work, or of which a part does.

use serde_json::json;

use crate::cluster::Cluster;
use crate::support::{list, names};

#[test]
fn hosts_are_documents_or_fields_below_the_prefix() {
    let cluster = Cluster::plain(1);
    cluster
        .put("/cloudpad/hosts/a", r#"{"address": "192.0.2.1", "roles": ["web"], "labels": {"rack": "9"}}"#);
    cluster.put("/cloudpad/hosts/b/address", "192.0.2.2");
    cluster.put("/cloudpad/hosts/c", r#"{"addres": "192.0.2.3"}"#);
    cluster.put("/cloudpad/hosts0", "outside");
    cluster.put("/other/d/address", "192.0.2.4");
    let read = list(json!({ "endpoints": cluster.endpoints })).unwrap();
    let hosts: Vec<_> =
        read.hosts.iter().map(|host| (&*host.name, &*host.address, host.roles.len())).collect();
    assert_eq!(hosts, [("a", "192.0.2.1", 1), ("b", "192.0.2.2", 0)]);
    assert_eq!(read.hosts[0].labels["rack"], "9");
    let broken: Vec<_> = read.broken.iter().map(|broken| &*broken.name).collect();
    assert_eq!(broken, ["/cloudpad/hosts/c"]);
    assert_eq!(names(json!({ "endpoints": cluster.endpoints, "prefix": "/other" })), ["d=192.0.2.4"]);
    assert_eq!(names(json!({ "endpoints": cluster.endpoints, "prefix": "/none" })), [""; 0]);
}

#[test]
fn pages_make_one_list() {
    let cluster = Cluster::plain(1);
    let put = |from: usize, to: usize| {
        let puts = (from..to).map(|at| format!("put /cloudpad/hosts/h{at:05}/address 192.0.2.1\n"));
        // A transaction of etcd's has 128 operations at most.
        let text = format!("\n{}\n\n", puts.collect::<String>());
        cluster.input(&["txn"], &text);
    };
    (0..4100).step_by(100).for_each(|from| put(from, from + 100));
    let read = names(json!({ "endpoints": cluster.endpoints }));
    assert_eq!((read.len(), &*read[4099]), (4100, "h04099=192.0.2.1"));
}

#[test]
fn another_member_answers_for_one_that_is_lost() {
    let mut cluster = Cluster::plain(3);
    cluster.put("/cloudpad/hosts/a/address", "192.0.2.1");
    let config = json!({ "endpoints": cluster.endpoints });
    assert_eq!(names(config.clone()), ["a=192.0.2.1"]);
    cluster.kill(0);
    assert_eq!(names(config), ["a=192.0.2.1"]);
}

#[test]
fn a_cluster_without_a_majority_is_told_and_not_believed() {
    let mut cluster = Cluster::plain(3);
    cluster.put("/cloudpad/hosts/a/address", "192.0.2.1");
    cluster.kill(0);
    cluster.kill(1);
    let failure = list(json!({ "endpoints": cluster.endpoints, "timeout": 2 })).unwrap_err();
    assert_eq!(failure.message, "no member of the etcd cluster has answered");
    assert!(failure.retryable);
    let [first, second, third] = &*failure.causes else { panic!("{failure:?}") };
    for (cause, endpoint) in [first, second, third].into_iter().zip(&cluster.endpoints) {
        assert!(cause.starts_with(&format!("`{endpoint}`: ")), "{cause}");
    }
    assert!(first.contains("refused") && third.contains("no answer in 2 s"), "{failure:?}");
}

#[test]
fn tls_and_users_let_in_whom_they_know() {
    let cluster = Cluster::with_tls(true);
    cluster.put("/cloudpad/hosts/a/address", "192.0.2.1");
    let config = json!({
        "endpoints": cluster.endpoints, "ca": cluster.path("ca.pem"), "cert": cluster.path("cert.pem"),
        "key": cluster.path("key.pem"),
    });
    assert_eq!(names(config), ["a=192.0.2.1"]);

    let cluster = Cluster::with_tls(false);
    cluster.put("/cloudpad/hosts/a/address", "192.0.2.1");
    cluster.let_in("reader");
    let config = json!({ "endpoints": cluster.endpoints, "ca": cluster.path("ca.pem"), "user": "reader" });
    assert_eq!(names(config), ["a=192.0.2.1"]);
}
