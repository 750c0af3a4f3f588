//! What `cloudpad ps` lists, from values. Pure.

use std::sync::Arc;

use cloudpad_plugin_api::model::{ContainerSpec, Project, Protocol};
use cloudpad_plugin_api::stage::deploy::{ProxySeen, RouteSeen, Rule, Status};

use super::*;

fn container(service: &str, number: u32, name: &str, state: State, created: i64) -> Container {
    Container {
        id: name.to_owned(),
        name: name.to_owned(),
        instance: Instance { service: service.to_owned(), number },
        release: "r1".to_owned(),
        spec_id: name.to_owned(),
        spec: None,
        state,
        created,
        status: Status::default(),
    }
}

fn seen(containers: Vec<Container>) -> Observed {
    let seen = HostState::Seen(Observation { containers, ..Observation::default() });
    Observed { hosts: [("h1".to_owned(), seen)].into(), ..Observed::default() }
}

fn all(observed: &Observed) -> Vec<Row> {
    rows(observed, &Shown { hosts: &|_| true, instances: &|_| true, one_offs: &|_| true })
}

fn names(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.container.as_str()).collect()
}

fn shop() -> Project {
    Project { name: "shop".to_owned(), environment: None }
}

#[test]
fn what_runs_is_told_from_what_is_kept_and_from_what_should_perhaps_run() {
    let observed = seen(vec![
        container("web", 10, "w10", State::Running, 1),
        container("web", 2, "w2-old", State::Stopped, 1),
        container("web", 2, "w2", State::Restarting, 2),
        container("job", 1, "j1-old", State::Stopped, 1),
        container("job", 1, "j1", State::Stopped, 2),
    ]);
    assert_eq!(names(&all(&observed)), ["j1", "j1-old", "w2", "w2-old", "w10"]);
    let (up, last) = running(all(&observed));
    assert_eq!((names(&up), names(&last)), (vec!["w2", "w10"], vec!["j1"]));
    assert_eq!(not_running(&up[..0]), None);
    let told = not_running(&last).unwrap();
    assert_eq!(told, "not running: job.1 on h1: stopped; `cloudpad ps --all` lists them");
}

#[test]
fn only_what_is_meant_is_listed() {
    let observed = seen(vec![
        container("web", 1, "w1", State::Running, 1),
        container("web", 2, "w2", State::Running, 1),
    ]);
    let second = rows(
        &observed,
        &Shown { hosts: &|_| true, instances: &|instance| instance.number == 2, one_offs: &|_| true },
    );
    assert_eq!(names(&second), ["w2"]);
    assert!(
        rows(&observed, &Shown { hosts: &|host| host != "h1", instances: &|_| true, one_offs: &|_| true })
            .is_empty()
    );
}

#[test]
fn a_row_says_how_its_container_is_reached_and_for_how_long() {
    let port = |published, protocol, host_ip: Option<&str>| Port {
        host_ip: host_ip.map(str::to_owned),
        published,
        target: 80,
        protocol,
    };
    let mut web = container("web", 1, "shop-web-1-a", State::Running, 1);
    let ports = vec![port(8080, Protocol::Tcp, None), port(53, Protocol::Udp, Some("127.0.0.1"))];
    web.spec = Some(Arc::new(ContainerSpec { image: "shop.web:0f3a".into(), ports, ..Default::default() }));
    web.status = Status { lasting: "2 minutes".into(), healthy: true, ..Status::default() };
    let mut old = container("web", 1, "shop-web-1-b", State::Stopped, 0);
    (old.spec, old.status) =
        (web.spec.clone(), Status { lasting: "3 hours".into(), exit_code: Some(137), ..Status::default() });
    let rule: Rule = serde_json::from_value(serde_json::json!({
        "hosts": ["a.example", "b.example"], "path": "/x", "port": 80, "network": "n"
    }))
    .unwrap();
    let route =
        RouteSeen { service: "web".into(), rule: Arc::new(rule), containers: vec!["shop-web-1-a".into()] };
    let proxy = Some(Box::new(ProxySeen { routes: vec![route], ..ProxySeen::default() }));
    let host = HostState::Seen(Observation { containers: vec![web, old], proxy, ..Observation::default() });
    let rows = all(&Observed { hosts: [("h1".to_owned(), host)].into(), ..Observed::default() });
    let expected = "\
INSTANCE  HOST  STATE              FOR        RELEASE  IMAGE     PORTS                                                     CONTAINER
web.1     h1    running (healthy)  2 minutes  r1       web:0f3a  8080->80, 127.0.0.1:53->80/udp, a.example/x, b.example/x  shop-web-1-a
web.1     h1    stopped (137)      3 hours    r1       web:0f3a                                                            shop-web-1-b
";
    assert_eq!(table(&rows, &shop()), expected);
    let json = serde_json::to_value(&rows).unwrap();
    assert_eq!((&json[0]["instance"], &json[0]["for"]), (&"web.1".into(), &"2 minutes".into()));
    assert_eq!((&json[0]["routes"][1], &json[1]["exit_code"]), (&"b.example/x".into(), &137.into()));
}

#[test]
fn what_does_not_serve_is_told_with_the_reason() {
    let mut web = container("web", 1, "w", State::Unhealthy, 1);
    web.status.reason = Some("`GET /up` on port 80 answered 500".into());
    let rows = all(&seen(vec![web]));
    let shown = table(&rows, &shop());
    assert!(shown.contains("  unhealthy (`GET /up` on port 80 answered 500)  "), "{shown}");
    let json = serde_json::to_value(&rows[0]).unwrap();
    let told = (&json["state"], &json["healthy"], &json["reason"]);
    assert_eq!(told, (&"unhealthy".into(), &false.into(), &"`GET /up` on port 80 answered 500".into()));
}

#[test]
fn time_that_passes_is_no_change() {
    let row = all(&seen(vec![container("web", 1, "w", State::Running, 1)])).remove(0);
    let later = Row { lasting: "1 second".to_owned(), ..row.clone() };
    let rows = [row.clone()];
    assert!(tell_the_same(&rows, &[later]));
    assert!(!tell_the_same(&rows, &[Row { state: State::Unhealthy, ..row }]) && !tell_the_same(&rows, &[]));
}

#[test]
fn images_are_called_as_people_know_them() {
    let shown = |image: &str| {
        let mut container = container("web", 1, "w", State::Running, 1);
        container.spec = Some(Arc::new(ContainerSpec { image: image.into(), ..Default::default() }));
        let table = table(&all(&seen(vec![container])), &shop());
        table.lines().nth(1).unwrap_or_default().split_whitespace().nth(4).unwrap_or_default().to_owned()
    };
    let digest = "0123456789abcdef".repeat(4);
    assert_eq!(shown("shop.web:0f3a9c11"), "web:0f3a9c11");
    assert_eq!(shown("shopping.web:1"), "shopping.web:1");
    assert_eq!(shown(&format!("registry.example:5000/db:17@sha256:{digest}")), "registry.example:5000/db:17");
    assert_eq!(
        shown(&format!("registry.example:5000/db@sha256:{digest}")),
        "registry.example:5000/db@0123456789ab"
    );
}

#[test]
fn one_off_containers_are_listed_after_the_instances() {
    let one_off = |name: &str, label: &str, of: &str, exit_code: Option<i64>| OneOff {
        id: name.to_owned(),
        name: name.to_owned(),
        release: "r1".to_owned(),
        labels: [(label.to_owned(), of.to_owned())].into(),
        state: if exit_code.is_some() { State::Stopped } else { State::Running },
        exit_code,
        created: 0,
        image: "shop.web:v1".to_owned(),
        lasting: "2 minutes".to_owned(),
    };
    let one_offs = vec![
        one_off("shop-run-web-1", "cloudpad.run", "web", None),
        one_off("shop.migrate.r1", "cloudpad.job", "migrate", Some(0)),
    ];
    let containers = vec![container("web", 1, "w1", State::Running, 1)];
    let host = HostState::Seen(Observation { containers, one_offs, ..Observation::default() });
    let observed = Observed { hosts: [("h1".to_owned(), host)].into(), ..Observed::default() };
    let rows = all(&observed);
    let told: Vec<String> = rows.iter().map(|row| row.instance.to_string()).collect();
    assert_eq!(told, ["web.1", "migrate (job)", "web (run)"]);
    assert_eq!((rows[1].image.as_str(), rows[1].lasting.as_str()), ("shop.web:v1", "2 minutes"));
    let (up, last) = running(rows);
    assert_eq!((names(&up), names(&last)), (vec!["w1", "shop-run-web-1"], vec![]));
    let only = Shown { hosts: &|_| true, instances: &|_| false, one_offs: &|of| of == "migrate" };
    assert_eq!(names(&super::rows(&observed, &only)), ["shop.migrate.r1"]);
}
