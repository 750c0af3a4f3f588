//! Machines that go by two names, as far as what runs there tells. Pure.
//!
//! A deploy finds out by its lock, on a machine where nothing of the project is too; a plan takes no lock. It is no more than a
//! note, since nothing has other providers' ids be different on each host.

use std::collections::BTreeMap;

use super::Note;
use super::sight::Sight;
use crate::inventory::Inventory;

/// Hosts on which the very containers of another are, as it seems: an engine gives no two the same id.
pub(super) fn notes(inventory: &Inventory, sight: &Sight<'_>) -> Vec<Note> {
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut notes = Vec::new();
    for (index, host) in inventory.hosts().iter().enumerate() {
        let ids = sight.host(index).into_iter().flat_map(|sight| &sight.seen.containers);
        // The same machine tells of the same ones, so one of them is enough.
        let Some(id) = ids.map(|container| container.id.as_str()).min() else { continue };
        if let Some(other) = hosts.insert(id, index) {
            let (host, other) = (&host.name, &inventory.hosts()[other].name);
            let message = format!(
                "`{host}` has the very containers of `{other}`: is it the same machine? a deploy refuses one that goes by two names"
            );
            notes.push(Note { incomplete: false, message });
        }
    }
    notes
}
