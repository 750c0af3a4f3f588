//! Random projects with a random past. Pure.

use proptest::prelude::*;
use proptest::sample::select;

use super::kit::{Case, case, ports, route, text, volume};
use super::sim::{Sim, containers, interleaving, running};
use crate::config::{
    Amount, Count, Image, Job, JobOf, MountMode, Route, RunOn, Service, Unreachable, Update, When,
};
use crate::inventory::Selection;
use crate::observed::{HostState, Observed};
use crate::plan::Plan;
use cloudpad_plugin_api::PushScope;
use cloudpad_plugin_api::stage::deploy::State;

const HOSTS: [&str; 4] = ["h1", "h2", "h3", "h4"];
const SERVICES: [&str; 3] = ["a", "b", "c"];

/// A service as it is wanted at one time.
#[derive(Clone, Debug)]
struct Wish {
    present: bool,
    count: Count,
    role: Option<&'static str>,
    ports: Option<(u16, u16)>,
    data: Option<MountMode>,
    update: Update,
    version: u8,
    env: u8,
    protected: bool,
    /// A variant of its route.
    route: Option<u8>,
}

/// A project as it is wanted at one time.
#[derive(Clone, Debug)]
struct Wishes {
    services: Vec<Wish>,
    roles: Vec<&'static str>,
    batch: Amount,
    min: Amount,
    keep: u32,
    shared: bool,
    job: Option<(When, RunOn, Vec<&'static str>)>,
}

/// What happens behind everybody's back: to which container, and what.
type Mishap = (prop::sample::Index, State);

/// How a deploy went: how many of its actions were done (in 256ths), in which order, what happened after.
type Past = (Wishes, u8, Vec<u8>, Vec<Mishap>);

/// A project with its goal, and the hosts as they are in truth.
#[derive(Clone)]
pub struct World {
    /// What is known: a host may be out of sight.
    pub case: Case,
    /// What is so.
    pub truth: Observed,
}

impl std::fmt::Debug for World {
    /// What a failing test shows: the wishes, the hosts and the plan, each in a few lines.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Case { config, goal, .. } = &self.case;
        writeln!(f, "{:?} {:?} {:?}", config.deploy, goal.select, goal.push_scope)?;
        for (name, s) in &config.services {
            let (count, roles, update) = (&s.count, &s.roles, &s.update);
            writeln!(f, "{name}: {count:?} {roles:?} {update:?} {:?} {:?}", s.ports, s.volumes)?;
        }
        for host in &config.hosts {
            writeln!(f, "{} {:?}", host.name, host.roles)?;
            for c in containers(&self.truth.hosts[&host.name]) {
                writeln!(f, "  {} {:?} {:?}", c.name, c.state, c.spec.as_ref().map(|spec| &spec.ports))?;
            }
        }
        match self.case.try_plan() {
            Ok(plan) => f.write_str(&text(&plan)),
            Err(problems) => write!(f, "{problems:?}"),
        }
    }
}

fn wish() -> impl Strategy<Value = Wish> {
    let count = prop_oneof![(1..=2u32).prop_map(Count::PerHost), (0..=5u32).prop_map(Count::Replicas)];
    let role = prop_oneof![3 => Just(None), 1 => Just(Some("x")), 1 => Just(Some("y"))];
    let range = prop_oneof![3 => Just(None), 2 => (0..3u16, 6..8u16).prop_map(Some)];
    let data = prop_oneof![
        4 => Just(None),
        1 => Just(Some(MountMode::Exclusive)),
        1 => Just(Some(MountMode::Shared)),
    ];
    let update = select(vec![Update::Auto, Update::Auto, Update::StartFirst, Update::StopFirst]);
    let flags = (prop::bool::weighted(0.8), prop::bool::weighted(0.2));
    let route = prop::option::of(0..2u8);
    (flags, count, role, range, data, update, (1..3u8, 0..3u8), route).prop_map(
        |((present, protected), count, role, ports, data, update, (version, env), route)| {
            let forced = ports.is_some() || data == Some(MountMode::Exclusive);
            let update = if forced && update == Update::StartFirst { Update::Auto } else { update };
            Wish { present, count, role, ports, data, update, version, env, protected, route }
        },
    )
}

fn wishes() -> impl Strategy<Value = Wishes> {
    let amount = || prop_oneof![(0..3u32).prop_map(Amount::Count), (0..=60u32).prop_map(Amount::Percent)];
    let services = prop::collection::vec(wish(), SERVICES.len());
    let roles = prop::collection::vec(select(vec!["x", "y"]), HOSTS.len());
    let when = select(vec![When::Before, When::After]);
    // A job with the image of `a` runs before that, and may depend on the others.
    let needs = prop::sample::subsequence(vec!["b", "c"], 0..=2);
    let job = prop::option::weighted(0.4, (when, select(vec![RunOn::Once, RunOn::PerHost]), needs));
    (services, roles, amount(), amount(), 0..3u32, any::<bool>(), job).prop_map(
        |(services, roles, batch, min, keep, shared, job)| Wishes {
            services,
            roles,
            batch,
            min,
            keep,
            shared,
            job,
        },
    )
}

fn selection() -> impl Strategy<Value = Selection> {
    let one = |names: &'static [&'static str]| select(names.to_vec()).prop_map(|name| vec![name.to_owned()]);
    let narrow =
        (one(&SERVICES[..]), one(&HOSTS[..]), 0..3u8).prop_map(|(services, hosts, which)| match which {
            0 => Selection { services, ..Selection::default() },
            1 => Selection { hosts, ..Selection::default() },
            _ => Selection { services, hosts, ..Selection::default() },
        });
    prop_oneof![3 => Just(Selection::default()), 1 => narrow]
}

fn past() -> impl Strategy<Value = Past> {
    let states = vec![State::Stopped, State::Unhealthy, State::Starting, State::Restarting];
    let mishaps = prop::collection::vec((any::<prop::sample::Index>(), select(states)), 0..3);
    let far = prop_oneof![2 => Just(u8::MAX), 1 => any::<u8>()];
    (wishes(), far, prop::collection::vec(any::<u8>(), 16), mishaps)
}

/// A project after a few deploys, some of them interrupted, and with new wishes.
pub fn world() -> impl Strategy<Value = World> {
    let pasts = prop::collection::vec(past(), 0..3);
    let hidden = prop::option::weighted(0.15, 0..HOSTS.len());
    let remember = prop::bool::weighted(0.8);
    (1..=HOSTS.len(), pasts, wishes(), selection(), hidden, remember).prop_map(
        |(hosts, pasts, now, select, hidden, remember)| {
            let mut case = case();
            case.config.hosts.clear();
            case.observed.hosts.clear();
            HOSTS[..hosts].iter().for_each(|host| case.host(host, &[]));
            HOSTS[..hosts].iter().for_each(|host| case.seen(host).proxy = Some(Box::default()));
            HOSTS[..hosts].iter().step_by(2).for_each(|host| case.seen(host).creates = true);
            HOSTS[..hosts]
                .iter()
                .filter(|_| remember)
                .for_each(|host| case.seen(host).releases = Some(Vec::new()));
            for (number, (wishes, far, order, mishaps)) in pasts.into_iter().enumerate() {
                case.goal.release = format!("r{number}");
                wish_for(&mut case, &wishes);
                if let Ok(plan) = case.try_plan() {
                    case.observed = carry_out(&case, &plan, far, &order);
                }
                mishaps.iter().for_each(|mishap| befall(&mut case.observed, mishap));
            }
            case.goal.release = "r9".into();
            wish_for(&mut case, &now);
            case.goal.select = select;
            let truth = case.observed.clone();
            if let Some(host) = hidden.filter(|&host| host < hosts) {
                case.config.deploy.unreachable = Unreachable::Skip;
                case.unseen(HOSTS[host]);
            }
            World { case, truth }
        },
    )
}

fn wish_for(case: &mut Case, wishes: &Wishes) {
    for (host, role) in case.config.hosts.iter_mut().zip(&wishes.roles) {
        host.roles = vec![(*role).to_owned()];
    }
    let policy = &mut case.config.deploy;
    (policy.batch, policy.min_healthy, policy.keep) = (wishes.batch, wishes.min, wishes.keep);
    case.goal.push_scope = if wishes.shared { PushScope::Shared } else { PushScope::Host };
    case.config.services.clear();
    case.config.jobs.clear();
    if let Some((when, run, needs)) = &wishes.job {
        let needs = needs.iter().filter(|_| *when == When::Before).map(|name| (*name).to_owned());
        let (of, run) = (JobOf::Image("a".into()), *run);
        let job = Job { of, run, depends_on: needs.collect(), ..super::jobs::job(*when) };
        case.config.jobs.insert("j".into(), job);
    }
    for (name, wish) in SERVICES.iter().zip(&wishes.services) {
        if *name == "c" {
            // Not built: an image that hosts pull themselves.
            let reference = format!("registry.test/c:{}", wish.version);
            case.config.images.insert("c".into(), Image::Ready { reference });
        } else {
            case.image(name, &format!("v{}", wish.version));
        }
        if wish.present {
            case.service(name, |service| grant(service, wish));
        }
    }
}

fn grant(service: &mut Service, wish: &Wish) {
    service.count = wish.count;
    service.roles = wish.role.iter().map(|role| (*role).to_owned()).collect();
    // All services draw from the same few ports, so that they take over each other's.
    service.ports =
        wish.ports.iter().map(|(from, len)| ports(8000 + from * 4, 8000 + from * 4 + len)).collect();
    service.volumes = wish.data.iter().map(|mode| volume(&service.image, *mode)).collect();
    service.update = wish.update;
    service.protected = wish.protected;
    service.env.insert("ENV".into(), wish.env.to_string());
    let path = |variant| format!("/{}/{variant}", service.image);
    service.route = wish.route.map(|variant| Route { path: Some(path(variant)), ..route() });
}

fn carry_out(case: &Case, plan: &Plan, far: u8, order: &[u8]) -> Observed {
    let order = interleaving(plan, order);
    let count = order.len() * (usize::from(far) + 1) / 256;
    let mut sim = Sim::new(case);
    for id in &order[..count] {
        sim.apply(&plan.actions[*id as usize]).unwrap();
    }
    sim.observed
}

fn befall(observed: &mut Observed, (which, state): &Mishap) {
    let up = running(observed);
    if up.is_empty() {
        return;
    }
    let (host, name) = which.get(&up.into_iter().collect::<Vec<_>>()).clone();
    let Some(HostState::Seen(seen)) = observed.hosts.get_mut(&host) else { return };
    seen.containers.iter_mut().filter(|c| c.name == name).for_each(|c| c.state = *state);
    if !state.is_up() {
        seen.ports.retain(|held| held.container != name);
    }
}
