//! The same verbs over SSH, on hosts of the lab: one connection each, and few requests.

use std::sync::Arc;

use cloudpad_plugin_api::model::{Check, Host, SecretRef};
use cloudpad_plugin_api::stage::deploy::{Deploy, Named, Observation, State, Stop};
use cloudpad_plugin_api::stage::push::{Push, Run};
use cloudpad_plugin_api::stage::secrets::Values;
use cloudpad_plugin_api::{FailureKind, Secret};
use cloudpad_ssh::{Deployer, Pusher, Spent, config::Config, spent};
use serde_json::json;

use crate::lab;
use crate::world::{World, busybox, health};

/// A project whose host is one of the lab's, with its image there.
pub fn world(name: &str, host: &str) -> World {
    let mut world = World::new(name);
    world.host = Host::new(host, host).into();
    world.config = json!({ "ssh_config": lab::dir().join("ssh_config") });
    world
}

pub fn push(world: &World) -> u64 {
    let (reference, host) = (world.image.clone(), Some(world.host.clone()));
    Pusher.run(&world.context(), &Run { reference, host, similar: Vec::new() }).unwrap().sent.unwrap()
}

fn cost(world: &World) -> Spent {
    let config: Config = serde_json::from_value(world.config.clone()).unwrap();
    spent(&world.host, &config).unwrap()
}

fn clean(world: &World, containers: &[&str]) {
    for name in containers {
        world.stop(name).unwrap();
    }
    world.remove(containers, &[&world.image]).unwrap();
    assert!(!world.observe().images.contains(&world.image));
}

#[test]
fn a_service_is_pushed_started_asked_and_removed_through_one_connection() {
    let world = world("ssh-life", "h1");
    let traffic = cost_before(&world);
    assert!(push(&world) > 0);
    let name = world.run("web", world.script("echo serving; exec httpd -f -p 8080 -h /www"));
    world.ready(&name, health(Check::Http { port: 8080, path: "/up".into() })).unwrap();
    assert_eq!(world.state(&name), Some(State::Running));
    let failure =
        world.ready_within(&name, health(Check::Http { port: 8080, path: "/no".into() }), 3_000).unwrap_err();
    assert!(failure.message.contains("answered 404"), "{failure}");
    assert_eq!((failure.host.as_deref(), &*failure.causes), (Some("h1"), &["serving".to_owned()][..]));
    clean(&world, &[&name]);
    assert_eq!(cost(&world).traffic.connections, traffic.max(1), "one connection for all of it");
}

fn cost_before(world: &World) -> u64 {
    let config: Config = serde_json::from_value(world.config.clone()).unwrap();
    spent(&world.host, &config).map_or(0, |spent| spent.traffic.connections)
}

/// What a look has seen, and how many requests it took.
fn of_look(world: &World, look: impl FnOnce() -> Observation) -> (Observation, u64) {
    let before = cost(world).requests;
    let seen = look();
    (seen, cost(world).requests - before)
}

/// The promise that benchmarks build on. `h2` is reached by no other test through this connection, so
/// the counts are this test's alone.
#[test]
fn a_look_costs_three_requests_and_an_update_at_most_thirteen() {
    let mut world = world("ssh-cost", "h2");
    // The files of a proxy are one more, where another test has made one.
    let files = |seen: &Observation| u64::from(seen.proxy.as_ref().is_some_and(|proxy| proxy.made.is_some()));
    let seen = world.observe();
    let Spent { requests, traffic } = cost(&world);
    assert_eq!((requests - files(&seen), traffic.connections), (3, 1));

    push(&world);
    let mut spec = world.script("exec httpd -f -p 8080 -h /www");
    spec.networks = vec![world.project.name.clone()];
    spec.health = health(Check::Http { port: 8080, path: "/up".into() });
    // It ends when it is told to, and long before its time is over: else it would be looked at.
    spec.stop_signal = Some("SIGKILL".into());
    let old = world.run("web", spec.clone());
    world.ready(&old, spec.health.clone()).unwrap();
    let (plain, asking) = (of_look(&world, || world.observe()), of_look(&world, || world.check_up(0)));
    assert_eq!(plain.1, asking.1, "who asks containers asks no engine");
    assert!(asking.0.containers[0].status.healthy && !plain.0.containers[0].status.healthy);
    // Another process would ask for the version once more.
    let before = cost(&world).requests - 1;

    let seen = world.observe();
    let next = format!("{}:2", world.project.name);
    world.also_remove.push(next.clone());
    world.import(&next, busybox(&[("www/up", b"yes, again")]), &[]);
    let (reference, host) = (next.clone(), Some(world.host.clone()));
    let similar = vec![world.image.clone()];
    assert!(Pusher.run(&world.context(), &Run { reference, host, similar }).unwrap().sent > Some(0));
    spec.image = next.clone();
    let mut request = world.start_request("web", spec);
    request.container += "-new";
    world.start(&request).unwrap();
    world.ready(&request.container, request.spec.health.clone()).unwrap();
    let id = Some(seen.containers[0].id.clone());
    let old = Named { id, name: old };
    let (host, project) = (world.host.clone(), world.project.clone().into());
    let stop = Stop { host, project, container: old.clone(), timeout: 600 };
    Deployer.stop(&world.context(), &stop).unwrap();
    world.remove_named(vec![old], &[&world.image]).unwrap();
    let spent = cost(&world).requests - before - files(&seen);
    // One of them asks where there has to be room for the image.
    assert!(spent <= 13, "{spent} requests for an update of one container");

    world.stop(&request.container).unwrap();
    world.remove(&[&request.container], &[&next]).unwrap();
    lab::docker_ok("h2", &["network", "rm", &world.project.name]);
}

/// What a container that takes a port is not waited for longer than it has to be: all else is done before the old one is stopped.
#[test]
fn what_was_made_before_is_started_by_one_request() {
    let mut world = world("ssh-made", "h2");
    // A connection of its own, so that the counts are this test's alone.
    world.config["connect_timeout"] = 17.into();
    push(&world);
    let secret = SecretRef { name: "token".into(), mark: "1".into(), ..Default::default() };
    let further = format!("{}.further", world.project.name);
    let mut spec = world.script("exec httpd -f -p 8080 -h /www");
    spec.secrets = [("/run/token".to_owned(), secret)].into();
    spec.networks = vec![world.project.name.clone(), further.clone()];
    spec.health = health(Check::Http { port: 8080, path: "/up".into() });
    let request = world.start_request("web", spec);
    let values = Values([("token".to_owned(), Secret::from("t".to_owned()))].into());
    let cx = world.context().with_secrets(values);
    let made = Deployer.create(&cx, &request).unwrap();
    assert!(made.created);
    for again in [false, true] {
        if again {
            world.stop(&request.container).unwrap();
        }
        assert_eq!(world.state(&request.container), Some(State::Stopped));
        let same = Deployer.create(&cx, &request).unwrap();
        assert_eq!((same.id, same.created), (made.id.clone(), false));
        let before = cost(&world).requests;
        assert_eq!(Deployer.start(&cx, &request).unwrap().id, made.id);
        assert_eq!(cost(&world).requests - before, 1);
        assert_eq!(world.state(&request.container), Some(State::Starting));
        world.ready(&request.container, request.spec.health.clone()).unwrap();
        assert!(!Deployer.create(&cx, &request).unwrap().created, "one that runs goes on");
        assert_eq!(world.state(&request.container), Some(State::Running));
    }
    world.stop(&request.container).unwrap();
    world.remove(&[&request.container], &[&world.image]).unwrap();
    lab::docker_ok("h2", &["network", "rm", &world.project.name, &further]);
}

#[test]
fn a_host_that_is_not_there_is_named() {
    let mut world = world("ssh-none", "nobody@127.0.0.1:1");
    Arc::make_mut(&mut world.host).name = "gone".into();
    let failure = world.stop("x").unwrap_err();
    assert_eq!((failure.kind, failure.host.as_deref()), (FailureKind::Unreachable, Some("gone")));
}
