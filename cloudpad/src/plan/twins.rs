//! Machines that go by two names, as far as what runs there tells. Pure.
//!
//! A deploy finds out by its lock, on a machine where nothing of the project is too; a plan takes no lock.

use std::collections::BTreeMap;

use super::sight::Sight;
use crate::config::Problem;
use crate::inventory::Inventory;

/// Hosts on which the very containers of another are: no two have the same id.
pub(super) fn problems(inventory: &Inventory, sight: &Sight<'_>) -> Vec<Problem> {
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut problems = Vec::new();
    for (index, host) in inventory.hosts().iter().enumerate() {
        let ids = sight.host(index).into_iter().flat_map(|sight| &sight.seen.containers);
        // The same machine tells of the same ones, so one of them is enough.
        let Some(id) = ids.map(|container| container.id.as_str()).min() else { continue };
        if let Some(other) = hosts.insert(id, index) {
            let other = &inventory.hosts()[other].name;
            let message = format!("`{}` is the same machine as `{other}`", host.name);
            let hint = "a machine is one host; give it all its roles in one place";
            problems.push(Problem::at_key(inventory.key(&host.name), message).hint(hint));
        }
    }
    problems
}
