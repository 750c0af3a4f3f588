//! What a plan has each host remember of its release. Pure.
//!
//! It is the last thing that is done before hosts are tidied up, once all that the plan changes is done on every host:
//! what has failed or was undone is no release. And it is done wherever what is to run is not what the host remembers
//! as that, so that a deploy makes good what an earlier one could not have remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{ContainerSpec, Instance};
use cloudpad_plugin_api::stage::deploy::{About, Record, Recorded, Release, Rule};

use super::decide::Decide;
use super::graph::Graph;
use super::past;
use super::presence;
use super::routing::Led;
use super::rule;
use super::sight::{self, HostSight, Sighted};
use super::spec::Wanted;
use super::supply::Supply;
use super::unit::{Rollout, Which};

/// What a host will remember.
pub(super) struct Memory<'a> {
    /// This plan's release, where it is one there.
    pub(super) new: Option<Arc<Release>>,
    pub(super) kept: Vec<&'a Release>,
    pub(super) forgotten: Vec<&'a Release>,
}

impl Memory<'_> {
    /// Whether a container is one of a release that the host will remember.
    pub(super) fn has(&self, container: &Sighted<'_>) -> bool {
        let is_it = |one: &Recorded| {
            one.spec_id == container.spec_id
                && one.instance.number == container.which.number
                && one.instance.service == container.which.service
        };
        let mut releases = self.kept.iter().copied().chain(self.new.as_deref());
        releases.any(|release| release.containers.iter().any(is_it))
    }
}

/// The routes that there are to be on a host, by service.
type Routes<'a> = BTreeMap<&'a str, Arc<Rule>>;

/// What there is to be on a host.
#[derive(Default)]
struct State<'a> {
    containers: Vec<Entry<'a>>,
    routes: Routes<'a>,
}

/// A container that is to run.
struct Entry<'a> {
    which: Which<'a>,
    spec_id: Rc<str>,
    spec: Option<Arc<ContainerSpec>>,
}

/// Where a container is to run, and what it is to be.
type Wish<'a> = (usize, Which<'a>, Rc<Wanted<'a>>);

/// Takes from rollouts what is to run in the end.
pub(super) fn wanted<'a>(rollouts: &mut [Rollout<'a>]) -> Vec<Wish<'a>> {
    rollouts.iter_mut().flat_map(|rollout| std::mem::take(&mut rollout.wanted)).collect()
}

/// What the hosts will remember that a plan may change, by their place in the inventory; those that remember nothing
/// are not there.
pub(super) fn memories<'a>(
    decide: &Decide<'a>,
    (wanted, routes): (Vec<Wish<'a>>, Led<'a>),
    supply: &Supply<'a>,
) -> BTreeMap<usize, Memory<'a>> {
    let about = &Arc::new(supply.about());
    let remembers = |&index: &usize| decide.sight.host(index).is_some_and(|h| h.seen.releases.is_some());
    let mut states: BTreeMap<usize, State<'a>> =
        decide.hosts.iter().filter(remembers).map(|host| (host, State::default())).collect();
    for (host, which, wanted) in wanted {
        let Some(state) = states.get_mut(&host) else { continue };
        let spec = Some(Arc::clone(&wanted.spec));
        state.containers.push(Entry { which, spec_id: Rc::clone(&wanted.spec_id), spec });
    }
    for ((host, service), rule) in routes {
        states.get_mut(&host).and_then(|state| state.routes.insert(service, rule));
    }
    let memory = |(index, mut state): (usize, State<'a>)| {
        let host = decide.sight.host(index)?;
        let routes = routes_before(host);
        let is_other = |service: &str| !decide.scope.covers(service, decide.config);
        state
            .routes
            .extend(routes.iter().filter(|(service, _)| is_other(service)).map(|(s, r)| (*s, r.clone())));
        add_others(decide, host, &mut state.containers);
        Some((index, remember(decide, (host, &routes), &state, supply, about)))
    };
    let mut memories = states.into_iter().filter_map(memory).collect();
    presence::note(decide, &mut memories);
    memories
}

/// The routes that there are to be on a host so far: as it remembers them, or as they were seen.
fn routes_before<'a>(host: &'a HostSight<'a>) -> Routes<'a> {
    match past::current(host.seen).and_then(|release| release.routes.as_ref()) {
        Some(routes) => routes.iter().map(|(service, rule)| (service.as_str(), Arc::clone(rule))).collect(),
        None => {
            let seen = host.seen.proxy.iter().flat_map(|proxy| &proxy.routes);
            seen.map(|route| (route.service.as_str(), rule::lasting(&route.rule))).collect()
        }
    }
}

/// Adds what is to run there of services that are not meant: as the host remembers it, or as it was seen.
fn add_others<'a>(decide: &Decide<'a>, host: &'a HostSight<'a>, entries: &mut Vec<Entry<'a>>) {
    let is_other = |service: &str| !decide.scope.covers(service, decide.config);
    match past::current(host.seen) {
        Some(release) => {
            let others = release.containers.iter().filter(|old| is_other(&old.instance.service));
            entries.extend(others.map(|old| Entry {
                which: Which { service: &old.instance.service, number: old.instance.number },
                spec_id: old.spec_id.as_str().into(),
                spec: past::spec(release, old).cloned(),
            }));
        }
        None => {
            let others = sight::up(&host.containers).filter(|old| is_other(old.which.service));
            entries.extend(others.map(|old| Entry {
                which: old.which,
                spec_id: old.spec_id.into(),
                spec: old.container.spec.clone(),
            }));
        }
    }
    entries.sort_by_key(|entry| entry.which);
}

fn remember<'a>(
    decide: &Decide<'a>,
    (host, routes): (&'a HostSight<'a>, &Routes<'a>),
    state: &State<'a>,
    supply: &Supply<'a>,
    about: &Arc<About>,
) -> Memory<'a> {
    let mut kept: Vec<&'a Release> = past::known(host.seen).iter().collect();
    let before = past::current(host.seen);
    let entries = &state.containers;
    // Where nothing is remembered and nothing is to run, a route is nobody's.
    if is_so(before, entries) && (before.is_none() || *routes == state.routes) {
        return Memory { new: None, kept, forgotten: Vec::new() };
    }
    let new = Release {
        id: decide.goal.release.clone(),
        about: Arc::clone(about),
        first: before.is_none() && host.containers.is_empty(),
        changed: changed((before, routes), state),
        containers: entries.iter().map(recorded).collect(),
        specs: entries.iter().filter_map(|e| Some((e.spec_id.to_string(), e.spec.clone()?))).collect(),
        images: entries.iter().filter_map(|e| supply.pull_from(&e.spec.as_ref()?.image)).collect(),
        routes: Some(
            state.routes.iter().map(|(service, rule)| ((*service).to_owned(), rule.clone())).collect(),
        ),
        hosts: Arc::default(),
    };
    // One of that id is this one, which is said again.
    kept.retain(|old| old.id != new.id);
    let all: Vec<&Release> = kept.iter().copied().chain([&new]).collect();
    let forgotten = past::surplus(&all, decide.config.deploy.keep).len();
    let later = kept.split_off(forgotten.min(kept.len()));
    Memory { new: Some(Arc::new(new)), kept: later, forgotten: kept }
}

fn recorded(entry: &Entry<'_>) -> Recorded {
    Recorded { instance: entry.which.instance(), spec_id: entry.spec_id.to_string() }
}

/// Whether a host remembers that this is to run there.
fn is_so(before: Option<&Release>, entries: &[Entry<'_>]) -> bool {
    let known = before.map_or(&[][..], |release| &release.containers);
    let same = |(old, entry): (&Recorded, &Entry<'_>)| {
        let Instance { service, number } = &old.instance;
        *service == entry.which.service && *number == entry.which.number && *old.spec_id == *entry.spec_id
    };
    known.len() == entries.len() && known.iter().zip(entries).all(same)
}

/// The services of which something else is to run than before, or to which other requests are led.
fn changed((before, routes): (Option<&Release>, &Routes<'_>), state: &State<'_>) -> Vec<String> {
    type Content<'c> = BTreeSet<(&'c str, u32, &'c str)>;
    let old = before.iter().flat_map(|release| &release.containers);
    let old: Content<'_> =
        old.map(|old| (&*old.instance.service, old.instance.number, &*old.spec_id)).collect();
    let new: Content<'_> =
        state.containers.iter().map(|e| (e.which.service, e.which.number, &*e.spec_id)).collect();
    let names = routes.keys().chain(state.routes.keys()).copied();
    let routes = names.filter(|name| routes.get(name) != state.routes.get(name));
    let services: BTreeSet<&str> =
        old.symmetric_difference(&new).map(|(service, ..)| *service).chain(routes).collect();
    services.into_iter().map(str::to_owned).collect()
}

/// Adds one action for each host that has something to remember. The first of them waits for everything else and the
/// others for it, or there would be very many edges.
pub(super) fn record(graph: &mut Graph, decide: &Decide<'_>, memories: &BTreeMap<usize, Memory<'_>>) {
    let mut gate = None;
    for (&index, memory) in memories {
        let Some(release) = &memory.new else { continue };
        let host = decide.inventory.hosts()[index].clone();
        let request = Request::DeployRecord(Record {
            project: decide.config.project.clone(),
            release: Some(Arc::clone(release)),
            forget: memory.forgotten.iter().map(|old| old.id.clone()).collect(),
            host,
        });
        let needs = gate.map_or_else(|| graph.leaves(), |gate| vec![gate]);
        let key = format!("record/{}", decide.inventory.hosts()[index].name);
        let node = graph.add(key, None, needs, request);
        gate.get_or_insert(node);
    }
}
