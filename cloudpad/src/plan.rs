//! The decision: from what is wanted and what was seen to a graph of actions. Pure.
//!
//! In the order in which it is used: [`scope`] says what a goal is about; [`resolves`],
//! [`prepares`], [`look_images`] and [`look_hosts`] are the questions to ask before a plan can be made; [`plan`]
//! makes it; [`queue`] says what may run next; [`undo`] makes the plan that brings back what ran
//! before. [`look_for_room`] and [`room`] are about the hosts' disks. [`SavedPlan`] keeps one for later.
//!
//! Inside, a plan takes shape in these steps: `place` (which instance belongs where), `decide` (what
//! has to happen to each), `protect` (what may not), `contest` and `claims` (what is in each other's way), `jobs` (what runs once with it), `pace` (how many at once),
//! `window` (what waits for what),
//! `rollout`, `routing` (with `rule`), `stock` and `supply` (the actions), `retain` (what is removed in the end), `graph` (their order).

mod about;
mod asked;
mod back;
mod claims;
mod cluster;
mod contest;
mod decide;
mod deploy;
mod deployed;
mod further;
mod graph;
mod hooks;
mod hosts;
mod jobs;
mod keep;
mod left_behind;
mod look;
mod maintenance;
mod model;
mod needs;
mod nowhere;
mod obstacle;
mod one_offs;
mod pace;
pub mod past;
mod pins;
mod place;
mod presence;
mod protect;
mod proxies;
mod prune;
mod publication;
pub mod queue;
mod record;
mod reference;
mod remove;
mod restart;
mod restore;
mod retain;
mod rollout;
mod room;
mod routing;
mod rule;
mod saved;
mod scale;
mod scope;
mod secrets;
mod sight;
mod spec;
mod start;
mod stock;
mod stop;
mod supply;
#[cfg(test)]
mod tests;
mod twins;
mod undo;
mod unit;
mod values;
mod window;

use std::collections::BTreeSet;

use cloudpad_plugin_api::model::{Health, Instance};
use cloudpad_plugin_api::stage::deploy::{Container, State};
use cloudpad_plugin_api::{PushScope, Request};

use crate::config::{Config, Image, Problem};
use crate::inventory::Inventory;
use crate::observed::Observed;
use decide::Decide;
use graph::Graph;
use hosts::HostSet;
use sight::Sight;
use supply::Supply;
use unit::Which;

pub use asked::Asked;
pub use back::{look_back_for_secrets, obstacles};
pub use cluster::{
    CLUSTER, Tried, ahead as cluster_ahead, back as cluster_back, release_name, remove_from, review,
    scale_in, secrets_of,
};
pub(crate) use graph::open_images;
pub use hooks::Hook;
pub use jobs::{has_image, job_hosts, job_image, job_secrets, job_service, job_spec};
pub use keep::{Fate, Judged, judged, prune_registry, repositories};
pub use look::{
    Also, look_host, look_hosts, look_images, look_secrets, prepares, repository, resolves, unknown_secret,
    unknown_secrets,
};
pub use maintenance::{in_maintenance, maintenance};
pub use model::*;
pub use needs::{Needs, Uses};
pub use pins::{look_pins, pins};
pub use protect::{Held, protected};
pub use proxies::down as proxy_down;
pub use prune::prune;
pub use publication::publish;
pub use remove::{left_in_registry, remove};
pub use restart::restart;
pub use room::{look_for_room, room};
pub use saved::{SavedPlan, Seen, SeenContainer, SeenHost, seen};
pub use scale::scale;
pub use scope::{Scope, scope, scope_of_left};
pub use secrets::secrets;
pub use start::start;
pub use stop::stop;
pub use undo::{Failed, undo};

/// Decides what is to be done.
///
/// # Errors
/// Everything that cannot be carried out. Nothing has been touched then.
pub fn plan(
    config: &Config,
    inventory: &Inventory,
    observed: &Observed,
    goal: &Goal,
) -> Result<Plan, Vec<Problem>> {
    let mut plan = make(config, inventory, observed, goal)?;
    plan.notes.extend(further::note((config, inventory), observed, goal, &plan));
    plan.hooks = hooks::hooks(config, goal.until, &plan.actions);
    Ok(plan)
}

fn make(
    config: &Config,
    inventory: &Inventory,
    observed: &Observed,
    goal: &Goal,
) -> Result<Plan, Vec<Problem>> {
    let scope = scope(config, inventory, &goal.select)?;
    let mut problems = match goal.restore {
        None => unknown_images(config, observed, &scope),
        Some(_) => Vec::new(),
    };
    let mut supply = Supply::new(config, inventory, observed, goal);
    if goal.until == Until::Build {
        return finish(problems, || Ok(build(&scope, &mut supply)));
    }
    if let Some(seen) = observed.cluster.as_deref() {
        let basis = cluster::Basis { config, scope: &scope, observed, seen, goal };
        return finish(problems, || cluster::plan(&basis, &mut supply));
    }
    problems.extend(scope::empty(config, inventory));
    let sight = Sight::new(inventory, observed);
    let needed = hosts::needed(goal, &scope);
    let seen = (observed, &sight);
    let (hosts, notes) = hosts::hosts((config, inventory, &needed), seen, &scope, &mut problems);
    let secrets = &observed.secrets;
    // Who goes back is in a hurry, and may well do so because of what fails.
    let mends = goal.restore.is_none();
    let decide = Decide { config, inventory, goal, secrets, scope: &scope, sight: &sight, mends, hosts };
    if goal.restore.is_none() {
        problems.extend(platforms(&decide));
    }
    let mut plan = finish(problems, || match goal.until {
        Until::Push => Ok(push(&decide, &mut supply)),
        _ => deploy::deploy(&decide, &mut supply),
    })?;
    let problems = unaskable(&decide, &plan);
    if !problems.is_empty() {
        return Err(problems);
    }
    plan.notes.splice(0..0, notes);
    plan.notes.extend(twins::notes(inventory, &sight));
    if goal.restore.is_none() {
        plan.notes.extend(pins::notes(observed));
    }
    let ailing = ailing(&decide, &plan);
    plan.notes.extend(ailing);
    Ok(plan)
}

/// Hosts on which the plan would ask containers whether they serve, and that let nobody connect to them.
fn unaskable(decide: &Decide<'_>, plan: &Plan) -> Vec<Problem> {
    let asked = plan.actions.iter().filter(|action| match &action.request {
        Request::DeployReady(ready) => ready.health.as_ref().is_some_and(Health::needs_connection),
        _ => false,
    });
    let hosts: BTreeSet<&str> = asked.filter_map(|action| action.host.as_deref()).collect();
    let problem = |host: &str| {
        let why = decide.sight.host(decide.inventory.index(host)?)?.seen.no_connections.as_ref()?;
        let message = format!("containers on `{host}` cannot be asked whether they serve: {why}");
        let allow = why.hint.iter().map(|hint| format!("{hint}, or "));
        let hint = allow.chain(["use a health check by command, which the host's engine runs".to_owned()]);
        Some(Problem::at_key(decide.inventory.key(host), message).hint(hint.collect::<String>()))
    };
    hosts.into_iter().filter_map(problem).collect()
}

/// Containers that are as they should be but do not do well, and stay: that has to be said.
fn ailing(decide: &Decide<'_>, plan: &Plan) -> Vec<Note> {
    let mut ailing = Vec::new();
    for index in decide.hosts.iter() {
        let Some(sight) = decide.sight.host(index) else { continue };
        let host = decide.inventory.hosts()[index].name.as_str();
        for container in &sight.seen.containers {
            let renamed = || renamed(container, decide.config);
            let what = match container.state {
                State::Paused => {
                    let instance = &container.instance;
                    Some(format!("is paused; `cloudpad restart {instance} --host {host}` lets it go on"))
                }
                State::Unhealthy => Some(ailment(container)),
                State::Restarting => Some("keeps ending, and is started again".to_owned()),
                _ => renamed().map(|name| format!("was renamed: it was `{name}`")),
            };
            if decide.scope.covers(&container.instance.service, decide.config) {
                ailing.extend(what.map(|what| (host, container.name.as_str(), what)));
            }
        }
    }
    if ailing.is_empty() {
        return Vec::new();
    }
    let stopped: BTreeSet<_> = plan.actions.iter().filter_map(stopped).collect();
    ailing.retain(|(host, name, _)| !stopped.contains(&(host, name)));
    let note =
        |(host, name, what)| Note { incomplete: false, message: format!("`{name}` on `{host}` {what}") };
    ailing.into_iter().map(note).collect()
}

/// What is wrong with a container that is not well.
fn ailment(container: &Container) -> String {
    let is_checked = container.spec.as_ref().is_none_or(|spec| spec.health.is_some());
    match (&container.status.reason, is_checked) {
        _ if container.state == State::Paused => "is paused".to_owned(),
        (None, _) => "fails its health check".to_owned(),
        (Some(reason), true) => format!("fails its health check: {reason}"),
        (Some(reason), false) => format!("is not well: {reason}"),
    }
}

/// The name that a container had before somebody has given it another.
fn renamed(container: &Container, config: &Config) -> Option<String> {
    // One without an identity was added by somebody else, as a deploy finds out by itself.
    let id = container.spec_id.get(..8).filter(|id| !container.name.ends_with(id))?;
    let Instance { service, number } = &container.instance;
    let which = Which { service, number: *number };
    container.state.is_up().then(|| spec::container_name(&config.project, which, id))
}

/// The host and the name of the container that an action stops.
fn stopped(action: &Action) -> Option<(&str, &str)> {
    match &action.request {
        Request::DeployStop(stop) => Some((&stop.host.name, &stop.container.name)),
        _ => None,
    }
}

fn finish(
    problems: Vec<Problem>,
    make: impl FnOnce() -> Result<Plan, Vec<Problem>>,
) -> Result<Plan, Vec<Problem>> {
    if problems.is_empty() { make() } else { Err(problems) }
}

/// Images of which it is not known what goes into them, or whence.
fn unknown_images(config: &Config, observed: &Observed, scope: &Scope) -> Vec<Problem> {
    let is_known = |name: &String| match config.images.get(name) {
        Some(Image::Built(image)) => observed
            .images
            .get(name)
            .is_some_and(|state| state.built || observed.sources.contains_key(&image.source)),
        Some(Image::Ready { .. }) => true,
        None => false,
    };
    let unknown = scope.images.iter().filter(|name| !is_known(name));
    unknown.map(|name| Problem::new(format!("it is not known what goes into the image `{name}`"))).collect()
}

fn build(scope: &Scope, supply: &mut Supply<'_>) -> Plan {
    let mut graph = Graph::default();
    for image in supply.named(&scope.images) {
        supply.build(&mut graph, image);
    }
    plan_of(graph)
}

fn push<'a>(decide: &Decide<'a>, supply: &mut Supply<'a>) -> Plan {
    let mut graph = Graph::default();
    let services = decide.config.services.iter();
    let services = services.filter(|(name, _)| decide.scope.services.contains_key(*name));
    let needs = services.map(|(name, service)| {
        let hosts: HostSet = decide.places(name, service).into_iter().map(|(host, _)| host).collect();
        (service.image.as_str(), hosts)
    });
    for (image, hosts) in needs.chain(jobs::images(decide)) {
        if !matches!(decide.config.images.get(image), Some(Image::Built(_))) {
            continue;
        }
        if decide.goal.push_scope == PushScope::Shared {
            supply.push_shared(&mut graph, image);
            continue;
        }
        for index in hosts.iter().filter(|&index| decide.hosts.contains(index)) {
            if let Some(sight) = decide.sight.host(index) {
                supply.push_to(&mut graph, image, (index, sight));
            }
        }
    }
    plan_of(graph)
}

/// A plan of actions that are added in the order of their needs.
fn plan_of(graph: Graph) -> Plan {
    Plan { actions: graph.finish().unwrap_or_default(), ..Plan::default() }
}

/// Images that are built for platforms, and hosts which are none of them.
fn platforms(decide: &Decide<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, eligible) in &decide.scope.services {
        let service = &decide.config.services[name];
        let Some(Image::Built(image)) = decide.config.images.get(&service.image) else { continue };
        if image.platforms.is_empty() {
            continue;
        }
        for &index in eligible.iter().filter(|&&index| decide.hosts.contains(index)) {
            let Some(host) = decide.sight.host(index) else { continue };
            let platform = &host.seen.engine.platform;
            if platform.is_empty() || image.platforms.iter().any(|p| same_platform(p, platform)) {
                continue;
            }
            let (image, host) = (&service.image, &decide.inventory.hosts()[index].name);
            let message = format!("image `{image}` is not built for `{platform}`, which host `{host}` is");
            let problem = Problem::at_key(format!("images.{image}.platforms"), message);
            problems.push(problem.hint(format!("add `{platform}`, or keep `{name}` away from that host")));
        }
    }
    problems
}

/// `linux/arm64` is `linux/arm64/v8`, and a host does not always say its variant.
fn same_platform(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.splitn(3, '/'), b.splitn(3, '/'));
    let same_kind = a.by_ref().take(2).eq(b.by_ref().take(2));
    same_kind && a.next().zip(b.next()).is_none_or(|(a, b)| a == b)
}
