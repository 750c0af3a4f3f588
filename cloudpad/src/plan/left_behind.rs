//! Data that does not go with a service to another host, since a volume is where it was made. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::model::ContainerSpec;

use super::decide::Decide;
use super::unit::Rollout;
use super::{Note, sight};
use crate::inventory::list;

/// What is told where a service comes to a host that it was not on, and leaves one where it has a volume that it writes to.
pub(super) fn notes(decide: &Decide<'_>, rollouts: &[Rollout<'_>]) -> Vec<Note> {
    rollouts.iter().flat_map(|rollout| of(decide, rollout)).collect()
}

fn of(decide: &Decide<'_>, rollout: &Rollout<'_>) -> Vec<Note> {
    let runs_on = |host| {
        let mut there = decide.sight.copies(rollout.service).filter(|(at, ..)| *at == host);
        there.any(|(.., copies)| sight::up(copies).next().is_some())
    };
    let comes = rollout.units.iter().filter_map(|unit| Some((unit.host, unit.start.as_ref()?)));
    let comes = comes.filter(|(host, _)| !runs_on(*host));
    let mut new: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (host, start) in comes {
        for volume in written(&start.wanted.spec) {
            new.entry(volume).or_default().insert(decide.host_name(host));
        }
    }
    let mut left: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for loss in &rollout.losses {
        let stays = rollout.wanted.iter().any(|(host, ..)| *host == loss.host);
        let had = loss.stops.iter().filter_map(|old| old.spec).flat_map(written);
        for volume in had.filter(|volume| !stays && new.contains_key(volume)) {
            left.entry(volume).or_default().insert(decide.host_name(loss.host));
        }
    }
    let note = |(volume, from): (&str, BTreeSet<&str>)| {
        // Names have no dots, and what stands before is the project's.
        let name = volume.rsplit('.').next().unwrap_or(volume);
        let (service, to) = (rollout.service, list(new[volume].iter().copied()));
        let from = list(from);
        let message = format!(
            "`{service}` goes from {from} to {to} without its data: volume `{name}` stays on {from}, and {to} gets an empty one \
             unless one was left there"
        );
        Note { incomplete: false, message }
    };
    left.into_iter().map(note).collect()
}

/// The volumes that a container writes to, by their names on the host; a path of the host is no volume.
fn written(spec: &ContainerSpec) -> impl Iterator<Item = &str> {
    let volumes = spec.volumes.iter().filter(|volume| !volume.read_only && !volume.source.starts_with('/'));
    volumes.map(|volume| volume.source.as_str())
}
