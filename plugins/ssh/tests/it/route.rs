//! Routes: a real proxy on a host of the lab.

mod anew;
mod greedy;
mod keys;
mod turn;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{Deploy, Observe, Proxy, ProxySeen, Rule, SetRoute};
use cloudpad_plugin_api::stage::push::{Push, Run};
use cloudpad_plugin_api::{Context, Failure};
use cloudpad_ssh::{Deployer, Pusher};
use serde_json::{Value, json};

use crate::lab;
use crate::world::World;

const HOST: &str = "h1";

/// Whoever changes the proxy of h2 has it alone: these tests take it away, or keep others from changing it.
static OF_H2: Mutex<()> = Mutex::new(());

fn h2() -> MutexGuard<'static, ()> {
    OF_H2.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A project on the lab's host, with its image and the proxy's there.
fn world(name: &str, user: &str) -> World {
    let mut world = World::new(name);
    world.host = Host::new(user.rsplit('@').next().unwrap(), user).into();
    world.config = json!({ "ssh_config": lab::dir().join("ssh_config") });
    let (reference, host) = (world.image.clone(), Some(world.host.clone()));
    Pusher.run(&world.context(), &Run { reference, host, similar: Vec::new() }).unwrap();
    lab::docker_ok(&world.host.name, &["pull", "--quiet", &lab::says("proxy_image")]);
    world
}

/// A container that serves a page with its own name; its name.
fn serve(world: &World, service: &str) -> String {
    let script = format!("mkdir -p /srv && echo {service} >/srv/index.html; exec httpd -f -p 8080 -h /srv");
    let spec = cloudpad_plugin_api::model::ContainerSpec {
        networks: vec![world.project.name.clone()],
        ..world.script(&script)
    };
    world.run(service, spec)
}

fn rule(world: &World, more: Value) -> Rule {
    let mut rule = json!({
        "hosts": [format!("{}.test", world.project.name)], "port": 8080, "network": world.project.name,
        "redirect": false, "sticky": false,
    });
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(rule).unwrap()
}

/// The proxy as most have it.
fn usual() -> Proxy {
    Proxy { image: lab::says("proxy_image"), http_port: 80, https_port: 443 }
}

fn route(world: &World, rule: Option<Rule>, add: &[&str], remove: &[&str]) -> Result<(), Failure> {
    route_by(world, usual(), rule, add, remove)
}

fn route_by(
    world: &World,
    proxy: Proxy,
    rule: Option<Rule>,
    add: &[&str],
    remove: &[&str],
) -> Result<(), Failure> {
    route_as(&world.context(), world, proxy, rule, add, remove)
}

fn route_as(
    cx: &Context,
    world: &World,
    proxy: Proxy,
    rule: Option<Rule>,
    add: &[&str],
    remove: &[&str],
) -> Result<(), Failure> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let request = SetRoute {
        host: world.host.clone(),
        project: world.project.clone().into(),
        proxy: proxy.into(),
        service: "web".into(),
        rule: rule.map(Arc::new),
        add: names(add),
        remove: names(remove),
        drain_ms: 5_000,
    };
    Deployer.route(cx, &request)
}

fn seen(world: &World) -> ProxySeen {
    let (host, project) = (world.host.clone(), world.project.clone().into());
    let seen = Deployer
        .observe(&world.context(), &Observe { host, project, connects: false, releases: false, checks: None })
        .unwrap();
    *seen.proxy.unwrap()
}

/// The address of the host.
fn address() -> String {
    address_of(0)
}

fn address_of(host: usize) -> String {
    let lab: Value = serde_json::from_slice(&std::fs::read(lab::dir().join("lab.json")).unwrap()).unwrap();
    lab["hosts"][host]["direct"].as_str().unwrap().to_owned()
}

/// The status and the body of a page that the proxy serves for a host name.
fn get(host: &str, path: &str) -> (u16, String) {
    get_at(0, host, path)
}

fn get_at(number: usize, host: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect((address_of(number), 80)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.trim().to_owned())
}

fn clean(world: &World, containers: &[&str]) {
    route(world, None, &[], &[]).unwrap();
    containers.iter().for_each(|name| world.stop(name).unwrap());
    world.remove(containers, &[&world.image]).unwrap();
    lab::docker_ok(&world.host.name, &["network", "rm", &world.project.name]);
}

#[test]
fn requests_are_led_to_containers_and_to_others_later() {
    let world = world("route", HOST);
    let page = format!("{}.test", world.project.name);
    let one = serve(&world, "one");
    route(&world, Some(rule(&world, json!({}))), &[&one], &[]).unwrap();
    assert_eq!(get(&page, "/"), (200, "one".into()));
    assert_eq!(get("nobody.test", "/"), (404, "404 Not Found".into()));
    let proxy = seen(&world);
    assert!(proxy.settled, "{proxy:?}");
    assert_eq!(proxy.route("web").unwrap().containers, std::slice::from_ref(&one));

    let two = serve(&world, "two");
    let changed = rule(&world, json!({ "headers": { "X-A": "b" } }));
    route(&world, Some(changed.clone()), &[&two], &[&one]).unwrap();
    assert_eq!(get(&page, "/"), (200, "two".into()));
    assert_eq!(*seen(&world).route("web").unwrap().rule, changed);
    route(&world, Some(changed), &[&two], &[&one]).unwrap();

    route(&world, None, &[], &[]).unwrap();
    assert_eq!(get(&page, "/").0, 404);
    assert_eq!(seen(&world).route("web"), None);
    clean(&world, &[&one, &two]);
}

#[test]
fn a_user_who_is_not_root_can_do_it_too_and_nobody_takes_what_is_anothers() {
    let (first, second) = (world("route-first", HOST), world("route-second", "deploy@h1"));
    let (one, two) = (serve(&first, "one"), serve(&second, "two"));
    route(&first, Some(rule(&first, json!({}))), &[&one], &[]).unwrap();
    route(&second, Some(rule(&second, json!({}))), &[&two], &[]).unwrap();
    let page = |world: &World| get(&format!("{}.test", world.project.name), "/");
    assert_eq!((page(&first), page(&second)), ((200, "one".into()), (200, "two".into())));
    let theirs = rule(&first, json!({ "network": second.project.name }));
    let failure = route(&second, Some(theirs), &[&two], &[]).unwrap_err();
    let expected = format!("{0}.test leads to service `web` of project `{0}`", first.project.name);
    assert_eq!(failure.message, expected);
    assert_eq!(page(&second), (200, "two".into()));
    assert!(seen(&second).claims.iter().any(|claim| claim.project == first.project.name));
    clean(&first, &[&one]);
    assert_eq!(page(&second), (200, "two".into()));
    clean(&second, &[&two]);
}
