//! Plans about what a cluster runs as it is, whatever the config says by now. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::cluster::{Observation, Record, Scale, Service};
use cloudpad_plugin_api::stage::deploy::ImageRef;

use super::difference::resized;
use super::{Wanted, await_ready, change, finish, release_of, remove, wish};
use crate::config::{Config, Problem};
use crate::instances::Size;
use crate::plan::graph::Graph;
use crate::plan::{ChangeKind, Goal, Plan, Scope};

/// Takes all services that are meant off the cluster; with the last of them, what it remembers of the project.
///
/// # Errors
/// None so far.
pub fn remove_from(
    config: &Config,
    scope: &Scope,
    seen: &Observation,
    goal: &Goal,
) -> Result<Plan, Vec<Problem>> {
    let mut graph = Graph::default();
    let gone: Vec<_> = seen.services.iter().filter(|service| scope.covers(&service.name, config)).collect();
    let changes = gone.iter().map(|service| change(&service.name, ChangeKind::Remove, Vec::new())).collect();
    if !gone.is_empty() {
        remove(&mut graph, config, &gone, Vec::new());
    }
    let forget: Vec<_> = seen.releases.iter().flatten().map(|release| release.id.clone()).collect();
    if gone.len() == seen.services.len() && !goal.select.narrows_services() && !forget.is_empty() {
        let (project, needs) = (Arc::clone(&config.project), graph.leaves());
        let record = Record { project, release: None, forget };
        graph.add("forget".to_owned(), None, needs, Request::ClusterRecord(record));
    }
    finish(graph, changes)
}

/// Has services have more or fewer instances, as they are applied now.
///
/// # Errors
/// A service that the cluster does not run, or of which it has one on each node.
pub fn scale_in(
    config: &Config,
    seen: &Observation,
    goal: &Goal,
    sizes: &[Size],
) -> Result<Plan, Vec<Problem>> {
    let (mut graph, mut changes, mut problems) = (Graph::default(), Vec::new(), Vec::new());
    for Size { service: name, count } in sizes {
        let found = seen.services.iter().find(|service| service.name == *name);
        let Some((found, was)) = found.and_then(|found| Some((found, found.service.as_ref()?))) else {
            problems
                .push(Problem::new(format!("the cluster runs no service `{name}`")).hint("deploy it first"));
            continue;
        };
        let Scale::Replicas(_) = was.scale else {
            let message = format!("`{name}` has an instance on each node, and so many it keeps");
            problems.push(Problem::new(message).hint("ask for `replicas` in the config"));
            continue;
        };
        let service = Arc::new(Service { scale: Scale::Replicas(*count), ..Service::clone(was) });
        let id = wish::id(&service);
        if id == found.id {
            continue;
        }
        let why = resized(was.scale, service.scale);
        changes.push(change(name, ChangeKind::Adjust, why.into_iter().collect()));
        let image = ImageRef::Known(found.image.clone());
        let wanted = Wanted { service: &service, id: &id, image, seen: Some(found) };
        // It is the release that it was: by hand there comes no other.
        let applied = wanted.add(&mut graph, config, release_of(found, goal), Vec::new());
        await_ready(&mut graph, config, &service, &id, vec![applied]);
    }
    if problems.is_empty() { finish(graph, changes) } else { Err(problems) }
}

/// The secrets of what a plan applies.
pub fn secrets_of(plan: &Plan) -> BTreeSet<String> {
    let applied = plan.actions.iter().filter_map(|action| match &action.request {
        Request::ClusterApply(apply) => Some(apply),
        _ => None,
    });
    applied.flat_map(|apply| apply.service.spec.secrets.values().map(|secret| secret.name.clone())).collect()
}
