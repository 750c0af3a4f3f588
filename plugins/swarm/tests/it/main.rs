//! The provider as a program of its own, where there is no swarm. With one, it is tested with the lab's hosts.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may")]

use std::process::Command;
use std::sync::Arc;

use cloudpad_plugin_api::model::{Check, ContainerSpec, Health, Port, Project, Protocol, Volume};
use cloudpad_plugin_api::stage::cluster::{Observe, Order, Place, Review, Scale, Service, Update};
use cloudpad_plugin_api::testing::TestHost;
use cloudpad_plugin_api::{Failure, FailureKind, Reply, Request};
use serde_json::{Value, json};

fn call(config: Value, request: Request) -> Result<Reply, Failure> {
    let start = || Command::new(env!("CARGO_BIN_EXE_cloudpad-swarm"));
    TestHost::program("swarm", start).config(config).call(request).end
}

fn project() -> Arc<Project> {
    Project { name: "shop".into(), environment: None }.into()
}

fn service(name: &str, change: impl FnOnce(&mut Service, &mut ContainerSpec)) -> Arc<Service> {
    let update =
        Update { batch: 1, order: Order::StartFirst, settle_ms: 0, ready_within_ms: 1000, rollback: true };
    let mut spec = ContainerSpec { image: "web:1".into(), ..ContainerSpec::default() };
    let (place, scale) = (Place::default(), Scale::Replicas(1));
    let mut service = Service { name: name.into(), spec: spec.clone().into(), scale, place, update };
    change(&mut service, &mut spec);
    Service { spec: spec.into(), ..service }.into()
}

#[test]
fn what_a_swarm_cannot_do_is_told_by_service_and_key() {
    let http = Check::Http { path: "/".into(), port: 80 };
    let health = Health { check: http, interval_ms: 1000, timeout_ms: 1000, retries: 1 };
    let volume = Volume { source: "shop.data".into(), target: "/data".into(), read_only: false };
    let host_ip = Some("127.0.0.1".to_owned());
    let port = Port { host_ip, published: 80, target: 80, protocol: Protocol::Tcp };
    let services = vec![
        service("fine", |_, _| {}),
        service("data", |_, spec| spec.volumes = vec![volume]),
        service("asked", |_, spec| spec.health = Some(health)),
        service("many", |service, _| service.scale = Scale::PerNode(2)),
        service("alone", |_, spec| spec.networks = vec!["none".into()]),
        service("engine", |_, spec| spec.networks = vec!["bridge".into()]),
        service("listens", |_, spec| spec.ports = vec![port]),
        service("roles", |service, _| service.place.roles = vec!["a".into(), "b".into()]),
        service("both", |service, _| {
            (service.place.roles, service.place.nodes) = (vec!["a".into()], vec!["b".into()]);
        }),
        service("nodes", |service, _| service.place.nodes = vec!["a".into(), "b".into()]),
        service(&"long".repeat(16), |_, _| {}),
    ];
    let long = "long".repeat(16);
    let reply = call(Value::Null, Request::ClusterReview(Review { project: project(), services })).unwrap();
    let Reply::Reviewed(told) = reply else { panic!("{reply:?}") };
    let told: Vec<_> = told.cannot.iter().map(|cannot| (&*cannot.service, &*cannot.key)).collect();
    let expected = [
        ("data", "volumes"),
        ("asked", "health"),
        ("many", "per_host"),
        ("alone", "networks"),
        ("engine", "networks"),
        ("listens", "ports"),
        ("roles", "roles"),
        ("both", "hosts"),
        ("nodes", "hosts"),
        (&*long, ""),
    ];
    assert_eq!(told, expected);
}

#[test]
fn managers_are_asked_in_turn_and_each_says_why_it_does_not_answer() {
    let request = Request::ClusterObserve(Observe { project: project(), releases: true });
    let failure = call(json!({ "managers": ["root@127.0.0.1:1", "local"] }), request).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    let message = "no manager of the swarm answers: `root@127.0.0.1:1`, `local` were tried";
    assert_eq!(failure.message, message);
    let [first, second] = &*failure.causes else { panic!("{failure:?}") };
    assert!(first.starts_with("root@127.0.0.1:1: "), "{first}");
    assert!(second.contains("`local` is no manager of a swarm"), "{second}");
}
