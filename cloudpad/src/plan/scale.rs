//! The plan that has more or fewer instances of what is deployed, until the next deploy. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudpad_plugin_api::stage::deploy::Release;

use super::asked::Asked;
use super::contest::Contest;
use super::decide::Decide;
use super::deploy::{knotted, settle_claims};
use super::deployed::Deployed;
use super::graph::Graph;
use super::pace::schedule_anyway;
use super::place::fill;
use super::record::Memory;
use super::retain::Retain;
use super::rollout::Roll;
use super::rule::Rules;
use super::sight;
use super::start::forgetful;
use super::supply::Supply;
use super::unit::{Loss, Rollout};
use super::{Note, Plan, past, proxies};
use crate::config::Problem;
use crate::instances::Size;
use crate::inventory::list;

/// Brings services to these sizes, as they are deployed, whatever the config says by now: what runs stays as it is, what fails
/// its health check is made anew first, lest all that serves is too many; what is too many leaves its route, stops and is
/// removed, the highest numbers first, and what is too few is made like the others.
///
/// # Errors
/// A service that was never deployed; what another container needs and cannot have; hosts that cannot be looked at or
/// remember nothing.
pub fn scale(asked: &Asked<'_>, sizes: &[Size]) -> Result<Plan, Vec<Problem>> {
    asked.plan(|decide, notes| {
        let decide = &decide.mending();
        let mut problems = forgetful(decide);
        problems.extend(given_twice(sizes));
        if !problems.is_empty() {
            return Err(problems);
        }
        let Asked { config, inventory, observed, goal, .. } = *asked;
        let mut supply = Supply::new(config, inventory, observed, goal);
        let (mut rollouts, mut contest) = (Vec::new(), Contest::default());
        for size in sizes {
            match resize(decide, &supply, size, (&mut contest, notes)) {
                Ok(rollout) => rollouts.push(rollout),
                Err(problem) => problems.push(problem),
            }
        }
        problems.extend(contest.problems(inventory));
        if !problems.is_empty() {
            return Err(problems);
        }
        notes.extend(rollouts.iter().flat_map(|rollout| decide.none_left(rollout)));
        for loss in rollouts.iter().flat_map(|rollout| &rollout.losses) {
            notes.extend(loss.stops.iter().filter_map(|old| decide.named_all_the_same(loss.host, old)));
        }
        notes.extend(rollouts.iter().filter_map(|rollout| forgets(decide, rollout)));
        let plan = order(decide, &mut supply, rollouts, notes)?;
        if !plan.is_empty() {
            notes.push(Note { incomplete: false, message: UNTIL.to_owned() });
        }
        Ok(plan)
    })
}

const UNTIL: &str = "this is so until the next `cloudpad deploy`, which brings as many as the config says";

/// That what was kept of instances to go back to goes with them.
fn forgets(decide: &Decide<'_>, rollout: &Rollout<'_>) -> Option<Note> {
    let kept = |loss: &&Loss<'_>| {
        let copies = decide.sight.of(loss.host, loss.which);
        copies.iter().any(|old| !old.state.is_up() && !decide.holds(old))
    };
    let names: BTreeSet<String> =
        rollout.losses.iter().filter(kept).map(|loss| loss.which.instance().to_string()).collect();
    let message = format!(
        "what was kept of {} is removed too: going back to an earlier release makes it again from its image",
        list(names.iter().map(String::as_str))
    );
    (!names.is_empty()).then_some(Note { incomplete: false, message })
}

fn given_twice(sizes: &[Size]) -> Option<Problem> {
    let mut names = BTreeSet::new();
    let twice = sizes.iter().find(|size| !names.insert(&size.service))?;
    Some(Problem::new(format!("`{}` is given two sizes", twice.service)).hint("leave one of them out"))
}

/// What happens to a service.
fn resize<'a>(
    decide: &Decide<'a>,
    supply: &Supply<'a>,
    size: &Size,
    (contest, notes): (&mut Contest<'a>, &mut Vec<Note>),
) -> Result<Rollout<'a>, Problem> {
    let name = &size.service;
    let never = || {
        let message = format!("no host remembers a container of `{name}`");
        Problem::new(message).hint("`cloudpad deploy` brings it; only then it can be scaled")
    };
    let deployed = Deployed::of(decide, name).ok_or_else(never)?;
    let places = match deployed.per_host {
        true => on_each(decide, &deployed, size.count)?,
        false => in_all(decide, supply, &deployed, size.count, notes)?,
    };
    let mut told = Vec::new();
    let wanted = |host, number| deployed.wanted((decide, supply), (host, number), &mut told);
    let rollout = decide.bring(deployed.service, &places, wanted, (contest, notes));
    notes.extend(told);
    rollout
}

/// So many on each of the hosts that have it; on those that are not selected, what is there.
fn on_each(decide: &Decide<'_>, deployed: &Deployed<'_>, count: u32) -> Result<Vec<(usize, u32)>, Problem> {
    let hosts: BTreeSet<usize> = deployed.recorded.keys().map(|(host, _)| *host).collect();
    if !hosts.iter().any(|host| decide.hosts.contains(*host)) {
        let message =
            format!("no selected host has `{}`, which is deployed so many on each", deployed.service);
        return Err(Problem::new(message).hint("select other hosts"));
    }
    let chosen = hosts.iter().filter(|host| decide.hosts.contains(**host));
    let chosen = chosen.flat_map(|&host| (1..=count).map(move |number| (host, number)));
    let others = deployed.recorded.keys().filter(|(host, _)| !decide.hosts.contains(*host));
    let mut places: Vec<_> = chosen.chain(others.copied()).collect();
    places.sort_unstable();
    Ok(places)
}

/// So many in all: where they are already, and the others on the selected hosts that can have them.
fn in_all(
    decide: &Decide<'_>,
    supply: &Supply<'_>,
    deployed: &Deployed<'_>,
    count: u32,
    notes: &mut Vec<Note>,
) -> Result<Vec<(usize, u32)>, Problem> {
    let service = deployed.service;
    let may = decide.scope.services.get(service);
    let mut depends = decide.scope.look.iter().filter(|host| may.is_none_or(|may| may.contains(host)));
    if let Some(&unseen) = depends.find(|host| decide.sight.host(**host).is_none()) {
        let message = format!(
            "host `{}` cannot be looked at, so nobody knows which instances of `{service}` it has",
            decide.host_name(unseen)
        );
        return Err(Problem::new(message).hint("bring it back, or deploy without it"));
    }
    let mut homes = BTreeMap::new();
    let recorded = deployed.recorded.keys().copied();
    let copies = decide.sight.copies(service).filter(|(.., copies)| sight::up(copies).next().is_some());
    for (host, number) in recorded.chain(copies.map(|(host, number, _)| (host, number))) {
        if number <= count {
            homes.entry(number).or_insert(host);
        } else if !decide.hosts.contains(host) {
            let message =
                format!("`{service}.{number}` stays, since `{}` is not selected", decide.host_name(host));
            let note = Note { incomplete: true, message };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    let mut eligible = Vec::new();
    for host in decide.hosts.iter() {
        let image = deployed.like(host).and_then(|old| old.image());
        let has = deployed.recorded.keys().any(|(other, _)| *other == host);
        let can = |image| decide.sight.host(host).is_some_and(|host| supply.can_bring(image, host));
        if has || (may.is_some_and(|may| may.contains(&host)) && image.is_some_and(can)) {
            eligible.push(host);
        }
    }
    if eligible.is_empty() && homes.len() < count as usize {
        let message = format!("no selected host has the image of `{service}`");
        return Err(Problem::new(message).hint("select other hosts; `cloudpad deploy` brings images"));
    }
    Ok(fill(homes, count, &eligible))
}

fn order<'a>(
    decide: &Decide<'a>,
    supply: &mut Supply<'a>,
    mut rollouts: Vec<Rollout<'a>>,
    notes: &mut Vec<Note>,
) -> Result<Plan, Vec<Problem>> {
    settle_claims(decide, &mut rollouts)?;
    let problems = proxies::problems_of_new(decide, &rollouts);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut graph = Graph::default();
    let rules = Rules::Spread(decide.sight);
    let mut roll = Roll::new(decide.config, decide.inventory, decide.sight, rules);
    let mut retain = Retain::new(decide, &rollouts, supply);
    let memories = memories(decide, &rollouts);
    for rollout in rollouts {
        let schedule = schedule_anyway(rollout.pace, rollout.effect());
        retain.spare(&rollout, schedule.late, notes, decide.inventory);
        roll.add(&mut graph, rollout, schedule, &mut |graph, image, host| {
            supply.bring_back(graph, image, (host, decide.sight.host(host)?))
        });
    }
    roll.unblock(&mut graph);
    retain.remove(&mut graph, &roll.stops, &BTreeMap::new(), &memories);
    match graph.finish() {
        Ok(actions) => Ok(Plan { changes: roll.changes, actions, ..Plan::default() }),
        Err(knot) => Err(vec![knotted(&knot)]),
    }
}

/// Hosts go on remembering what they do, and need what is started there, though nobody notes it.
fn memories<'a>(decide: &Decide<'a>, rollouts: &[Rollout<'a>]) -> BTreeMap<usize, Memory<'a>> {
    let mut started: BTreeMap<usize, Release> = BTreeMap::new();
    for unit in rollouts.iter().flat_map(|rollout| &rollout.units) {
        if let Some(new) = &unit.start {
            let specs = &mut started.entry(unit.host).or_default().specs;
            specs.insert(new.wanted.spec_id.to_string(), new.wanted.spec.clone());
        }
    }
    let seen = decide.hosts.iter().filter_map(|host| Some((host, decide.sight.host(host)?.seen)));
    let memory = seen.map(|(host, seen)| {
        let new = started.remove(&host).map(Arc::new);
        (host, Memory { new, kept: past::known(seen).iter().collect(), forgotten: Vec::new() })
    });
    memory.collect()
}
