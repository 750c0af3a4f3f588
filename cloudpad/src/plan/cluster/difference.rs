//! What has to happen to a service, from what it is to be and what was seen of it. Pure.

use cloudpad_plugin_api::stage::cluster::{Order, Rollout, Scale, Seen, Service};

use super::serves;
use super::wish::Wish;
use crate::plan::{ChangeKind, spec};

/// What has to happen to a service, and why; none where it is as it should be.
pub(super) fn difference(wish: &Wish<'_>, seen: Option<&Seen>) -> Option<(ChangeKind, Vec<String>)> {
    let Some(seen) = seen else { return Some((ChangeKind::Create, Vec::new())) };
    if seen.id == wish.id && seen.rollout != Rollout::Paused {
        return (!serves(seen)).then_some((ChangeKind::Await, Vec::new()));
    }
    let new = &wish.service;
    let Some(old) = &seen.service else { return Some((replaces(new), vec!["spec".to_owned()])) };
    let what = spec::differences(Some(&old.spec), &new.spec);
    let kind = if what.is_empty() { ChangeKind::Adjust } else { replaces(new) };
    let mut why: Vec<_> = what.into_iter().chain(where_and_how_many(old, new)).collect();
    if why.is_empty() {
        let update = (old.update != new.update).then_some("update");
        let otherwise = if seen.id == wish.id { "not finished" } else { "changed by others" };
        why.push(update.unwrap_or(otherwise).to_owned());
    }
    Some((kind, why))
}

/// It is said beside whatever else differs: with it, instances come or go.
fn where_and_how_many(old: &Service, new: &Service) -> impl Iterator<Item = String> {
    let place = (old.place != new.place).then(|| "roles".to_owned());
    resized(old.scale, new.scale).into_iter().chain(place)
}

/// How many instances there are to be, and were.
pub(super) fn resized(old: Scale, new: Scale) -> Option<String> {
    match (old, new) {
        _ if old == new => None,
        (Scale::Replicas(old), Scale::Replicas(new)) => Some(format!("replicas {old} -> {new}")),
        (Scale::PerNode(old), Scale::PerNode(new)) => Some(format!("per_host {old} -> {new}")),
        (Scale::Replicas(old), Scale::PerNode(new)) => Some(format!("replicas {old} -> per_host {new}")),
        (Scale::PerNode(old), Scale::Replicas(new)) => Some(format!("per_host {old} -> replicas {new}")),
    }
}

/// How the instances of a service make way for new ones.
pub(super) fn replaces(service: &Service) -> ChangeKind {
    match service.update.order {
        Order::StartFirst => ChangeKind::ReplaceStartFirst,
        Order::StopFirst => ChangeKind::ReplaceStopFirst,
    }
}
