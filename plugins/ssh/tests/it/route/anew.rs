//! A proxy that is to be another one, and cannot be, stays as it was.

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::deploy::Proxy;
use serde_json::json;

use super::{clean, get_at, route_by, rule, seen, serve, usual, world};
use crate::lab;

/// No other test has the proxy of this host made anew, or relies on it.
const HOST: &str = "h3";

#[test]
fn settings_that_cannot_be_leave_the_proxy_as_it_was() {
    let world = world("route-anew", HOST);
    let container = serve(&world, "one");
    let host = format!("{}.test", world.project.name);
    let made = |proxy: Proxy| route_by(&world, proxy, Some(rule(&world, json!({}))), &[&container], &[]);
    made(usual()).unwrap();
    let is_as_before = || {
        assert_eq!(get_at(2, &host, "/"), (200, "one".into()));
        let proxy = seen(&world);
        assert!(proxy.settled && proxy.made == Some(usual()), "{proxy:?}");
        let names = lab::docker_ok(HOST, &["ps", "-a", "--format", "{{.Names}}"]);
        assert!(!names.contains("-before"), "{names}");
    };
    is_as_before();

    let holder = format!("{}-holder", world.project.name);
    lab::docker_ok(HOST, &["run", "-d", "--name", &holder, "-p", "8099:80", &world.image, "sleep", "600"]);
    let failure: Failure = made(Proxy { http_port: 8099, ..usual() }).unwrap_err();
    assert!(
        failure.message.starts_with("could not start the proxy's container `cloudpad-proxy`"),
        "{failure}"
    );
    assert!(failure.hint.is_some_and(|hint| hint.contains("`http_port`")));
    is_as_before();

    let failure = made(Proxy { image: world.image.clone(), ..usual() }).unwrap_err();
    assert!(
        failure.message.starts_with("could not start the proxy's container `cloudpad-router`"),
        "{failure}"
    );
    assert_eq!(failure.hint, None, "no port is the reason");
    is_as_before();

    lab::docker_ok(HOST, &["rm", "-f", &holder]);
    made(Proxy { http_port: 8099, ..usual() }).unwrap();
    assert_eq!(seen(&world).made, Some(Proxy { http_port: 8099, ..usual() }));
    made(usual()).unwrap();
    is_as_before();
    clean(&world, &[&container]);
}
