//! The plan that brings back what a cluster ran before a failed one. Pure.

use std::collections::BTreeSet;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::cluster::{Observation, Rollout, Seen};
use cloudpad_plugin_api::stage::deploy::ImageRef;

use super::{Wanted, await_ready, change, release_of, remove, serves};
use crate::config::Config;
use crate::plan::graph::Graph;
use crate::plan::{ChangeKind, Goal, Note, Plan};

/// A plan that has failed, and what of it was begun.
pub struct Tried<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The actions that were begun.
    pub begun: &'a BTreeSet<u32>,
}

impl Tried<'_> {
    /// The services that it has begun to change.
    pub fn touched(&self) -> BTreeSet<&str> {
        let begun = self.plan.actions.iter().filter(|action| self.begun.contains(&action.id));
        let applied = begun.filter_map(|action| match &action.request {
            Request::ClusterApply(apply) => Some(apply.service.name.as_str()),
            _ => None,
        });
        applied.collect()
    }
}

/// Has each service that the plan has begun to change be what it was `before`, from what it is `now`. Where the cluster has gone back
/// by itself, that is waited for.
pub fn back(
    tried: &Tried<'_>,
    before: &Observation,
    now: &Observation,
    config: &Config,
    goal: &Goal,
) -> Plan {
    let (mut graph, mut changes, mut notes) = (Graph::default(), Vec::new(), Vec::new());
    let find = |all: &'_ [Seen], name: &str| all.iter().position(|seen| seen.name == name);
    for name in tried.touched() {
        let was = find(&before.services, name).map(|at| &before.services[at]);
        let is = find(&now.services, name).map(|at| &now.services[at]);
        match (was, is) {
            (None, None) => {}
            (None, Some(is)) => {
                changes.push(change(name, ChangeKind::Remove, Vec::new()));
                remove(&mut graph, config, &[is], Vec::new());
            }
            (Some(was), Some(is))
                if was.id == is.id && !was.id.is_empty() && is.rollout != Rollout::Paused =>
            {
                if let Some(service) = was.service.as_ref().filter(|_| !serves(is)) {
                    changes.push(change(name, ChangeKind::Await, Vec::new()));
                    await_ready(&mut graph, config, service, &was.id, Vec::new());
                }
            }
            (Some(was), seen) => match &was.service {
                Some(service) if !was.id.is_empty() => {
                    changes.push(change(name, super::replaces(service), Vec::new()));
                    let wanted =
                        Wanted { service, id: &was.id, image: ImageRef::Known(was.image.clone()), seen };
                    let applied = wanted.add(&mut graph, config, release_of(was, goal), Vec::new());
                    await_ready(&mut graph, config, service, &was.id, vec![applied]);
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
