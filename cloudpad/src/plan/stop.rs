//! The plan that stops containers for as long as nobody starts them again. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::model::Restart;

use super::asked::Asked;
use super::sight::{self, Sighted, serves};
use super::unit::{Loss, Rollout};
use super::{ChangeKind, Note, Plan};
use crate::config::Problem;

/// Stops what runs of the targets, and has requests led elsewhere before. What is protected is stopped where its service is
/// named. Nothing is forgotten: the containers stay, and so do their routes, which lead nowhere meanwhile.
///
/// # Errors
/// A target of which there is nothing; hosts that cannot be looked at.
pub fn stop(asked: &Asked<'_>) -> Result<Plan, Vec<Problem>> {
    asked.plan(|decide, notes| {
        let nowhere = asked.nowhere(&decide.instances().map(|(_, which, _)| which).collect());
        if !nowhere.is_empty() {
            return Err(nowhere);
        }
        let mut rollouts: BTreeMap<&str, Rollout<'_>> = BTreeMap::new();
        for (host, which, copies) in decide.instances().filter(|(_, which, _)| asked.means(*which)) {
            let mut stops = sight::up(copies).collect();
            decide.leave_alone(host, &mut stops, notes);
            if stops.is_empty() {
                continue;
            }
            notes.extend(stops.iter().filter_map(|old| decide.named_all_the_same(host, old)));
            notes.extend(stops.iter().filter_map(|old| comes_back(decide.host_name(host), old)));
            let (kind, serves) = (ChangeKind::Stop, serves(copies));
            // Of what is asked to stop, none has to serve.
            let rollout = rollouts.entry(which.service).or_insert_with(|| decide.empty(which.service, 0));
            rollout.losses.push(Loss { kind, host, which, stops, serves, early: false });
        }
        notes.extend(rollouts.values().flat_map(|rollout| decide.none_left(rollout)));
        if !rollouts.is_empty() {
            notes.push(Note { incomplete: false, message: UNTIL.to_owned() });
        }
        decide.order(rollouts.into_values().collect())
    })
}

/// That the engine does not leave it at that.
fn comes_back(host: &str, old: &Sighted<'_>) -> Option<Note> {
    let message =
        format!("`{}` on `{host}` has `restart = \"always\"`: it comes back when the engine does", old.name);
    (old.spec?.restart == Restart::Always).then_some(Note { incomplete: false, message })
}

const UNTIL: &str = "what is stopped stays so until `cloudpad start`, or the next `cloudpad deploy`";
