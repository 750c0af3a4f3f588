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
    let mut services: BTreeMap<String, Arc<Service>> = BTreeMap::new();
    let mut images = BTreeMap::new();
    for seen in &basis.seen.services {
        if let Some(service) = seen.service.as_ref().filter(|_| !basis.scope.covers(&seen.name, basis.config))
        {
            services.insert(seen.name.clone(), Arc::clone(service));
            images.insert(seen.name.clone(), ImageRef::Known(seen.image.clone()));
        }
    }
    let applied = applied(graph);
    for wish in wishes {
        let name = &wish.service.name;
        services.insert(name.clone(), Arc::clone(&wish.service));
        let seen = || basis.seen.services.iter().find(|seen| seen.name == *name);
        let image = applied.get(name).cloned().or_else(|| Some(ImageRef::Known(seen()?.image.clone())));
        images.extend(image.map(|image| (name.clone(), image)));
    }
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

/// From where the services that the plan applies have their images.
fn applied(graph: &Graph) -> BTreeMap<String, ImageRef> {
    let applies = graph.requests().filter_map(|request| match request {
        Request::ClusterApply(apply) => Some((apply.service.name.clone(), apply.image.clone())),
        _ => None,
    });
    applies.collect()
}
