//! Tests of what is beside it. Pure.

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{Proxy, RouteHealth};
use serde_json::json;

use super::*;

fn rule(port: u16) -> Rule {
    let rule =
        json!({ "hosts": ["a.de"], "port": port, "network": "shop", "redirect": false, "sticky": false });
    serde_json::from_value(rule).unwrap()
}

fn request(rule: Option<Rule>, add: &[&str], remove: &[&str]) -> SetRoute {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    SetRoute {
        host: Host::new("h1", Host::LOCAL).into(),
        project: project().into(),
        proxy: Proxy { image: "caddy:1".into(), http_port: 80, https_port: 443 }.into(),
        service: "web".into(),
        rule: rule.map(Arc::new),
        add: names(add),
        remove: names(remove),
        drain_ms: 0,
    }
}

fn project() -> Project {
    Project { name: "shop".into(), environment: Some("staging".into()) }
}

fn names(containers: &BTreeMap<String, u16>) -> Vec<(&str, u16)> {
    containers.iter().map(|(name, port)| (name.as_str(), *port)).collect()
}

#[test]
fn containers_come_and_go_and_are_remembered() {
    let piece = Piece::new(&project(), "web").after(&request(Some(rule(80)), &["one", "two"], &["gone"]));
    assert_eq!(piece.file(), "routes/shop.staging.web.json");
    assert_eq!(names(&piece.containers), [("one", 80), ("two", 80)]);
    let next = request(Some(rule(90)), &["three"], &["one"]);
    let piece = piece.after(&next);
    assert_eq!(
        names(&piece.containers),
        [("three", 90), ("two", 80)],
        "each has the port that it was added with"
    );
    assert_eq!(names(&piece.draining), [("one", 80)]);
    assert_eq!(piece.after(&next), piece, "again is the same");
    let back = piece.after(&request(Some(rule(80)), &["one"], &["three"]));
    assert_eq!(names(&back.draining), [("three", 90)]);
    let none = back.after(&request(None, &[], &[]));
    assert!(none.containers.is_empty() && none.seen().is_none() && none.claim().is_none());
    assert_eq!(names(&none.draining), [("one", 80), ("three", 90), ("two", 80)]);
}

#[test]
fn one_of_both_files_is_always_whole() {
    let piece = Piece::new(&project(), "web").after(&request(Some(rule(80)), &["one"], &[]));
    let [new, old] = files(&piece).unwrap();
    let read = |all: &[&(String, Vec<u8>)]| pieces(&all.iter().map(|file| (*file).clone()).collect());
    assert_eq!(read(&[&new, &old]).unwrap(), std::slice::from_ref(&piece));
    let half = |file: &(String, Vec<u8>)| (file.0.clone(), file.1[..20].to_vec());
    assert_eq!(read(&[&new]).unwrap(), std::slice::from_ref(&piece));
    assert_eq!(read(&[&new, &half(&old)]).unwrap(), std::slice::from_ref(&piece));
    assert_eq!(read(&[&half(&new), &old]).unwrap(), std::slice::from_ref(&piece));
    assert!(read(&[&half(&new), &half(&old)]).unwrap_err().message.contains("`shop.staging.web` is broken"));
    let newer = String::from_utf8(old.1.clone()).unwrap().replace("\"version\":1", "\"version\":2");
    let failure = read(&[&(old.0.clone(), newer.into_bytes())]).unwrap_err();
    assert!(failure.message.contains("newer Cloudpad"), "{failure}");
    assert_eq!(read(&[&("front.json".into(), b"{}".to_vec())]).unwrap(), []);
}

#[test]
fn what_a_proxy_might_take_for_something_else_is_refused() {
    assert_eq!(check(&rule(80)), Ok(()));
    for host in ["", "a.de/x", "{env.HOME}", "a b", "*", "*.*.de", "a.de:80"] {
        assert!(check(&Rule { hosts: vec![host.into()], ..rule(80) }).is_err(), "{host}");
    }
    assert_eq!(check(&Rule { hosts: vec!["*.a-b.de".into()], path: Some("/a".into()), ..rule(80) }), Ok(()));
    for path in ["", "a", "/{file./data/key}", "/a*", "/a b", "/\n"] {
        assert!(check(&Rule { path: Some(path.into()), ..rule(80) }).is_err(), "{path}");
        let health = Some(RouteHealth { path: path.into(), interval_ms: 1, timeout_ms: 1 });
        assert!(check(&Rule { health, ..rule(80) }).is_err(), "{path}");
    }
    assert!(check(&Rule { headers: [("A".into(), "b\r\nC: d".into())].into(), ..rule(80) }).is_err());
}
