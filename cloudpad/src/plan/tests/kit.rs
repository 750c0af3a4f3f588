//! What tests are written with: a small project, a look at its hosts, and a plan as text. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cloudpad_plugin_api::model::{Host, Project, Protocol, Restart};
use cloudpad_plugin_api::stage::build::ImageState;
use cloudpad_plugin_api::stage::deploy::{Engine, Observation, Proxy};
use cloudpad_plugin_api::stage::source::{Location, Resolved};
use cloudpad_plugin_api::{Failure, FailureKind, PushScope, Stage};

use crate::config::{
    Amount, BuildImage, Config, Count, Hooks, Image, Mount, MountMode, MountSource, OnFailure, Places,
    Policy, PortRange, Problem, ProxyChoice, Route, Service, Source, Unreachable, Update,
};
use crate::inventory::{Inventory, Selection};
use crate::observed::{HostState, Observed};
use crate::plan::{self, ChangeKind, Goal, Origin, Plan, Until};

/// A project with its hosts, and what was seen of it.
#[derive(Clone, Debug)]
pub struct Case {
    pub config: Config,
    pub observed: Observed,
    pub goal: Goal,
}

/// Three empty hosts `h1`, `h2`, `h3` and the service `web`, one on each of them, start-first.
pub fn case() -> Case {
    let mut case = Case { config: config(), observed: Observed::default(), goal: goal() };
    for name in ["h1", "h2", "h3"] {
        case.host(name, &[]);
    }
    case.observed.sources.insert(Config::HERE.into(), resolved(Config::HERE));
    case.image("web", "v1");
    case.service("web", |_| {});
    case
}

impl Case {
    pub fn host(&mut self, name: &str, roles: &[&str]) {
        let mut host = Host::new(name, format!("{name}.test"));
        host.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.config.hosts.push(host);
        let engine = Engine { platform: "linux/amd64".into(), ..Engine::default() };
        let seen = Observation { engine, ..Observation::default() };
        self.observed.hosts.insert(name.into(), HostState::Seen(seen));
    }

    /// An image that is built from the project's directory, whose content is `tag`.
    pub fn image(&mut self, name: &str, tag: &str) {
        self.config.images.entry(name.into()).or_insert_with(|| Image::Built(Box::new(build_image())));
        let reference = format!("shop.{name}:{tag}");
        let state = ImageState { name: name.into(), reference, ..ImageState::default() };
        self.observed.images.insert(name.into(), state);
    }

    /// A service on every host, made from the image of its name.
    pub fn service(&mut self, name: &str, change: impl FnOnce(&mut Service)) {
        let service = self.config.services.entry(name.into()).or_insert_with(|| service(name));
        change(service);
    }

    pub fn seen(&mut self, host: &str) -> &mut Observation {
        match self.observed.hosts.get_mut(host) {
            Some(HostState::Seen(seen)) => seen,
            other => panic!("{host} is not seen: {other:?}"),
        }
    }

    pub fn unseen(&mut self, host: &str) {
        let failure = Failure::new(FailureKind::Unreachable, format!("no route to `{host}`"));
        self.observed.hosts.insert(host.into(), HostState::Unseen(failure));
    }

    pub fn inventory(&self) -> Inventory {
        Inventory::new(&self.config.hosts, Default::default()).unwrap()
    }

    pub fn try_plan(&self) -> Result<Plan, Vec<Problem>> {
        plan::plan(&self.config, &self.inventory(), &self.observed, &self.goal)
    }

    pub fn plan(&self) -> Plan {
        self.try_plan().unwrap_or_else(|problems| panic!("{problems:#?}"))
    }

    /// The messages of the problems that keep a plan from being made.
    pub fn problems(&self) -> Vec<String> {
        let problems = self.try_plan().map(|plan| text(&plan)).expect_err("a plan was made");
        problems.into_iter().map(|problem| problem.message).collect()
    }

    /// Plans, and carries the plan out in its own order.
    pub fn deploy(&mut self) -> Plan {
        let plan = self.plan();
        let mut sim = super::sim::Sim::new(self);
        for action in &plan.actions {
            sim.apply(action).unwrap();
        }
        self.observed = sim.observed;
        plan
    }
}

fn config() -> Config {
    let here = Source { location: Location::Directory { path: "/shop".into() }, prepare: Vec::new() };
    Config {
        project: Project { name: "shop".into(), environment: None }.into(),
        stages: BTreeMap::<Stage, _>::new(),
        plugins: BTreeMap::new(),
        hosts: Vec::new(),
        sources: BTreeMap::from([(Config::HERE.to_owned(), here)]),
        images: BTreeMap::new(),
        services: BTreeMap::new(),
        jobs: BTreeMap::new(),
        deploy: Policy {
            batch: Amount::Count(1),
            min_healthy: Amount::Count(0),
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

fn goal() -> Goal {
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

pub fn build_image() -> BuildImage {
    BuildImage {
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
    }
}

pub fn service(image: &str) -> Service {
    Service {
        image: image.into(),
        roles: Vec::new(),
        hosts: Vec::new(),
        count: Count::PerHost(1),
        command: None,
        env: BTreeMap::new(),
        secrets: BTreeMap::new(),
        ports: Vec::new(),
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

/// A route of all requests to port 80.
pub fn route() -> Route {
    Route {
        hosts: Vec::new(),
        path: None,
        port: 80,
        health: None,
        tls: None,
        redirect: false,
        timeout_ms: None,
        max_body: None,
        sticky: false,
        headers: BTreeMap::new(),
    }
}

pub fn ports(first: u16, last: u16) -> PortRange {
    PortRange { ip: None, first, last, container: 80, protocol: Protocol::Tcp }
}

pub fn volume(name: &str, mode: MountMode) -> Mount {
    Mount { source: MountSource::Volume(name.into()), target: "/data".into(), mode }
}

/// What a source stands for.
pub fn resolved(name: &str) -> Resolved {
    Resolved {
        name: name.into(),
        revision: Some("r1".into()),
        dirty: false,
        path: "/shop".into(),
        pinned: true,
    }
}

/// A plan as a reader would tell it: changes, then each action with what it needs. Spec ids are
/// numbered by their first appearance.
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    for change in &plan.changes {
        let kind = match change.kind {
            ChangeKind::Create => "create",
            ChangeKind::ReplaceStartFirst => "start-first",
            ChangeKind::ReplaceStopFirst => "stop-first",
            ChangeKind::Start => "start",
            ChangeKind::Remove => "remove",
            ChangeKind::Stop => "stop",
            ChangeKind::Restart => "restart",
            ChangeKind::Adjust => "adjust",
            ChangeKind::Await => "await",
        };
        _ = writeln!(out, "{kind} {} on {} {}", change.instance, change.host, change.why.join(" "));
    }
    let mut ids = BTreeMap::new();
    for action in &plan.actions {
        let needs: Vec<String> = action.needs.iter().map(ToString::to_string).collect();
        let needs = if needs.is_empty() { String::new() } else { format!(" < {}", needs.join(" ")) };
        _ = writeln!(out, "{} {}{needs}", action.id, short(&action.key, &mut ids));
    }
    for note in &plan.notes {
        _ = writeln!(out, "{}note: {}", if note.incomplete { "incomplete, " } else { "" }, note.message);
    }
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn short(key: &str, ids: &mut BTreeMap<String, usize>) -> String {
    match key.rsplit_once('-') {
        Some((head, id)) if id.len() == 8 && id.chars().all(|c| c.is_ascii_hexdigit()) => {
            let next = ids.len() + 1;
            format!("{head}-#{}", ids.entry(id.to_owned()).or_insert(next))
        }
        _ => key.to_owned(),
    }
}

/// Compares a plan with its text; how far that is indented does not matter.
#[track_caller]
pub fn check(plan: &Plan, expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(text(plan), expected.join("\n"));
}
