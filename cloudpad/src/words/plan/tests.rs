//! Plans in words.

use cloudpad_plugin_api::model::Instance;
use cloudpad_plugin_api::stage::inventory::Served;
use serde_json::json;

use crate::plan::{Action, Plan};

fn action(id: u32, request: serde_json::Value) -> Action {
    let (needs, key, service) = (Vec::new(), String::new(), None);
    let request = serde_json::from_value(request).unwrap();
    Action { id, needs, host: None, service, continues: false, key, request }
}

#[test]
fn what_a_plan_makes_itself_is_not_told_as_removed_and_a_line_is_there_once() {
    let host = json!({ "name": "h1", "address": "local" });
    let project = json!({ "name": "shop" });
    let rule = json!({ "hosts": ["a.de"], "port": 80, "network": "shop", "redirect": false, "sticky": false, "maintenance": "x" });
    let proxy = json!({ "image": "caddy:1", "http_port": 80, "https_port": 443 });
    let route = json!({ "method": "deploy.route", "params": { "host": host, "project": project, "proxy": proxy, "service": "web", "rule": rule, "drain_ms": 0 } });
    let gone = |names: &[&str]| {
        let containers: Vec<_> = names.iter().map(|name| json!({ "id": "", "name": name })).collect();
        json!({ "method": "deploy.remove", "params": { "host": host, "project": project, "containers": containers } })
    };
    let run = json!({ "method": "deploy.run", "params": { "host": host, "project": project, "release": "r1", "container": "shop.job.1", "spec": { "image": "x", "stop_timeout": 10, "restart": "no" } } });
    let actions =
        vec![action(0, route.clone()), action(1, route), action(2, run), action(3, gone(&["shop.job.1"]))];
    let told = super::plan(&Plan { actions, ..Plan::default() });
    assert_eq!(told.matches("maintenance page").count(), 1, "{told}");
    assert!(!told.contains("clean up"), "{told}");
    let told = super::plan(&Plan { actions: vec![action(0, gone(&["old"]))], ..Plan::default() });
    assert!(told.contains("- clean up old"), "{told}");
}

#[test]
fn the_inventory_is_told_each_host_once() {
    let served = |(number, host): (u32, &str)| Served {
        instance: Instance { service: "web".into(), number },
        host: host.to_owned(),
        address: String::new(),
        ports: Vec::new(),
    };
    let instances: Vec<Served> = [(1, "h1"), (1, "h2"), (2, "h1"), (2, "h2")].map(served).into();
    let (_, hosts) = super::told((&"web".to_owned(), &instances));
    assert_eq!(hosts, ["h1", "h2"]);
    let (line, hosts) = super::told((&"web".to_owned(), &Vec::new()));
    assert_eq!((line.as_str(), hosts.len()), ("then tell the inventory that web is nowhere", 0));
}

#[test]
fn what_goes_for_good_is_told_by_its_names() {
    let host = json!({ "name": "h1", "address": "local" });
    let project = json!({ "name": "shop" });
    let images = json!([{ "digest": "sha256:a", "tags": ["r1", "r2"] }, { "digest": "sha256:b" }]);
    let remove = json!({ "method": "push.remove", "params": { "repository": "shop.web", "images": images } });
    let clear = json!({ "method": "deploy.clear", "params": { "host": host, "project": project, "volumes": ["data"] } });
    let plan = Plan { actions: vec![action(0, remove), action(1, clear)], ..Plan::default() };
    let told = super::plan(&plan);
    assert!(told.contains("    - remove r1, r2\n    - remove sha256:b\n"), "{told}");
    assert!(told.contains("! remove volumes with all that is in them: data\n"), "{told}");
}
