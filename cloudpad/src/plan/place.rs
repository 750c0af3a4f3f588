//! Which instance of a service belongs on which host. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::hosts::HostSet;
use super::sight::{self, Sight};
use crate::config::{Count, Service};

/// Host (by its place in the inventory) and number of every instance, in the order of updates.
///
/// A host that could not be seen counts as one with no instance: those that nobody else has are
/// then just the ones that fall to it, and nothing moves because a host was away.
pub(super) fn place(
    name: &str,
    service: &Service,
    eligible: &[usize],
    sight: &Sight<'_>,
) -> Vec<(usize, u32)> {
    match service.count {
        Count::PerHost(count) => {
            eligible.iter().flat_map(|&host| (1..=count).map(move |number| (host, number))).collect()
        }
        Count::Replicas(count) => spread(name, count, eligible, sight),
    }
}

fn spread(name: &str, count: u32, eligible: &[usize], sight: &Sight<'_>) -> Vec<(usize, u32)> {
    let homes = homes(name, count, eligible, sight);
    fill(homes.into_iter().map(|(number, (_, host))| (number, host)).collect(), count, eligible)
}

/// As many instances as are to be: those that have a home already, by number, and the others where there are fewest.
pub(super) fn fill(mut homes: BTreeMap<u32, usize>, count: u32, eligible: &[usize]) -> Vec<(usize, u32)> {
    let mut load: BTreeMap<usize, usize> = eligible.iter().map(|&host| (host, 0)).collect();
    for host in homes.values() {
        if let Some(load) = load.get_mut(host) {
            *load += 1;
        }
    }
    let mut least: BTreeSet<(usize, usize)> = load.into_iter().map(|(host, load)| (load, host)).collect();
    for number in 1..=count {
        if homes.contains_key(&number) {
            continue;
        }
        let Some((load, host)) = least.pop_first() else { break };
        homes.insert(number, host);
        least.insert((load + 1, host));
    }
    let mut placed: Vec<_> = homes.into_iter().map(|(number, host)| (host, number)).collect();
    placed.sort_unstable();
    placed
}

/// Where each instance is that is there already: by number, whether it runs, and the host. Of two
/// homes the one where it runs wins, then the first.
fn homes(name: &str, count: u32, eligible: &[usize], sight: &Sight<'_>) -> BTreeMap<u32, (bool, usize)> {
    let eligible: HostSet = eligible.iter().copied().collect();
    let mut homes: BTreeMap<u32, (bool, usize)> = BTreeMap::new();
    for (host, number, containers) in sight.copies(name) {
        if number == 0 || number > count || !eligible.contains(host) {
            continue;
        }
        let up = sight::up(containers).next().is_some();
        let home = homes.entry(number).or_insert((up, host));
        if up && !home.0 {
            *home = (true, host);
        }
    }
    homes
}
