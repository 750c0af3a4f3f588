//! The plan that brings back what ran before. Pure.

mod added;
mod routes;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::State;

use super::deploy::mark_early;
use super::graph::Graph;
use super::jobs::Kept;
use super::rollout::Roll;
use super::rule::Rules;
use super::sight::{self, Sight, Sighted, serves};
use super::spec::Wanted;
use super::unit::{Loss, New, Pace, Rollout, Unit, Which};
use super::{Action, Change, ChangeKind, Goal, Note, Plan, Scope, claims, jobs, pace, scope, spec, stopped};
use crate::config::Config;
use crate::inventory::Inventory;
use crate::observed::{HostState, Observed};

/// A plan that was carried out in part.
pub struct Failed<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its actions that were begun, by number.
    pub begun: &'a BTreeSet<u32>,
    /// Those of them of which nobody knows what became.
    pub unknown: &'a BTreeSet<u32>,
}

/// Brings back what ran `before` the rollout of `failed`, given what is there `now`.
///
/// It is about the instances whose containers `failed` starts or stops, and no others. Where something
/// runs that neither ran before nor was started by `failed`, somebody else has been there meanwhile:
/// that is left alone, as a note. Hosts that are not in `now` are taken to be as they were.
///
/// What a job has begun to work with is left as the failed plan has made it, as a note.
///
/// What is up and was asked to stop, nobody knows with what result, may end at any moment: an engine goes on
/// stopping when the one who has asked is gone. It is stopped for certain and started again.
///
/// What ran then and does not now is started again, in the same order of stops and starts as an
/// update; what was not there then is stopped and removed. It never refuses: where nothing keeps
/// enough instances serving, it goes one by one, and what cannot be brought back is a note.
pub fn undo(
    failed: &Failed<'_>,
    before: &Observed,
    now: &Observed,
    config: &Config,
    inventory: &Inventory,
    goal: &Goal,
) -> Plan {
    let Ok(scope) = scope(config, inventory, &goal.select) else { return Plan::default() };
    let kept = Kept::new(failed, config);
    let actions = || failed.plan.actions.iter().filter(|action| kept.for_job(action).is_none());
    let undo = Undo {
        config,
        inventory,
        scope: &scope,
        stopped: actions().filter_map(stopped).collect(),
        stopping: actions().filter(|a| failed.unknown.contains(&a.id)).filter_map(stopped).collect(),
        started: actions().filter_map(started).collect(),
        routed: actions().filter_map(routes::routed).collect(),
        before: &Sight::new(inventory, before),
        now: &Sight::later(inventory, now, before),
    };
    let mut notes = undo.unseen(now);
    notes.extend(jobs::not_taken_back(failed));
    notes.extend(kept.notes(&failed.plan.actions));
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
    Plan { changes, actions, notes, ..Plan::default() }
}

type Ordered = (Vec<Change>, Vec<Action>);

struct Undo<'a> {
    config: &'a Config,
    inventory: &'a Inventory,
    scope: &'a Scope,
    /// The containers that the failed plan starts, by host.
    started: BTreeSet<(&'a str, &'a str)>,
    /// The services whose routes it changes, by host.
    routed: BTreeSet<(&'a str, &'a str)>,
    /// The containers that it stops, by host.
    stopped: BTreeSet<(&'a str, &'a str)>,
    /// Those of them that it may have stopped or be stopping.
    stopping: BTreeSet<(&'a str, &'a str)>,
    before: &'a Sight<'a>,
    now: &'a Sight<'a>,
}

/// The host and the name of the container that an action starts.
fn started(action: &Action) -> Option<(&str, &str)> {
    match &action.request {
        Request::DeployStart(start) => Some((&start.host.name, &start.container)),
        _ => None,
    }
}

impl<'a> Undo<'a> {
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
            let all = before.containers.iter().chain(&now.containers);
            let instances: BTreeSet<Which<'a>> = all.map(|old| old.which).collect();
            for which in instances.into_iter().filter(|which| self.scope.covers(which.service, self.config)) {
                let rollout = rollouts.entry(which.service).or_insert_with(|| self.empty(which.service));
                self.instance(index, which, rollout, notes);
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
        Rollout::new(service, pace)
    }

    fn instance(&self, host: usize, which: Which<'a>, rollout: &mut Rollout<'a>, notes: &mut Vec<Note>) {
        let host_name = self.inventory.hosts()[host].name.as_str();
        let copies = self.now.of(host, which);
        let before = self.before.of(host, which);
        let touched = |c: &Sighted<'_>| {
            let container = (host_name, c.name.as_str());
            self.started.contains(&container) || self.stopped.contains(&container)
        };
        if !before.iter().chain(copies).any(touched) {
            return;
        }
        let ran: Vec<_> = sight::up(before).collect();
        let runs: Vec<_> = sight::up(copies).collect();
        let is_among = |all: &[&Sighted<'_>], c: &Sighted<'_>| all.iter().any(|other| other.name == c.name);
        let is_ending = |c: &Sighted<'_>| self.stopping.contains(&(host_name, c.name.as_str()));
        let missing: Vec<_> = ran.iter().copied().filter(|c| !is_among(&runs, c) || is_ending(c)).collect();
        let mut stops: Vec<_> = runs.iter().copied().filter(|c| !is_among(&ran, c)).collect();
        if let Some(theirs) = stops.iter().find(|c| !self.started.contains(&(host_name, c.name.as_str()))) {
            let message = format!(
                "`{}` on `{host_name}` was started by somebody else meanwhile, so {} is left alone",
                theirs.name,
                which.instance()
            );
            notes.push(Note { incomplete: true, message });
            return;
        }
        let unit = |start: Option<New<'a>>, ready, stops: Vec<&'a Sighted<'a>>| Unit {
            host,
            which,
            told: Some(match (&start, stops.is_empty()) {
                (Some(_), true) => (ChangeKind::Start, Arc::default()),
                _ => (ChangeKind::ReplaceStartFirst, Arc::default()),
            }),
            start,
            ready,
            stops,
            stop_first: self.config.services.get(which.service).is_some_and(spec::stops_first),
            serves: serves(copies),
            blockers: Vec::new(),
        };
        for old in &missing {
            let Some(start) = self.start(old, copies) else {
                // What took its place stays: better that than nothing.
                let message = format!(
                    "`{}` on `{host_name}` cannot be brought back: its label is not understood",
                    old.name
                );
                notes.push(Note { incomplete: true, message });
                return;
            };
            // What did not serve before is not waited for: it may never have.
            let spec = Arc::clone(&start.wanted.spec);
            let ready = (old.state == State::Running).then(|| (old.name.clone(), spec));
            let ending = runs.iter().copied().find(|c| c.name == old.name);
            let stops = std::mem::take(&mut stops);
            match ending {
                None => rollout.units.push(unit(Some(start), ready, stops)),
                Some(ending) if stops.is_empty() => {
                    // It serves no more, or will not soon.
                    rollout.pace.serving = rollout.pace.serving.saturating_sub(usize::from(serves(copies)));
                    let again = unit(Some(start), ready, vec![ending]);
                    rollout.units.push(Unit { stop_first: true, serves: false, ..again });
                }
                Some(ending) => {
                    rollout.units.push(Unit { told: None, ..unit(None, None, vec![ending]) });
                    let again = unit(Some(start), ready, stops);
                    rollout.units.push(Unit { blockers: vec![ending], ..again });
                }
            }
        }
        match (stops.is_empty(), ran.is_empty()) {
            (true, _) => {}
            (false, false) => rollout.units.push(unit(None, None, stops)),
            (false, true) => {
                let serves = serves(copies);
                let kind = ChangeKind::Remove;
                rollout.losses.push(Loss { kind, host, which, stops, serves, early: false });
            }
        }
    }

    fn start(&self, old: &Sighted<'a>, now: &'a [Sighted<'a>]) -> Option<New<'a>> {
        let wanted = Wanted::seen(old, self.config)?;
        let kept = now.iter().find(|c| c.name == wanted.name);
        Some(New { wanted: Rc::new(wanted), kept })
    }

    fn find_blockers(&self, rollouts: &mut [Rollout<'a>]) {
        let stopped = super::deploy::stopped(rollouts, self.now);
        for rollout in rollouts {
            // A port that somebody else has taken meanwhile is for the engine to refuse.
            let seen = (self.now, self.inventory, self.config);
            claims::find_blockers(&mut rollout.units, seen, &stopped, &mut Vec::new());
        }
    }

    /// The actions in their order; with `all_at_once`, every stop before every start.
    fn order(&self, rollouts: Vec<Rollout<'a>>, all_at_once: bool) -> Result<Ordered, Vec<Action>> {
        let mut graph = Graph::default();
        let mut roll = Roll::new(self.config, self.inventory, self.now, Rules::Before(self.before));
        self.keep_routed(&mut roll.routing);
        for mut rollout in rollouts {
            let effect = rollout.effect();
            let mut schedule = pace::schedule_anyway(rollout.pace, effect);
            schedule.late = effect.late;
            if all_at_once {
                rollout.pace.batch = rollout.units.len();
                (schedule.at_once, schedule.gains_first) = (rollout.units.len(), 0);
                rollout.units.iter_mut().for_each(|unit| unit.stop_first = true);
                rollout.losses.iter_mut().for_each(|loss| loss.early = true);
            }
            roll.add(&mut graph, rollout, schedule, &mut |_, _, _| None);
        }
        self.lead_back(&mut graph, &mut roll.routing);
        roll.unblock(&mut graph);
        self.remove(&mut graph, &roll.stops);
        Ok((roll.changes, graph.finish()?))
    }
}
