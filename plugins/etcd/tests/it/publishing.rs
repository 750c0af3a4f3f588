//! Where instances are, told by a real cluster.

use std::collections::BTreeMap;

use cloudpad_plugin_api::model::{Instance, Project};
use cloudpad_plugin_api::stage::inventory::{AskPublished, Publication, Publish, Served};
use cloudpad_plugin_api::{Failure, FailureKind, Reply, Request};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::support::host;

fn project() -> Project {
    Project { name: "shop".into(), environment: Some("staging".into()) }
}

fn published(config: &Value) -> Publication {
    let request = Request::InventoryPublished(AskPublished { project: project() });
    match host(config.clone()).call(request).end.unwrap() {
        Reply::Publication(publication) => publication,
        other => panic!("{other:?}"),
    }
}

fn served(service: &str, host: &str) -> Served {
    let instance = Instance { service: service.into(), number: 1 };
    Served { instance, host: host.into(), address: "192.0.2.1".into(), ports: Vec::new() }
}

type Services = BTreeMap<String, Vec<Served>>;

fn publish(config: &Value, services: &Services, since: &str) -> Result<String, Failure> {
    let request = Publish { project: project(), services: services.clone(), since: since.into() };
    match host(config.clone()).call(Request::InventoryPublish(request)).end? {
        Reply::Written(written) => Ok(written.place),
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_services_are_told_at_once_and_never_over_what_was_changed_meanwhile() {
    let mut cluster = Cluster::plain(3);
    assert_eq!(published(&json!({ "endpoints": cluster.endpoints })), Publication::default());
    let config = json!({ "endpoints": cluster.endpoints, "publish": "/services" });
    let before = published(&config);
    assert_eq!(before.services, Some(Services::new()));
    let one = |host: &str| {
        let services = ["web", "worker"].map(|name| (name.to_owned(), vec![served(name, host)]));
        Services::from(services)
    };
    assert_eq!(publish(&config, &one("h1"), &before.now).unwrap(), "`/services/shop.staging/` in etcd");
    let first = published(&config);
    assert_eq!(first.services, Some(one("h1")));
    // An answer that was lost is asked for again, and nothing is told twice.
    publish(&config, &one("h1"), &before.now).unwrap();
    assert_eq!(published(&config), first);
    let failure = publish(&config, &one("h2"), &before.now).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stale, "{failure:?}");
    // Other projects and keys are nobody's business.
    cluster.put("/services/shop.staging2/web", "[]");
    cluster.kill(0);
    publish(&config, &Services::from([("worker".into(), vec![])]), &first.now).unwrap();
    let services = Services::from([("web".into(), vec![served("web", "h1")])]);
    assert_eq!(published(&config).services, Some(services));
}

#[test]
fn many_services_are_one_transaction_too() {
    let cluster = Cluster::plain(1);
    let config = json!({ "endpoints": cluster.endpoints, "publish": "/services" });
    let all = |host: &str| -> Services {
        (0..300).map(|n| (format!("s{n:03}"), vec![served(&format!("s{n:03}"), host)])).collect()
    };
    let before = published(&config);
    publish(&config, &all("h1"), &before.now).unwrap();
    let first = published(&config);
    assert_eq!(first.services, Some(all("h1")));
    // It is one revision, and one whose answer was lost finds what it has written.
    let revision = |told: &Publication| told.now.parse::<u64>().unwrap();
    assert_eq!(revision(&first), revision(&before) + 1);
    publish(&config, &all("h1"), &before.now).unwrap();
    assert_eq!(published(&config), first);
    cluster.put("/services/shop.staging/s299", "[]");
    let failure = publish(&config, &all("h2"), &first.now).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Stale, "{failure:?}");
    let none = all("h1").into_keys().map(|service| (service, vec![])).collect();
    publish(&config, &none, &published(&config).now).unwrap();
    assert_eq!(published(&config).services, Some(Services::new()));
    // Who may not write may not write many either.
    cluster.let_in("reader");
    let grant = ["role", "grant-permission", "hosts", "--prefix=true", "read", "/services/"];
    cluster.ctl(&[&["--user=root:right"], &grant[..]].concat());
    let config = json!({ "endpoints": cluster.endpoints, "publish": "/services", "user": "reader" });
    let failure = publish(&config, &all("h1"), &published(&config).now).unwrap_err();
    assert!(failure.message.ends_with("permission denied"), "{failure:?}");
    assert_eq!(published(&config).services, Some(Services::new()));
}
