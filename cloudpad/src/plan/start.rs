//! The plan that starts what was stopped: what each host remembers that is to run there. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudpad_plugin_api::stage::deploy::{Recorded, State};

use super::asked::Asked;
use super::decide::Decide;
use super::past;
use super::sight::{self, Sighted};
use super::unit::{Rollout, Unit, Which};
use super::{ChangeKind, Note, Plan};
use crate::config::Problem;

/// What is to run somewhere.
type Place<'a> = (usize, Which<'a>, &'a Recorded);

/// Starts the containers of the targets that are to run and do not, and leads requests to them once they serve. What is not
/// there any more, or runs as something else, is for a deploy to see to, and told.
///
/// # Errors
/// A target that is not to run anywhere; what a container needs and another one has; hosts that cannot be looked at, or
/// remember nothing.
pub fn start(asked: &Asked<'_>) -> Result<Plan, Vec<Problem>> {
    asked.plan(|decide, notes| {
        let problems = forgetful(decide);
        if !problems.is_empty() {
            return Err(problems);
        }
        let all = recorded(decide);
        let known: BTreeSet<Which<'_>> = all.iter().map(|(_, which, _)| *which).collect();
        let nowhere = asked.nowhere(&known);
        if !nowhere.is_empty() {
            return Err(nowhere);
        }
        let mut rollouts: BTreeMap<&str, Rollout<'_>> = BTreeMap::new();
        for place in all.into_iter().filter(|(_, which, _)| asked.means(*which)) {
            let service = place.1.service;
            let whole = || known.iter().filter(|which| which.service == service).count();
            let rollout = rollouts.entry(service).or_insert_with(|| decide.empty(service, whole()));
            notes.extend(instance(decide, place, rollout));
        }
        notes.extend(rollouts.values().flat_map(|rollout| unled(decide, rollout)));
        decide.order(rollouts.into_values().collect())
    })
}

/// Hosts of which nobody knows what is to run there.
pub(super) fn forgetful(decide: &Decide<'_>) -> Vec<Problem> {
    let forgets = |host: &usize| decide.sight.host(*host).is_some_and(|host| host.seen.releases.is_none());
    let problem = |host| {
        let message = format!("`{}` does not remember what is to run there", decide.host_name(host));
        Problem::new(message).hint(
            "its provider of stage `deploy` remembers no releases; `cloudpad deploy` starts what the config says",
        )
    };
    decide.hosts.iter().filter(forgets).map(problem).collect()
}

/// All that is to run of the services that are meant, by host.
fn recorded<'a>(decide: &Decide<'a>) -> Vec<Place<'a>> {
    let seen = decide.hosts.iter().filter_map(|host| Some((host, decide.sight.host(host)?.seen)));
    let current = seen.filter_map(|(host, seen)| Some((host, past::current(seen)?)));
    let all = current.flat_map(|(host, release)| {
        release.containers.iter().map(move |recorded| {
            let instance = &recorded.instance;
            (host, Which { service: &instance.service, number: instance.number }, recorded)
        })
    });
    all.filter(|(_, which, _)| decide.scope.covers(which.service, decide.config)).collect()
}

/// What happens to an instance; returns what there is to say where nothing can.
fn instance<'a>(
    decide: &Decide<'a>,
    (host, which, recorded): Place<'a>,
    rollout: &mut Rollout<'a>,
) -> Option<Note> {
    let (copies, on) = (decide.sight.of(host, which), decide.host_name(host));
    let is_it = |old: &&Sighted<'a>| *old.spec_id == recorded.spec_id;
    let note = |message| Some(Note { incomplete: true, message });
    let not_understood =
        |name: &str| note(format!("`{name}` on `{on}` cannot be started: its label is not understood"));
    if let Some(runs) = sight::up(copies).find(is_it) {
        match runs.state {
            State::Running => rollout.steady.push((host, &runs.container.name)),
            State::Starting => match Unit::again((host, which), runs, decide.config) {
                Some(unit) => {
                    let told = Some((ChangeKind::Await, Arc::default()));
                    rollout.starting.push(Unit { start: None, told, ..unit });
                }
                None => return not_understood(&runs.name),
            },
            _ => {}
        }
        return None;
    }
    if let Some(other) = sight::up(copies).next() {
        let name = &other.name;
        return note(format!("`{name}` on `{on}` is not what is to run there; `cloudpad deploy` sees to it"));
    }
    let Some(kept) = sight::made_as(copies, &recorded.spec_id) else {
        let instance = which.instance();
        return note(format!("`{instance}` is not on `{on}` any more; `cloudpad deploy` makes it again"));
    };
    match Unit::again((host, which), kept, decide.config) {
        Some(unit) => rollout.units.push(unit),
        None => return not_understood(&kept.name),
    }
    None
}

/// Hosts that lack the route which a service has by now.
fn unled(decide: &Decide<'_>, rollout: &Rollout<'_>) -> Vec<Note> {
    let service = rollout.service;
    if decide.config.services.get(service).is_none_or(|service| service.route.is_none()) {
        return Vec::new();
    }
    let hosts: BTreeSet<usize> = rollout.units.iter().map(|unit| unit.host).collect();
    let has_none = |host: &usize| {
        let proxy = decide.sight.host(*host).and_then(|host| host.seen.proxy.as_ref());
        proxy.is_none_or(|proxy| proxy.route(service).is_none())
    };
    let note = |host| {
        let on = decide.host_name(host);
        let message = format!("no request is led to `{service}` on `{on}` yet; `cloudpad deploy` sees to it");
        Note { incomplete: false, message }
    };
    hosts.into_iter().filter(has_none).map(note).collect()
}
