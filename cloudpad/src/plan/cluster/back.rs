//! The plan that brings back what a cluster ran before a failed one. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::stage::cluster::{Apply, Observation, Rollout, Seen};
use cloudpad_plugin_api::stage::deploy::ImageRef;
use cloudpad_plugin_api::{Failure, FailureKind, Outcome, Reply, Request};

use super::{Wanted, await_ready, change, of_now, release_of, remove, serves, wish};
use crate::config::{Config, Secret};
use crate::plan::graph::Graph;
use crate::plan::{ChangeKind, Goal, Note, Plan};

/// A plan that has failed, and what became of it.
pub struct Tried<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What came of those of its actions that were begun, by number.
    pub outcomes: &'a BTreeMap<u32, Result<Reply, Failure>>,
}

impl Tried<'_> {
    /// What it may have made of services, by their names. What was stale has been left alone: that is somebody else's.
    pub fn touched(&self) -> BTreeMap<&str, &Apply> {
        let is_left_alone =
            |failure: &Failure| failure.kind == FailureKind::Stale && failure.outcome == Outcome::None;
        let was_begun =
            |id| self.outcomes.get(id).is_some_and(|done| !done.as_ref().is_err_and(is_left_alone));
        let begun = self.plan.actions.iter().filter(|action| was_begun(&action.id));
        let applied = begun.filter_map(|action| match &action.request {
            Request::ClusterApply(apply) => Some((apply.service.name.as_str(), &**apply)),
            _ => None,
        });
        applied.collect()
    }
}

/// Has each service that the plan has begun to change be what it was `before`, from what it is `now`. Where the cluster has gone back
/// by itself, that is waited for; what somebody else has made of a service meanwhile is left alone, as a note. A variable gets the value
/// that its secret has now, in `marks`, as nobody keeps the one that it had.
pub fn back(
    tried: &Tried<'_>,
    before: &Observation,
    now: &Observation,
    marks: &BTreeMap<String, String>,
    (config, goal): (&Config, &Goal),
) -> Plan {
    let (mut graph, mut changes, mut notes) = (Graph::default(), Vec::new(), Vec::new());
    let find = |all: &'_ [Seen], name: &str| all.iter().position(|seen| seen.name == name);
    for (name, applied) in tried.touched() {
        let was = find(&before.services, name).map(|at| &before.services[at]);
        let is = find(&now.services, name).map(|at| &now.services[at]);
        match (was, is) {
            (None, None) => {}
            (Some(was), Some(is))
                if was.id == is.id && !was.id.is_empty() && is.rollout != Rollout::Paused =>
            {
                if let Some(service) = was.service.as_ref().filter(|_| !serves(is)) {
                    changes.push(change(name, ChangeKind::Await, Vec::new()));
                    await_ready(&mut graph, config, service, &was.id, Vec::new());
                }
            }
            (was, Some(is)) if is_others(applied, was, is) => notes.push(Note {
                incomplete: true,
                message: format!("`{name}` was changed by somebody else meanwhile, so it is left alone"),
            }),
            (None, Some(is)) => {
                changes.push(change(name, ChangeKind::Remove, Vec::new()));
                remove(&mut graph, config, &[is], Vec::new());
            }
            (Some(was), seen) => match &was.service {
                Some(service) if !was.id.is_empty() => {
                    changes.push(change(name, super::replaces(service), Vec::new()));
                    let (service, secrets) = wish::renewed(service, marks, |target| !Secret::is_file(target));
                    notes.extend(secrets.iter().map(|secret| of_now(name, secret)));
                    let id = if secrets.is_empty() { was.id.clone() } else { wish::id(&service) };
                    let service = Arc::new(service);
                    let image = ImageRef::Known(was.image.clone());
                    let wanted = Wanted { service: &service, id: &id, image, seen };
                    let applied = wanted.add(&mut graph, config, release_of(was, goal), Vec::new());
                    await_ready(&mut graph, config, &service, &id, vec![applied]);
                }
                _ => notes.push(Note {
                    incomplete: true,
                    message: format!("`{name}` stays as it is: what it was before is not known"),
                }),
            },
        }
    }
    let actions = graph.finish().unwrap_or_default();
    Plan { changes, actions, notes, ..Plan::default() }
}

/// Whether what a service is now is neither what was there before nor what the plan has made of it.
fn is_others(applied: &Apply, was: Option<&Seen>, is: &Seen) -> bool {
    let is_as_before = was.is_some_and(|was| was.id == is.id || was.revision == is.revision);
    let is_of_plan = is.id == applied.id && (is.release.is_empty() || is.release == applied.release);
    !is_as_before && !is_of_plan
}
