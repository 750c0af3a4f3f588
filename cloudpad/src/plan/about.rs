//! What plans about hosts as they are begin with, whatever is to be done there. Pure.

use super::decide::Decide;
use super::hosts::{self, HostSet};
use super::sight::Sight;
use super::{Goal, Note, Plan, Scope, scope};
use crate::config::{Config, Problem};
use crate::inventory::Inventory;
use crate::observed::Observed;

/// Makes a plan of what `make` decides about the hosts that are meant. Of these, `needed` are those that have to be seen; what there
/// is to say of others comes first in the plan's notes.
pub(super) fn about(
    (config, inventory): (&Config, &Inventory),
    observed: &Observed,
    goal: &Goal,
    needed: impl FnOnce(&Scope) -> HostSet,
    make: impl FnOnce(&Decide<'_>, &mut Vec<Note>) -> Result<Plan, Vec<Problem>>,
) -> Result<Plan, Vec<Problem>> {
    let scope = scope(config, inventory, &goal.select)?;
    in_scope((config, inventory, &scope), observed, goal, needed, make)
}

/// The same of a scope that is known.
pub(super) fn in_scope(
    (config, inventory, scope): (&Config, &Inventory, &Scope),
    observed: &Observed,
    goal: &Goal,
    needed: impl FnOnce(&Scope) -> HostSet,
    make: impl FnOnce(&Decide<'_>, &mut Vec<Note>) -> Result<Plan, Vec<Problem>>,
) -> Result<Plan, Vec<Problem>> {
    let sight = Sight::new(inventory, observed);
    let (mut problems, seen) = (Vec::new(), (observed, &sight));
    let needed = needed(scope);
    let (hosts, mut notes) = hosts::hosts((config, inventory, &needed), seen, scope, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let secrets = &observed.secrets;
    let decide = Decide { config, inventory, goal, secrets, scope, sight: &sight, mends: false, hosts };
    let mut told = Vec::new();
    let plan = make(&decide, &mut told)?;
    notes.extend(told);
    Ok(Plan { notes, ..plan })
}
