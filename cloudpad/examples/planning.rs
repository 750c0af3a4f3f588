//! How long planning takes: `planning HOSTS SERVICES` prints one JSON object with milliseconds of a first
//! deploy, one that changes nothing and one that changes everything. No I/O but that.

use std::collections::BTreeMap;
use std::time::Instant;

use cloudpad::config::{
    Amount, BuildImage, Config, Count, Hooks, Image, OnFailure, Places, Policy, PortRange, ProxyChoice,
    Service, Source, Unreachable, Update,
};
use cloudpad::inventory::{Inventory, Selection};
use cloudpad::observed::{HostState, Observed};
use cloudpad::plan::{Goal, Origin, Plan, Until, plan};
use cloudpad_plugin_api::model::{Host, Project, Protocol, Restart};
use cloudpad_plugin_api::stage::build::ImageState;
use cloudpad_plugin_api::stage::deploy::{Container, Engine, Observation, PortHeld, Proxy, State, Status};
use cloudpad_plugin_api::stage::source::{Location, Resolved};
use cloudpad_plugin_api::{PushScope, Request};

fn main() {
    let mut args = std::env::args().skip(1).filter_map(|arg| arg.parse().ok());
    let (hosts, services) = (args.next().unwrap_or(1000), args.next().unwrap_or(10));
    let mut config = config(hosts, services);
    let mut observed = observed(&config);
    let (first, plan) = timed(&config, &observed);
    let actions = plan.actions.len();
    carry_out(&mut observed, plan);
    let (unchanged, plan) = timed(&config, &observed);
    assert!(plan.is_empty(), "a plan that was carried out leaves nothing to do");
    change(&mut config);
    let (changed, _) = timed(&config, &observed);
    let report = serde_json::json!({
        "hosts": hosts, "services": services, "actions": actions,
        "first_ms": first, "unchanged_ms": unchanged, "changed_ms": changed,
    });
    #[allow(clippy::print_stdout, reason = "that is what it is for")]
    {
        println!("{report}");
    }
}

/// Changes every service.
pub fn change(config: &mut Config) {
    for service in config.services.values_mut() {
        service.env.insert("CHANGED".into(), "1".into());
    }
}

/// What is asked for.
pub fn goal() -> Goal {
    Goal {
        until: Until::Deploy,
        select: Selection::default(),
        release: "r1".into(),
        origin: Origin::default(),
        restore: None,
        push_scope: PushScope::Host,
        cache: "/shop/.cloudpad".into(),
    }
}

/// How long it takes, in milliseconds, and the plan. Once: a run of the program makes one plan, of what it has just read.
fn timed(config: &Config, observed: &Observed) -> (f64, Plan) {
    let inventory = Inventory::new(&config.hosts, Default::default()).unwrap_or_default();
    let goal = goal();
    let begun = Instant::now();
    let plan = plan(config, &inventory, observed, &goal).unwrap_or_default();
    (begun.elapsed().as_secs_f64() * 1000.0, plan)
}

/// A project with that many hosts and services, each service on every host.
pub fn config(hosts: u32, services: u32) -> Config {
    let here = Source { location: Location::Directory { path: "/shop".into() }, prepare: Vec::new() };
    let name = |number: u32| format!("service{number}");
    Config {
        project: Project { name: "shop".into(), environment: None }.into(),
        stages: BTreeMap::new(),
        plugins: BTreeMap::new(),
        hosts: (0..hosts).map(|n| Host::new(format!("host{n}"), format!("host{n}.test"))).collect(),
        sources: BTreeMap::from([(Config::HERE.to_owned(), here)]),
        images: (0..services).map(|n| (name(n), image())).collect(),
        services: (0..services).map(|n| (name(n), service(n))).collect(),
        jobs: BTreeMap::new(),
        deploy: Policy {
            batch: Amount::Percent(25),
            min_healthy: Amount::Percent(50),
            ready_timeout_ms: 60_000,
            settle_ms: 1_000,
            keep: 2,
            on_failure: OnFailure::Rollback,
            unreachable: Unreachable::Refuse,
        },
        hooks: Hooks::default(),
        proxy: ProxyChoice {
            made: Proxy { image: "caddy:1".into(), http_port: 80, https_port: 443 }.into(),
            drain_ms: 30_000,
        },
        places: Places::default(),
    }
}

fn image() -> Image {
    Image::Built(Box::new(BuildImage {
        source: Config::HERE.into(),
        context: ".".into(),
        dockerfile: "Dockerfile".into(),
        target: None,
        args: BTreeMap::new(),
        variables: BTreeMap::new(),
        runit: BTreeMap::new(),
        platforms: Vec::new(),
        secrets: BTreeMap::new(),
        ssh: false,
        labels: BTreeMap::new(),
        cache_from: Vec::new(),
        cache_to: None,
    }))
}

/// Every second service publishes a port.
fn service(number: u32) -> Service {
    let port = 8000 + u16::try_from(number).unwrap_or_default();
    let port = PortRange { ip: None, first: port, last: port, container: 80, protocol: Protocol::Tcp };
    Service {
        image: format!("service{number}"),
        roles: Vec::new(),
        hosts: Vec::new(),
        count: Count::PerHost(1),
        command: None,
        env: (0..5).map(|n| (format!("VARIABLE_{n}"), format!("value {n}"))).collect(),
        secrets: BTreeMap::new(),
        ports: if number.is_multiple_of(2) { vec![port] } else { Vec::new() },
        volumes: Vec::new(),
        networks: Vec::new(),
        health: None,
        stop_timeout: 10,
        stop_signal: None,
        restart: Restart::default(),
        cpu_millis: None,
        memory: None,
        update: Update::Auto,
        protected: false,
        groups: Vec::new(),
        route: None,
        labels: BTreeMap::new(),
    }
}

/// Hosts on which nothing is.
pub fn observed(config: &Config) -> Observed {
    let engine = Engine { platform: "linux/amd64".into(), ..Engine::default() };
    let empty = HostState::Seen(Observation { engine, ..Observation::default() });
    let image = |name: &String| {
        let reference = format!("shop.{name}:v1");
        (name.clone(), ImageState { name: name.clone(), reference, ..ImageState::default() })
    };
    let here = Resolved {
        name: Config::HERE.into(),
        revision: None,
        dirty: false,
        path: "/shop".into(),
        pinned: false,
    };
    Observed {
        pins: BTreeMap::new(),
        secrets: BTreeMap::new(),
        sources: BTreeMap::from([(Config::HERE.to_owned(), here)]),
        images: config.images.keys().map(image).collect(),
        hosts: config.hosts.iter().map(|host| (host.name.clone(), empty.clone())).collect(),
        published: None,
        cluster: None,
    }
}

/// The hosts as they are when the plan's containers serve, each read from JSON as answers are: what is
/// known of a host lies together in memory, and it shares nothing with others nor with the plan.
pub fn carry_out(observed: &mut Observed, plan: Plan) {
    for action in plan.actions {
        let Request::DeployStart(start) = action.request else { continue };
        let Some(HostState::Seen(host)) = observed.hosts.get_mut(&start.host.name) else { continue };
        host.images.push(start.spec.image.clone());
        host.ports.extend(start.spec.ports.iter().map(|port| PortHeld {
            published: port.published,
            protocol: port.protocol,
            host_ip: port.host_ip.clone(),
            container: start.container.clone(),
        }));
        host.containers.push(Container {
            id: format!("{} on {}", start.container, start.host.name),
            name: start.container,
            instance: start.instance,
            release: start.release,
            spec_id: start.spec_id,
            spec: Some(start.spec),
            state: State::Running,
            created: 0,
            status: Status::default(),
        });
    }
    for host in observed.hosts.values_mut() {
        let json = serde_json::to_vec(host).unwrap_or_default();
        *host =
            serde_json::from_slice(&json).unwrap_or_else(|error| panic!("a host is not read back: {error}"));
    }
}
