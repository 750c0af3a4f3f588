//! The plan that restarts containers, a few at a time. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asked::Asked;
use super::decide::Decide;
use super::pace::schedule;
use super::sight::{self, Sighted, serves};
use super::unit::{Rollout, Unit, Which};
use super::{ChangeKind, Note, Plan};
use crate::config::Problem;

/// Stops what runs of the targets and starts it again, the same containers, so many at once as an update would. One that gets
/// requests gets none from before it stops until it has proven itself; and of those on a host one always stays, where there
/// is more than one.
///
/// # Errors
/// A target of which nothing runs; too few would serve meanwhile; hosts that cannot be looked at.
pub fn restart(asked: &Asked<'_>) -> Result<Plan, Vec<Problem>> {
    asked.plan(|decide, notes| {
        let mut rollouts: BTreeMap<&str, Rollout<'_>> = BTreeMap::new();
        let mut problems = asked.nowhere(&decide.instances().map(|(_, which, _)| which).collect());
        problems.extend(asked.none_runs(decide));
        if !problems.is_empty() {
            return Err(problems);
        }
        for (host, which, copies) in decide.instances().filter(|(_, which, _)| asked.means(*which)) {
            let rollout = rollouts.entry(which.service).or_insert_with(|| empty(decide, which.service));
            instance(decide, (host, which), copies, (rollout, notes));
        }
        let mut rollouts: Vec<_> = rollouts.into_values().collect();
        for rollout in &mut rollouts {
            // One on each host, then the next one on each.
            rollout.units.sort_by_key(|unit| (unit.which.number, unit.host));
            keep_one(decide, rollout, notes);
            if let Err(short) = schedule(rollout.pace, rollout.effect()) {
                problems.push(too_few(rollout, short.left));
            }
        }
        if problems.is_empty() { decide.order(rollouts) } else { Err(problems) }
    })
}

/// As many have to serve as are to, of those that run now.
fn empty<'a>(decide: &Decide<'a>, service: &'a str) -> Rollout<'a> {
    let runs = |copies: &[Sighted<'_>]| sight::up(copies).next().is_some();
    decide.empty(service, decide.sight.copies(service).filter(|(.., copies)| runs(copies)).count())
}

fn instance<'a>(
    decide: &Decide<'a>,
    (host, which): (usize, Which<'a>),
    copies: &'a [Sighted<'a>],
    (rollout, notes): (&mut Rollout<'a>, &mut Vec<Note>),
) {
    let (on, instance) = (decide.host_name(host), which.instance());
    let mut stops: Vec<_> = sight::up(copies).collect();
    if stops.is_empty() {
        let message =
            format!("`{instance}` on `{on}` is stopped, and stays so; `cloudpad start {instance}` starts it");
        notes.push(Note { incomplete: false, message });
    }
    decide.leave_alone(host, &mut stops, notes);
    for old in stops {
        match Unit::again((host, which), old, decide.config) {
            Some(unit) => rollout.units.push(Unit {
                stops: vec![old],
                stop_first: true,
                serves: serves(copies),
                told: Some((ChangeKind::Restart, Arc::default())),
                ..unit
            }),
            None => {
                let message =
                    format!("`{}` on `{on}` is not restarted: its label is not understood", old.name);
                notes.push(Note { incomplete: true, message });
            }
        }
    }
}

/// Has one instance of those on a host serve at all times, and says where there is only one.
fn keep_one<'a>(decide: &Decide<'a>, rollout: &mut Rollout<'a>, notes: &mut Vec<Note>) {
    let mut serving: BTreeMap<usize, usize> = BTreeMap::new();
    let all = decide.sight.copies(rollout.service).filter(|(.., copies)| serves(copies));
    all.for_each(|(host, ..)| *serving.entry(host).or_default() += 1);
    for unit in rollout.units.iter().filter(|unit| unit.serves) {
        if serving.get(&unit.host) == Some(&1) {
            let (instance, on, service) =
                (unit.which.instance(), decide.host_name(unit.host), rollout.service);
            let message = format!(
                "`{instance}` is all that serves of `{service}` on `{on}`, which does not answer meanwhile"
            );
            notes.push(Note { incomplete: false, message });
        }
    }
    rollout.at_once_on = serving.into_iter().map(|(host, count)| (host, (count - 1).max(1))).collect();
}

fn too_few(rollout: &Rollout<'_>, left: usize) -> Problem {
    let (name, min, serving) = (rollout.service, rollout.pace.min, rollout.pace.serving);
    let message = format!(
        "`{name}` cannot be restarted: {serving} of its containers serve, and to stop one would leave {left} where \
         `deploy.min_healthy` asks for {min}"
    );
    Problem::new(message).hint("ask for fewer in `deploy.min_healthy`, or start more with `cloudpad scale`")
}

impl Asked<'_> {
    /// One problem for each target of which there is something, and nothing that runs.
    fn none_runs(&self, decide: &Decide<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for target in self.targets {
            let is_meant = |which: Which<'_>| target.covers(which.service, which.number);
            let there: Vec<_> = decide.instances().filter(|(_, which, _)| is_meant(*which)).collect();
            if there.is_empty() || there.iter().any(|(.., copies)| sight::up(copies).next().is_some()) {
                continue;
            }
            let (host, which, _) = &there[0];
            let (first, on) = (which.instance(), decide.host_name(*host));
            let message = format!("no container of `{target}` runs: {first} on {on} is stopped");
            problems.push(Problem::new(message).hint(format!("`cloudpad start {target}` starts it")));
        }
        problems
    }
}
