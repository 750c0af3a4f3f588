//! The plan that brings back what ran before. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{Instance, Project};
use cloudpad_plugin_api::stage::deploy::{Container, Named, Remove, State};

use super::decide::exclusive;
use super::deploy::mark_early;
use super::graph::{Graph, Node};
use super::look::is_of;
use super::rollout::{Roll, named};
use super::sight::{self, HostSight, Sight, serves};
use super::unit::{Loss, New, Pace, Rollout, Unit};
use super::{Action, Change, ChangeKind, Goal, Note, Plan, Scope, claims, pace, scope, spec, stopped};
use crate::config::Config;
use crate::inventory::Inventory;
use crate::observed::{HostState, Observed};

/// Brings back what ran `before` the rollout of `failed`, given what is there `now`.
///
/// It is about the instances whose containers `failed` starts or stops, and no others. Where something
/// runs that neither ran before nor was started by `failed`, somebody else has been there meanwhile:
/// that is left alone, as a note. Hosts that are not in `now` are taken to be as they were.
///
/// What ran then and does not now is started again, in the same order of stops and starts as an
/// update; what was not there then is stopped and removed. It never refuses: where nothing keeps
/// enough instances serving, it goes one by one, and what cannot be brought back is a note.
pub fn undo(
    failed: &Plan,
    before: &Observed,
    now: &Observed,
    config: &Config,
    inventory: &Inventory,
    goal: &Goal,
) -> Plan {
    let Ok(scope) = scope(config, inventory, &goal.select) else { return Plan::default() };
    let undo = Undo {
        config,
        inventory,
        scope: &scope,
        stopped: failed.actions.iter().filter_map(stopped).collect(),
        started: failed.actions.iter().filter_map(started).collect(),
        before: &Sight::new(inventory, before),
        now: &Sight::later(inventory, now, before),
    };
    let mut notes = undo.unseen(now);
    let mut rollouts = undo.rollouts(&mut notes);
    undo.find_blockers(&mut rollouts);
    mark_early(&mut rollouts);
    let order = undo.order(rollouts, false).or_else(|_| {
        // Each waits for the other: then everything that is in the way goes first.
        let mut rollouts = undo.rollouts(&mut Vec::new());
        undo.find_blockers(&mut rollouts);
        undo.order(rollouts, true)
    });
    let (changes, actions) = order.unwrap_or_default();
    Plan { changes, actions, notes }
}

type Ordered = (Vec<Change>, Vec<Action>);

struct Undo<'a, 's> {
    config: &'a Config,
    inventory: &'a Inventory,
    scope: &'s Scope,
    /// The containers that the failed plan starts, by host.
    started: BTreeSet<(&'s str, &'s str)>,
    /// The containers that it stops, by host.
    stopped: BTreeSet<(&'s str, &'s str)>,
    before: &'s Sight<'a>,
    now: &'s Sight<'a>,
}

/// The host and the name of the container that an action starts.
fn started(action: &Action) -> Option<(&str, &str)> {
    match &action.request {
        Request::DeployStart(start) => Some((&start.host.name, &start.container)),
        _ => None,
    }
}

impl<'a> Undo<'a, '_> {
    /// Hosts that have gone out of sight.
    fn unseen(&self, now: &Observed) -> Vec<Note> {
        let note = |&index: &usize| {
            let name = &self.inventory.hosts()[index].name;
            let (Some(_), Some(HostState::Unseen(why))) = (self.before.host(index), now.hosts.get(name))
            else {
                return None;
            };
            let message =
                format!("host `{name}` cannot be looked at, so nothing is brought back there: {why}");
            Some(Note { incomplete: true, message })
        };
        self.scope.hosts.iter().filter_map(note).collect()
    }

    /// What happens to each service, by its name.
    fn rollouts(&self, notes: &mut Vec<Note>) -> Vec<Rollout<'a>> {
        let mut rollouts: BTreeMap<&'a str, Rollout<'a>> = BTreeMap::new();
        for &index in &self.scope.hosts {
            let (Some(before), Some(now)) = (self.before.host(index), self.now.host(index)) else { continue };
            let instances: BTreeSet<(&'a str, u32)> =
                before.copies.keys().chain(now.copies.keys()).copied().collect();
            for (service, number) in instances {
                if self.scope.covers(service, self.config) {
                    let rollout = rollouts.entry(service).or_insert_with(|| self.empty(service));
                    self.instance((index, service, number), (before, now), rollout, notes);
                }
            }
        }
        rollouts.into_values().collect()
    }

    fn empty(&self, service: &'a str) -> Rollout<'a> {
        let policy = &self.config.deploy;
        let whole = self.before.serving(service);
        let of = |amount: crate::config::Amount| amount.of(u32::try_from(whole).unwrap_or(u32::MAX)) as usize;
        let pace = Pace {
            batch: of(policy.batch).max(1),
            min: of(policy.min_healthy).min(whole),
            serving: self.now.serving(service),
        };
        let (units, starting, waits, losses) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Rollout { service, units, starting, waits, losses, pace }
    }

    fn instance(
        &self,
        (host, service, number): (usize, &'a str, u32),
        (before, now): (&HostSight<'a>, &HostSight<'a>),
        rollout: &mut Rollout<'a>,
        notes: &mut Vec<Note>,
    ) {
        let host_name = self.inventory.hosts()[host].name.as_str();
        let copies = now.of(service, number);
        let touched = |c: &&Container| {
            let container = (host_name, c.name.as_str());
            self.started.contains(&container) || self.stopped.contains(&container)
        };
        if !before.of(service, number).iter().chain(copies).any(touched) {
            return;
        }
        let instance = Instance { service: service.to_owned(), number };
        let ran = sight::up(before.of(service, number));
        let runs = sight::up(copies);
        let is_among = |all: &[&Container], c: &Container| all.iter().any(|other| other.name == c.name);
        let missing: Vec<_> = ran.iter().copied().filter(|c| !is_among(&runs, c)).collect();
        let mut stops: Vec<_> = runs.iter().copied().filter(|c| !is_among(&ran, c)).collect();
        if let Some(theirs) = stops.iter().find(|c| !self.started.contains(&(host_name, c.name.as_str()))) {
            let message = format!(
                "`{}` on `{host_name}` was started by somebody else meanwhile, so {instance} is left alone",
                theirs.name
            );
            notes.push(Note { incomplete: true, message });
            return;
        }
        let unit = |start: Option<New<'a>>, ready, stops: Vec<&'a Container>| Unit {
            host,
            instance: instance.clone(),
            told: Some(match (&start, stops.is_empty()) {
                (Some(_), true) => (ChangeKind::Start, Vec::new()),
                _ => (ChangeKind::ReplaceStartFirst, Vec::new()),
            }),
            start,
            ready,
            stops,
            stop_first: self.config.services.get(service).is_some_and(spec::stops_first),
            serves: serves(copies),
            blockers: Vec::new(),
        };
        for old in &missing {
            let Some(start) = self.start(old, service) else {
                // What took its place stays: better that than nothing.
                let message = format!(
                    "`{}` on `{host_name}` cannot be brought back: its label is not understood",
                    old.name
                );
                notes.push(Note { incomplete: true, message });
                return;
            };
            // What did not serve before is not waited for: it may never have.
            let health = start.spec.health.clone();
            let ready = (old.state == State::Running).then(|| (old.name.clone(), health));
            rollout.units.push(unit(Some(start), ready, std::mem::take(&mut stops)));
        }
        match (stops.is_empty(), ran.is_empty()) {
            (true, _) => {}
            (false, false) => rollout.units.push(unit(None, None, stops)),
            (false, true) => {
                let serves = serves(copies);
                rollout.losses.push(Loss { host, instance, stops, serves, early: false });
            }
        }
    }

    fn start(&self, old: &Container, service: &str) -> Option<New<'a>> {
        let spec = old.spec.clone()?;
        let exclusive = match self.config.services.get(service) {
            Some(service) => exclusive(self.config, service),
            // Nobody can say any more whether it shared them.
            None => spec.volumes.iter().filter(|v| !v.read_only).map(|v| v.source.clone()).collect(),
        };
        Some(New {
            name: old.name.clone(),
            spec_id: old.spec_id.clone(),
            release: old.release.clone(),
            spec: Rc::new(spec),
            exclusive,
            image: None,
        })
    }

    fn find_blockers(&self, rollouts: &mut [Rollout<'a>]) {
        let stopped = super::deploy::stopped(rollouts);
        for rollout in rollouts {
            // A port that somebody else has taken meanwhile is for the engine to refuse.
            let seen = (self.now, self.inventory, self.config);
            claims::find_blockers(&mut rollout.units, seen, &stopped, &mut Vec::new());
        }
    }

    /// The actions in their order; with `all_at_once`, every stop before every start.
    fn order(&self, rollouts: Vec<Rollout<'a>>, all_at_once: bool) -> Result<Ordered, Vec<Action>> {
        let mut graph = Graph::default();
        let mut roll = Roll::new(self.config, self.inventory);
        for mut rollout in rollouts {
            let effect = rollout.effect();
            let mut schedule = pace::schedule(rollout.pace, effect).unwrap_or_else(|_| pace::anyway(effect));
            schedule.late = effect.late;
            if all_at_once {
                rollout.pace.batch = rollout.units.len();
                (schedule.at_once, schedule.gains_first) = (rollout.units.len(), 0);
                rollout.units.iter_mut().for_each(|unit| unit.stop_first = true);
                rollout.losses.iter_mut().for_each(|loss| loss.early = true);
            }
            roll.add(&mut graph, rollout, schedule, &mut |_, _, _| None);
        }
        roll.unblock(&mut graph);
        self.remove(&mut graph, roll.stops());
        Ok((roll.changes, graph.finish()?))
    }

    /// Removes what was not there before, host by host, when all else is done there.
    fn remove(&self, graph: &mut Graph, stops: &BTreeMap<(usize, &'a str), Node>) {
        let mut leaves: BTreeMap<String, Vec<Node>> = BTreeMap::new();
        for (host, node) in graph.leaves_by_host() {
            leaves.entry(host).or_default().push(node);
        }
        for &index in &self.scope.hosts {
            let (Some(before), Some(now)) = (self.before.host(index), self.now.host(index)) else { continue };
            let host = self.inventory.hosts()[index].clone();
            let ours = |c: &Container| {
                self.started.contains(&(host.name.as_str(), c.name.as_str()))
                    && (!c.state.is_up() || stops.contains_key(&(index, c.name.as_str())))
            };
            let (containers, images) = added(before, now, &ours, &self.config.project);
            if containers.is_empty() {
                continue;
            }
            let mut needs = leaves.remove(&host.name).unwrap_or_default();
            needs.extend(containers.iter().filter_map(|c| stops.get(&(index, c.name.as_str()))));
            let key = format!("remove/{}", host.name);
            let project = self.config.project.clone();
            let request = Request::DeployRemove(Remove { host, project, containers, images });
            graph.add(key, None, needs, request);
        }
    }
}

/// The containers that were not there before, as far as they are `ours`, and the images that came with them.
fn added(
    before: &HostSight<'_>,
    now: &HostSight<'_>,
    ours: &dyn Fn(&Container) -> bool,
    project: &Project,
) -> (Vec<Named>, Vec<String>) {
    let known: BTreeSet<&str> = before.seen.containers.iter().map(|c| c.name.as_str()).collect();
    let is_added = |c: &&Container| !known.contains(c.name.as_str()) && ours(c);
    let (added, others): (Vec<&Container>, Vec<&Container>) =
        now.seen.containers.iter().partition(|c| is_added(c));
    let image = |c: &&Container| Some(c.spec.as_ref()?.image.clone());
    let is_used = |image: &String| {
        let made_from = |c: &&Container| c.spec.as_ref().is_none_or(|spec| spec.image == *image);
        before.seen.images.contains(image) || others.iter().any(made_from)
    };
    let is_own = |image: &String| is_of(project, image) && now.seen.has_built(image);
    let images = added.iter().filter_map(image).filter(|image| is_own(image) && !is_used(image));
    let images: BTreeSet<String> = images.collect();
    (added.into_iter().map(named).collect(), images.into_iter().collect())
}
