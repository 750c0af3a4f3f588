//! Tests of what is beside it. Pure.

use cloudpad_plugin_api::model::{Host, Project};
use cloudpad_plugin_api::stage::deploy::{Proxy, Rule, SetRoute};

use super::*;

fn rule(more: &Value) -> Rule {
    let mut rule = json!({ "port": 8080, "network": "shop", "redirect": true, "sticky": false });
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(rule).unwrap()
}

fn piece(project: &str, more: &Value) -> Piece {
    let project = Project { name: project.into(), environment: None };
    let request = SetRoute {
        host: Host::new("h1", Host::LOCAL).into(),
        project: project.clone().into(),
        proxy: Proxy { image: "caddy:1".into(), http_port: 80, https_port: 443 }.into(),
        service: "web".into(),
        rule: Some(rule(more).into()),
        add: vec!["web-1-abc".into(), "web-2-abc".into()],
        remove: Vec::new(),
        drain_ms: 0,
    };
    Piece::new(&project, "web").after(&request)
}

/// The routes of the router that lead to services.
fn routes(pieces: &[Piece]) -> Vec<Value> {
    let config = router::config(pieces, None);
    let all = config["apps"]["http"]["servers"]["router"]["routes"].as_array().unwrap().clone();
    all.into_iter()
        .filter(|route| route["terminal"] == true && !route["handle"][0]["headers"]["Connection"].is_array())
        .collect()
}

#[test]
fn a_configuration_moves_to_the_other_port_only_when_it_changes() {
    let (one, two) = ([piece("a", &json!({}))], [piece("a", &json!({ "path": "/x" }))]);
    let listen = |config: &Value| config["apps"]["http"]["servers"]["router"]["listen"][0].clone();
    let first = router::config(&one, None);
    assert_eq!(router::config(&one, Some(&first)), first, "nothing is to be done");
    let second = router::config(&two, Some(&first));
    assert_ne!(listen(&first), listen(&second));
    let third = router::config(&one, Some(&second));
    assert_eq!(third, first);
    assert_eq!(router::config(&one, Some(&json!({ "apps": 7 })))["apps"]["http"]["shutdown_delay"], OVERLAP);
}

#[test]
fn names_go_before_all_and_longer_paths_before_shorter_ones() {
    let pieces = [
        piece("a", &json!({})),
        piece("b", &json!({ "hosts": ["*.x.de"] })),
        piece("c", &json!({ "hosts": ["a.x.de"] })),
        piece("d", &json!({ "hosts": ["a.x.de"], "path": "/api/" })),
    ];
    let matches: Vec<_> = routes(&pieces).iter().map(|route| route["match"][0].clone()).collect();
    assert_eq!(
        matches,
        [
            json!({ "host": ["a.x.de"], "path": ["/api", "/api/*"] }),
            json!({ "host": ["a.x.de"] }),
            json!({ "host": ["*.x.de"] }),
            Value::Null
        ]
    );
}

#[test]
fn a_name_goes_before_what_another_rule_has_a_star_for() {
    let pieces = [
        piece("a", &json!({ "hosts": ["*.test"] })),
        piece("b", &json!({ "hosts": ["*.other.test", "shop.test", "www.shop.test"], "path": "/x" })),
        piece("c", &json!({ "path": "/long/path" })),
    ];
    let hosts: Vec<_> = routes(&pieces).iter().map(|route| route["match"][0]["host"].clone()).collect();
    assert_eq!(
        hosts,
        [json!(["shop.test", "www.shop.test"]), json!(["*.other.test"]), json!(["*.test"]), Value::Null]
    );
}

#[test]
fn all_that_a_rule_says_is_in_the_configuration() {
    let full = piece(
        "a",
        &json!({
            "hosts": ["x.de"], "health": { "path": "/up", "interval_ms": 200, "timeout_ms": 100 }, "tls": { "type": "auto" },
            "timeout_ms": 3000, "max_body": 1024, "sticky": true, "headers": { "X-A": "b" }
        }),
    );
    let handle = &routes(&[full])[0]["handle"];
    assert_eq!(
        handle[0]["routes"][0]["handle"][1]["headers"]["Location"][0],
        "https://{http.request.host}{http.request.uri}"
    );
    assert_eq!(handle[1]["response"]["set"], json!({ "X-A": ["b"] }));
    assert_eq!(handle[2]["max_size"], 1024);
    let proxy = &handle[3];
    assert_eq!(proxy["upstreams"], json!([{ "dial": "web-1-abc:8080" }, { "dial": "web-2-abc:8080" }]));
    assert_eq!(proxy["health_checks"]["active"]["uri"], "/up");
    assert_eq!(proxy["health_checks"]["active"]["headers"]["Host"], json!(["localhost:8080"]));
    assert_eq!(proxy["health_checks"]["passive"], Value::Null, "no client's doing counts");
    assert_eq!(proxy["transport"]["response_header_timeout"], "3000ms");
    let policy = &proxy["load_balancing"]["selection_policy"];
    assert_eq!((&policy["policy"], &policy["name"]), (&json!("cookie"), &json!("cloudpad-a-web")));
    let plain = &routes(&[piece("a", &json!({}))])[0]["handle"];
    assert_eq!(plain.as_array().unwrap().len(), 1, "no redirect without HTTPS: {plain}");
}

#[test]
fn words_of_users_are_nothing_but_words() {
    let hostile = "{file./data/cloudpad/other.key} \\{env.HOME} \"}]}";
    let piece = piece("a", &json!({ "headers": { "X-{env.A}": hostile }, "maintenance": hostile }));
    let handle = &routes(&[piece])[0]["handle"];
    let escaped = "\\{file./data/cloudpad/other.key\\} \\\\{env.HOME\\} \"\\}]\\}";
    assert_eq!(handle[0]["response"]["set"], json!({ "X-\\{env.A\\}": [escaped] }));
    assert_eq!((&handle[2]["status_code"], &handle[2]["body"]), (&json!(503), &json!(escaped)));
    assert_eq!(handle.as_array().unwrap().len(), 3, "nothing else in maintenance");
}

#[test]
fn the_front_changes_with_certificates_only() {
    let plain = front::config(&[piece("a", &json!({ "hosts": ["x.de"] }))]);
    assert_eq!(plain, front::config(&[piece("b", &json!({ "path": "/x", "maintenance": "x" }))]));
    let secret = |name: &str, mark: &str| json!({ "name": name, "mark": mark });
    let own =
        json!({ "type": "own", "certificate": secret("CERT", "0a0a0a0a"), "key": secret("KEY", "0b0b0b0b") });
    let with = front::config(&[
        piece("a", &json!({ "hosts": ["y.de", "x.de"], "tls": { "type": "auto" } })),
        piece("b", &json!({ "tls": own })),
    ]);
    let certificates = &with["apps"]["tls"]["certificates"];
    assert_eq!(certificates["automate"], json!(["x.de", "y.de"]));
    assert_eq!(
        certificates["load_files"],
        json!([{
            "certificate": "/data/cloudpad/b.web.0a0a0a0a0b0b0b0b.crt", "key": "/data/cloudpad/b.web.0a0a0a0a0b0b0b0b.key"
        }])
    );
    assert_eq!(with["apps"]["http"], plain["apps"]["http"]);
}

#[test]
fn what_caddy_tells_is_understood() {
    let output = "{\"level\":\"info\"}\nError: sending configuration to instance: HTTP 400: bad\n";
    assert_eq!(Caddy.refusal(output), "sending configuration to instance: HTTP 400: bad");
    let status =
        br#"[{"address":"a:80","num_requests":2,"fails":0},{"address":"b:80","num_requests":0,"fails":1}]"#;
    let requests = Caddy.requests(status).unwrap();
    assert_eq!((requests["a:80"], requests["b:80"]), (2, 0));
    assert_eq!(Caddy.requests(b"?"), None);
}
