//! What one asks before a plan can be made that goes back to a release. Pure.

use std::collections::BTreeSet;

use super::decide::Decide;
use super::look::routes_secrets;
use super::restore::Restore;
use super::sight::Sight;
use super::supply::Supply;
use super::{Goal, hosts, obstacle, scope};
use crate::config::{Config, Problem};
use crate::inventory::Inventory;
use crate::observed::Observed;

/// Why one cannot go back to the release that `goal` names, as far as that is known without secrets.
pub fn obstacles(config: &Config, inventory: &Inventory, observed: &Observed, goal: &Goal) -> Vec<Problem> {
    let back = |restore: &Restore<'_, '_>| {
        obstacle::obstacles(restore, &Supply::new(config, inventory, observed, goal))
    };
    going_back(config, inventory, observed, goal, back).unwrap_or_else(|problems| problems)
}

/// The secrets of all that has to be made again to go back to the release that `goal` names, and of routes: those of
/// the release, and where hosts do not remember them those of the config.
///
/// # Errors
/// As for [`plan`](fn@super::plan), of the selection.
pub fn look_back_for_secrets(
    config: &Config,
    inventory: &Inventory,
    observed: &Observed,
    goal: &Goal,
) -> Result<BTreeSet<String>, Vec<Problem>> {
    going_back(config, inventory, observed, goal, |restore| {
        let mut secrets = restore.secrets();
        secrets.extend(restore.routes_secrets());
        secrets.extend(routes_secrets(config, restore.decide.scope));
        secrets
    })
}

fn going_back<T>(
    config: &Config,
    inventory: &Inventory,
    observed: &Observed,
    goal: &Goal,
    back: impl FnOnce(&Restore<'_, '_>) -> T,
) -> Result<T, Vec<Problem>> {
    let scope = scope(config, inventory, &goal.select)?;
    let sight = Sight::new(inventory, observed);
    let seen = (observed, &sight);
    let needed = hosts::needed(goal, &scope);
    let (hosts, _) = hosts::hosts((config, inventory, &needed), seen, &scope, &mut Vec::new());
    let secrets = &observed.secrets;
    let decide =
        Decide { config, inventory, goal, secrets, scope: &scope, sight: &sight, mends: false, hosts };
    let id = goal.restore.as_deref().unwrap_or_default();
    Ok(back(&Restore { decide: &decide, id }))
}
