//! The plan of a deploy: what happens to each service, checked, put into an order, tidied up after. Pure.

use std::collections::BTreeSet;

use super::claims::find_blockers;
use super::contest::Contest;
use super::decide::Decide;
use super::graph::Graph;
use super::jobs::{Jobs, Wave};
use super::left_behind;
use super::pace::schedule;
use super::proxies;
use super::record;
use super::restore::Restore;
use super::retain::Retain;
use super::rollout::Roll;
use super::rule::Rules;
use super::sight::Sight;
use super::supply::Supply;
use super::unit::Rollout;
use super::{Note, Plan};
use crate::config::Problem;

/// The actions of a deploy.
pub(super) fn deploy<'a>(decide: &Decide<'a>, supply: &mut Supply<'a>) -> Result<Plan, Vec<Problem>> {
    let mut notes = Vec::new();
    let restore = decide.goal.restore.as_deref().map(|id| Restore { decide, id });
    let mut rollouts = match &restore {
        None => rollouts(decide, supply, &mut notes)?,
        Some(restore) => restore.rollouts(supply, &mut notes)?,
    };
    settle_claims(decide, &mut rollouts)?;
    let jobs = Jobs::new(decide, supply, &rollouts)?;
    notes.extend(jobs.notes.iter().cloned());
    // Bring an image, stop, start, be ready, be led requests to.
    const ACTIONS: usize = 5;
    let units: usize = rollouts.iter().map(|rollout| rollout.units.len()).sum();
    let mut graph = Graph::for_about(units * ACTIONS);
    let mut rules = match &restore {
        None => Rules::config(decide.config, decide.secrets),
        Some(restore) => restore.rules()?,
    };
    let mut problems = proxies::problems(decide, &mut rules, &rollouts);
    notes.extend(proxies::notes(decide, &mut rules, &rollouts));
    let mut roll = Roll::new(decide.config, decide.inventory, decide.sight, rules);
    let mut retain = Retain::new(decide, &rollouts, supply);
    let wanted = record::wanted(&mut rollouts);
    notes.extend(left_behind::notes(decide, &rollouts));
    let (mut gate, mut from) = (Vec::new(), graph.next());
    for Wave { rollouts, then } in jobs.waves(&decide.goal.release, rollouts) {
        from = graph.next();
        for rollout in rollouts {
            match schedule(rollout.pace, rollout.effect()) {
                Err(short) => problems.push(too_few(&rollout, short.left)),
                Ok(schedule) => {
                    retain.spare(&rollout, schedule.late, &mut notes, decide.inventory);
                    roll.add(&mut graph, rollout, schedule, &mut |graph, image, host| {
                        let sight = decide.sight.host(host)?;
                        match decide.goal.restore {
                            None => supply.bring(graph, image, (host, sight)),
                            Some(_) => supply.bring_back(graph, image, (host, sight)),
                        }
                    });
                }
            }
        }
        if let Some(job) = then {
            graph.hold_back(&gate, from);
            gate.extend(graph.leaves_since(from));
            gate = job.add(&mut graph, (decide, supply), gate);
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for at in roll.routing.all(decide.hosts.iter()) {
        if decide.hosts.contains(at.0) && decide.scope.covers(at.1, decide.config) {
            roll.routing.mend(&mut graph, at, Vec::new());
        }
    }
    roll.unblock(&mut graph);
    graph.hold_back(&gate, from);
    let routes = roll.routing.led();
    notes.extend(roll.routing.hand_over(&mut graph, &routes));
    let done = graph.leaves();
    jobs.bring_after(&mut graph, (decide, supply));
    graph.make_first();
    notes.extend(restore.iter().flat_map(|restore| restore.lost_routes(&routes)));
    let memories = record::memories(decide, (wanted, routes), supply);
    record::record(&mut graph, decide, &memories);
    jobs.add_after(&mut graph, (decide, supply), done);
    retain.remove(&mut graph, &roll.stops, &jobs.ended, &memories);
    let changes = roll.changes;
    match graph.finish() {
        Ok(actions) => Ok(Plan { changes, actions, notes, ..Plan::default() }),
        Err(knot) => Err(vec![knotted(&knot)]),
    }
}

fn rollouts<'a>(
    decide: &Decide<'a>,
    supply: &Supply<'a>,
    notes: &mut Vec<Note>,
) -> Result<Vec<Rollout<'a>>, Vec<Problem>> {
    let (mut rollouts, mut problems) = (Vec::new(), Vec::new());
    let mut contest = Contest::default();
    for (name, service) in &decide.config.services {
        if !decide.scope.services.contains_key(name) {
            continue;
        }
        // That every image is known has been checked before.
        let reference = supply.reference(&service.image).unwrap_or_default();
        match decide.service(name, reference, (&mut contest, notes)) {
            Ok(rollout) => rollouts.push(rollout),
            Err(problem) => problems.push(problem),
        }
    }
    rollouts.extend(decide.gone_services().map(|name| decide.gone(name, notes)));
    problems.extend(contest.problems(decide.inventory));
    if problems.is_empty() { Ok(rollouts) } else { Err(problems) }
}

/// Sees to it that what a new container needs is free when it starts.
pub(super) fn settle_claims<'a>(
    decide: &Decide<'a>,
    rollouts: &mut [Rollout<'a>],
) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    let stopped = stopped(rollouts, decide.sight);
    for rollout in rollouts.iter_mut() {
        let seen = (decide.sight, decide.inventory, decide.config);
        find_blockers(&mut rollout.units, seen, &stopped, &mut problems);
    }
    mark_early(rollouts);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether rollouts stop a container, by the container's place.
pub(super) fn stopped(rollouts: &[Rollout<'_>], sight: &Sight<'_>) -> Vec<bool> {
    let units = rollouts.iter().flat_map(|r| &r.units).flat_map(|unit| &unit.stops);
    let losses = rollouts.iter().flat_map(|r| &r.losses).flat_map(|loss| &loss.stops);
    let mut stopped = vec![false; sight.containers()];
    units.chain(losses).for_each(|old| stopped[old.place] = true);
    stopped
}

/// What is not wanted any more and in the way of a new container cannot wait for that one.
pub(super) fn mark_early(rollouts: &mut [Rollout<'_>]) {
    let units = rollouts.iter().flat_map(|rollout| &rollout.units);
    let blockers: BTreeSet<usize> = units.flat_map(|u| u.blockers.iter().map(|by| by.place)).collect();
    for loss in rollouts.iter_mut().flat_map(|rollout| &mut rollout.losses) {
        loss.early = loss.stops.iter().any(|old| blockers.contains(&old.place));
    }
}

fn too_few(rollout: &Rollout<'_>, left: usize) -> Problem {
    let (name, min) = (rollout.service, rollout.pace.min);
    let serving = rollout.pace.serving;
    Problem::at_key(
        format!("services.{name}.update"),
        format!(
            "`{name}` cannot be updated: {serving} of its containers serve, one has to be stopped before \
             the next starts, and that would leave {left} where `deploy.min_healthy` asks for {min}"
        ),
    )
    .hint("ask for fewer in `deploy.min_healthy`, or bring back first what does not serve")
}

pub(super) fn knotted(knot: &[super::Action]) -> Problem {
    let services: BTreeSet<&str> = knot.iter().filter_map(|action| action.service.as_deref()).collect();
    let services = crate::inventory::list(services);
    Problem::new(format!("containers of {services} need ports or volumes that the others still hold"))
        .hint("change them in two deploys, or raise `deploy.batch` and lower `deploy.min_healthy`")
}

/// A note that something which is not wanted stays for now.
pub(super) fn stays(name: &str, host: &str) -> Note {
    let message = format!("`{name}` on `{host}` stays, since too few others would serve without it");
    Note { incomplete: true, message }
}
