//! What there is to say of a rollback to another release that would do nothing: what it leaves alone, and which one goes
//! further back. Pure.

use std::collections::BTreeSet;

use cloudpad_plugin_api::stage::deploy::{Observation, Recorded};

use super::past::{self, At};
use super::{Goal, Note, Plan, Scope, back, make, scope};
use crate::config::Config;
use crate::inventory::{Inventory, list};
use crate::observed::{HostState, Observed};

/// That all in which the release differs from what is to run now stays as it is; nothing where the plan has something to do, or
/// where nothing differs.
pub(super) fn note(
    (config, inventory): (&Config, &Inventory),
    observed: &Observed,
    goal: &Goal,
    plan: &Plan,
) -> Option<Note> {
    let id = goal.restore.as_deref().filter(|_| plan.actions.is_empty())?;
    let scope = scope(config, inventory, &goal.select).ok()?;
    let services = differing((config, inventory), observed, &scope, id);
    if services.is_empty() {
        return None;
    }
    let changes = |earlier: &&str| {
        let goal = Goal { restore: Some((*earlier).to_owned()), ..goal.clone() };
        let is_there =
            observed.cluster.is_some() || back::obstacles(config, inventory, observed, &goal).is_empty();
        // What cannot be planned without the values of secrets changes something.
        is_there && make(config, inventory, observed, &goal).map_or(true, |plan| !plan.actions.is_empty())
    };
    let further = match releases(observed).range(..id).rev().copied().find(changes) {
        Some(earlier) => {
            let environment = config.project.environment.iter();
            let environment: String = environment.map(|name| format!("-e {name} ")).collect();
            format!("`cloudpad rollback {environment}{earlier}` goes further back")
        }
        None => "no earlier release would change more".to_owned(),
    };
    let message = format!(
        "release {id} differs from what is to run now only in {}, and in nothing that going back to it changes; {further}",
        list(services)
    );
    Some(Note { incomplete: false, message })
}

/// All releases that are remembered.
fn releases(observed: &Observed) -> BTreeSet<&str> {
    match &observed.cluster {
        Some(seen) => seen.releases.iter().flatten().map(|release| release.id.as_str()).collect(),
        None => past::all(observed).map(|release| release.id.as_str()).collect(),
    }
}

/// The services, as far as they are meant, that were something else at the release than they are to be now.
fn differing<'a>(
    (config, inventory): (&Config, &Inventory),
    observed: &'a Observed,
    scope: &Scope,
    id: &str,
) -> BTreeSet<&'a str> {
    let mut services = match &observed.cluster {
        Some(seen) => {
            let releases = seen.releases.as_deref().unwrap_or_default();
            let then = releases.iter().find(|release| release.id == id).map(|release| &release.services);
            let now = releases.last().map(|release| &release.services);
            let (then, now) = (then.into_iter().flatten(), now.into_iter().flatten());
            unequal(
                then.map(|(name, made)| (name.as_str(), made)),
                now.map(|(name, made)| (name.as_str(), made)),
            )
        }
        None => {
            let hosts = scope.hosts.iter().map(|&index| &inventory.hosts()[index].name);
            let seen = hosts.filter_map(|host| match observed.hosts.get(host)? {
                HostState::Seen(seen) => Some(seen),
                HostState::Unseen(_) => None,
            });
            seen.flat_map(|seen| on_host(seen, id)).collect()
        }
    };
    services.retain(|service| scope.covers(service, config));
    services
}

fn on_host<'a>(seen: &'a Observation, id: &str) -> BTreeSet<&'a str> {
    let then = match past::at(seen, id) {
        At::Recorded(release) => release.containers.as_slice(),
        At::Nothing | At::Forgotten => &[],
    };
    let now = past::current(seen).map_or(&[][..], |release| &release.containers);
    let made = |old: &'a Recorded| (old.instance.service.as_str(), (old.instance.number, &old.spec_id));
    unequal(then.iter().map(made), now.iter().map(made))
}

/// The names of what is not in both.
fn unequal<'a, T: PartialEq>(
    then: impl Iterator<Item = (&'a str, T)>,
    now: impl Iterator<Item = (&'a str, T)>,
) -> BTreeSet<&'a str> {
    let (then, now): (Vec<_>, Vec<_>) = (then.collect(), now.collect());
    let gone = then.iter().filter(|made| !now.contains(made));
    gone.chain(now.iter().filter(|made| !then.contains(made))).map(|(name, _)| *name).collect()
}
