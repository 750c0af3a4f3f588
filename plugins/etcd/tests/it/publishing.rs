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
