//! What records of a release say of the project's other hosts, so that those who stay know which one has left. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::stage::deploy::{Presence, Release};

use super::decide::Decide;
use super::past;
use super::record::Memory;

/// In so many records it stands. One on each host would be as much as all hosts times all hosts.
const HOLDERS: usize = 3;

/// Of more hosts than this it is not said, since each look at a holder brings it for every release that is remembered.
const MOST: usize = 1000;

/// Adds it to the first records of this plan's release.
pub(super) fn note(decide: &Decide<'_>, memories: &mut BTreeMap<usize, Memory<'_>>) {
    if decide.inventory.hosts().len() > MOST || memories.values().all(|memory| memory.new.is_none()) {
        return;
    }
    let hosts = Arc::new(hosts(decide, memories));
    let new = memories.values_mut().filter_map(|memory| memory.new.as_mut());
    new.take(HOLDERS).for_each(|release| Arc::make_mut(release).hosts = Arc::clone(&hosts));
}

fn hosts(decide: &Decide<'_>, memories: &BTreeMap<usize, Memory<'_>>) -> BTreeMap<String, Presence> {
    let all = decide.inventory.hosts();
    let seen = (0..all.len()).filter_map(|index| Some(decide.sight.host(index)?.seen));
    let before = past::widest(seen.flat_map(past::known));
    let presence = |index: usize| {
        let new = memories.get(&index).and_then(|memory| memory.new.as_deref());
        let release = match decide.sight.host(index) {
            Some(host) => {
                new.or_else(|| past::current(host.seen)).filter(|release| is_something(release))?.id.clone()
            }
            // Of one that was not seen, what was so before is so.
            None => before?.hosts.get(&all[index].name)?.release.clone(),
        };
        Some((all[index].name.clone(), Presence { address: all[index].address.clone(), release }))
    };
    (0..all.len()).filter_map(presence).collect()
}

fn is_something(release: &Release) -> bool {
    !release.containers.is_empty()
}
