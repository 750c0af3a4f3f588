//! What a plan has the cluster remember of its release. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::cluster::{Record, Release, Service};
use cloudpad_plugin_api::stage::deploy::ImageRef;

use super::Basis;
use super::wish::Wish;
use crate::observed::Observed;
use crate::plan::graph::Graph;
use crate::plan::supply::Supply;
use crate::plan::{Action, Goal, Plan, Until};

/// Has the cluster remember all that is to run since, where that is something new, and forget what is too old. It is the last
/// thing that is done: what has failed or was undone is no release.
pub(super) fn note<'a>(graph: &mut Graph, basis: &Basis<'a>, supply: &Supply<'a>, wishes: &[Wish<'a>]) {
    let Some(known) = &basis.seen.releases else { return };
    let services = to_run(basis, wishes);
    let applied = applied(graph);
    let image = |name: &String| {
        let seen = || basis.seen.services.iter().find(|seen| seen.name == *name);
        applied.get(name).cloned().or_else(|| Some(ImageRef::Known(seen()?.image.clone())))
    };
    let images = services.keys().filter_map(|name| Some((name.clone(), image(name)?))).collect();
    let current = known.last();
    if current.is_some_and(|current| current.services == services)
        || (current.is_none() && services.is_empty())
    {
        return;
    }
    let before = current.map(|current| &current.services);
    let was = |name: &str| before.and_then(|before| before.get(name));
    let mut changed: Vec<String> = services
        .iter()
        .filter(|(name, service)| was(name) != Some(service))
        .map(|(name, _)| name.clone())
        .collect();
    changed.extend(
        before
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .filter(|name| !services.contains_key(*name))
            .cloned(),
    );
    changed.sort();
    let id = basis.goal.release.clone();
    let release = Release { id, about: Arc::new(supply.about()), changed, services, images };
    let keep = basis.config.deploy.keep as usize;
    let forget =
        known.iter().take(known.len().saturating_sub(keep)).map(|release| release.id.clone()).collect();
    let (key, needs) = (format!("record/{}", release.id), graph.leaves());
    let project = Arc::clone(&basis.config.project);
    graph.add(
        key,
        None,
        needs,
        Request::ClusterRecord(Record { project, release: Some(Arc::new(release)), forget }),
    );
}

/// The release that a plan is of: the newest that a cluster remembers where the plan notes none, as it has it be again what it was then.
pub fn release_name<'a>(plan: &Plan, observed: &'a Observed, goal: &'a Goal) -> &'a str {
    let newest = observed.cluster.as_deref().and_then(|seen| seen.releases.as_deref()?.last());
    let is_noted =
        |action: &Action| matches!(&action.request, Request::ClusterRecord(q) if q.release.is_some());
    match newest {
        Some(newest) if goal.until == Until::Deploy && !plan.actions.iter().any(is_noted) => &newest.id,
        _ => &goal.release,
    }
}

/// The release that belongs to what is applied: the newest that is remembered where all is to be as it was then, for there comes no other.
pub(super) fn release<'a>(basis: &Basis<'a>, wishes: &[Wish<'a>]) -> &'a str {
    let newest = basis.seen.releases.iter().flatten().next_back();
    match newest.filter(|newest| newest.services == to_run(basis, wishes)) {
        Some(newest) => &newest.id,
        None => &basis.goal.release,
    }
}

/// All that is to run once the plan is done: what it is about as is wished, and the rest as it is.
fn to_run(basis: &Basis<'_>, wishes: &[Wish<'_>]) -> BTreeMap<String, Arc<Service>> {
    let stays = |name: &str| !basis.scope.covers(name, basis.config);
    let seen = basis.seen.services.iter().filter(|seen| stays(&seen.name));
    let seen = seen.filter_map(|seen| Some((seen.name.clone(), Arc::clone(seen.service.as_ref()?))));
    seen.chain(wishes.iter().map(|wish| (wish.service.name.clone(), Arc::clone(&wish.service)))).collect()
}

/// From where the services that the plan applies have their images.
fn applied(graph: &Graph) -> BTreeMap<String, ImageRef> {
    let applies = graph.requests().filter_map(|request| match request {
        Request::ClusterApply(apply) => Some((apply.service.name.clone(), apply.image.clone())),
        _ => None,
    });
    applies.collect()
}
