//! The plan of a deploy where a cluster decides what runs where: what each service is to be, and nothing about hosts. Pure.
//!
//! Images come from a registry, since what runs where is not known when they are pushed. Services do not wait for each other;
//! what is not wanted any more goes once all others serve, and then the release is noted.

mod ahead;
mod back;
#[cfg(test)]
mod back_tests;
mod by_hand;
#[cfg(test)]
mod by_hand_tests;
mod difference;
mod memory;
#[cfg(test)]
mod tests;
mod wish;
#[cfg(test)]
mod wish_tests;

use std::sync::Arc;

use cloudpad_plugin_api::model::Instance;
use cloudpad_plugin_api::stage::cluster::{
    Apply, Named, Observation, Ready, Remove, Review, Rollout, Scale, Seen, Service,
};
use cloudpad_plugin_api::stage::deploy::{ImageRef, State};
use cloudpad_plugin_api::{PushScope, Request};

use super::graph::{Graph, Node};
use super::supply::Supply;
use super::{Change, ChangeKind, Goal, Note, Plan, Scope, Until, deploy};
use crate::config::{Config, Image, Problem};
use crate::observed::Observed;
use difference::{difference, replaces};
use wish::{From, Wish};

pub use ahead::ahead;
pub use back::{Tried, back};
pub use by_hand::{remove_from, scale_in, secrets_of};
pub use memory::release_name;

/// What a change in a cluster is told to be on.
pub const CLUSTER: &str = "cluster";

/// How much longer than its instances need a cluster may take, in milliseconds: it pulls images too.
const SLACK_MS: u64 = 60_000;

/// What a plan about a cluster is made from.
pub(super) struct Basis<'a> {
    pub(super) config: &'a Config,
    pub(super) scope: &'a Scope,
    pub(super) observed: &'a Observed,
    pub(super) seen: &'a Observation,
    pub(super) goal: &'a Goal,
}

/// Makes the plan.
///
/// # Errors
/// Everything that a cluster cannot do.
pub(super) fn plan<'a>(basis: &Basis<'a>, supply: &mut Supply<'a>) -> Result<Plan, Vec<Problem>> {
    let mut problems = wish::problems(basis.config, basis.scope);
    problems.extend(no_registry(basis));
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut graph = Graph::default();
    if basis.goal.until == Until::Push {
        for image in supply.named(&basis.scope.images) {
            if matches!(basis.config.images[image], Image::Built(_)) {
                supply.push_shared(&mut graph, image);
            }
        }
        return finish(graph, Vec::new());
    }
    let wishes = wish::wishes(basis, supply)?;
    let problems: Vec<_> = wishes.iter().filter_map(|wish| taken(basis, wish)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let release = memory::release(basis, &wishes);
    let (mut changes, mut notes) = (Vec::new(), Vec::new());
    for wish in &wishes {
        let seen = basis.seen.services.iter().find(|seen| seen.name == wish.service.name);
        if let Some((kind, why)) = difference(wish, seen) {
            changes.push(change(&wish.service.name, kind, why));
            notes.extend(wish.renewed.iter().map(|secret| of_now(&wish.service.name, secret)));
            bring(&mut graph, basis, supply, wish, seen, kind, release);
        }
    }
    graph.make_first();
    let gone = gone(basis, &wishes);
    if !gone.is_empty() {
        changes.extend(gone.iter().map(|seen| change(&seen.name, ChangeKind::Remove, Vec::new())));
        let needs = graph.leaves();
        remove(&mut graph, basis.config, &gone, needs);
    }
    memory::note(&mut graph, basis, supply, &wishes);
    Ok(Plan { notes, ..finish(graph, changes)? })
}

fn finish(graph: Graph, changes: Vec<Change>) -> Result<Plan, Vec<Problem>> {
    match graph.finish() {
        Ok(actions) => Ok(Plan { changes, actions, ..Plan::default() }),
        Err(knot) => Err(vec![deploy::knotted(&knot)]),
    }
}

/// What of a plan's services the cluster has to be asked about before anything is done; none where it changes none.
pub fn review(config: &Config, plan: &Plan) -> Option<Request> {
    let services = plan.actions.iter().filter_map(|action| match &action.request {
        Request::ClusterApply(apply) => Some(Arc::clone(&apply.service)),
        _ => None,
    });
    let services: Vec<_> = services.collect();
    let project = Arc::clone(&config.project);
    (!services.is_empty()).then_some(Request::ClusterReview(Review { project, services }))
}

/// A name that the cluster has for something that is not the project's.
fn taken(basis: &Basis<'_>, wish: &Wish<'_>) -> Option<Problem> {
    let name = &wish.service.name;
    let owner = basis.seen.taken.get(name)?;
    let message =
        format!("the cluster runs something by the name that `{name}` would have, which is of {owner}");
    Some(
        Problem::at_key(format!("services.{name}"), message)
            .hint("give the service or the project another name, or remove what is there"),
    )
}

/// Nodes are no hosts to which an image could be sent.
fn no_registry(basis: &Basis<'_>) -> Option<Problem> {
    let built = |name: &String| matches!(basis.config.images.get(name), Some(Image::Built(_)));
    let image = basis.scope.images.iter().find(|name| built(name))?;
    if basis.goal.push_scope == PushScope::Shared {
        return None;
    }
    let message = format!(
        "image `{image}` is sent to each host, and which nodes of a cluster need it is known to the cluster alone"
    );
    Some(
        Problem::at_key("stages.push", message)
            .hint("push to a registry: `[stages.push]` with `provider = \"registry\"`"),
    )
}

/// Whether all instances are what the service is to be, and run.
fn serves(seen: &Seen) -> bool {
    let is_it = |id: &str| id.is_empty() || id == seen.id;
    let up = seen.instances.iter().filter(|one| one.state == State::Running && is_it(&one.id)).count();
    seen.rollout != Rollout::Updating && up >= seen.wanted as usize
}

fn change(service: &str, kind: ChangeKind, why: Vec<String>) -> Change {
    let instance = Instance { service: service.to_owned(), number: 0 };
    Change { kind, host: CLUSTER.to_owned(), instance, why: why.into() }
}

fn of_now(service: &str, secret: &str) -> Note {
    let message = format!("`{service}` gets the value that the secret `{secret}` has now");
    Note { incomplete: false, message }
}

/// The release of what was seen.
fn release_of<'a>(seen: &'a Seen, goal: &'a Goal) -> &'a str {
    if seen.release.is_empty() { &goal.release } else { &seen.release }
}

/// Has the cluster run a service, and waits until it does.
fn bring<'a>(
    graph: &mut Graph,
    basis: &Basis<'a>,
    supply: &mut Supply<'a>,
    wish: &Wish<'a>,
    seen: Option<&Seen>,
    kind: ChangeKind,
    release: &str,
) {
    let mut needs = Vec::new();
    if kind != ChangeKind::Await {
        let image = match &wish.from {
            From::Record(image) => image.clone(),
            From::Config(image) => match supply.push_for(graph, image, basis.config) {
                (Some(push), _) => {
                    needs.push(push);
                    ImageRef::PushedBy { pushed_by: push }
                }
                (None, reference) => ImageRef::Known(reference),
            },
        };
        let apply = Wanted { service: &wish.service, id: &wish.id, image, seen };
        needs = vec![apply.add(graph, basis.config, release, needs)];
    }
    await_ready(graph, basis.config, &wish.service, &wish.id, needs);
}

/// What a service is to be, in place of what was seen.
struct Wanted<'a> {
    service: &'a Arc<Service>,
    id: &'a str,
    image: ImageRef,
    seen: Option<&'a Seen>,
}

impl Wanted<'_> {
    fn add(self, graph: &mut Graph, config: &Config, release: &str, needs: Vec<Node>) -> Node {
        let Self { service, id, image, seen } = self;
        let apply = Apply {
            project: Arc::clone(&config.project),
            release: release.to_owned(),
            id: id.to_owned(),
            service: Arc::clone(service),
            image,
            replaces: seen.map(|seen| seen.revision.clone()),
        };
        let key = format!("apply/{}/{id}", service.name);
        graph.add(key, Some(&service.name), needs, Request::ClusterApply(Box::new(apply)))
    }
}

fn await_ready(graph: &mut Graph, config: &Config, service: &Service, id: &str, needs: Vec<Node>) {
    let follows = !needs.is_empty();
    let ready = Ready {
        project: Arc::clone(&config.project),
        service: service.name.clone(),
        id: id.to_owned(),
        settle_ms: service.update.settle_ms,
        timeout_ms: patience(service),
    };
    let key = format!("ready/{}/{id}", service.name);
    let node = graph.add(key, Some(&service.name), needs, Request::ClusterReady(ready));
    if follows {
        graph.continues(node);
    }
}

/// How long an update may take, batch by batch.
fn patience(service: &Service) -> u64 {
    let count = match service.scale {
        Scale::Replicas(count) => count,
        // How many nodes there are in the end is the cluster's affair.
        Scale::PerNode(count) => count.saturating_mul(service.update.batch.max(1)),
    };
    let batches = u64::from(count.div_ceil(service.update.batch.max(1)).max(1));
    let each = service.update.ready_within_ms
        + service.update.settle_ms
        + u64::from(service.spec.stop_timeout) * 1000;
    batches * each + SLACK_MS
}

/// Services of the cluster that are meant and not wanted.
fn gone<'a>(basis: &Basis<'a>, wishes: &[Wish<'a>]) -> Vec<&'a Seen> {
    let wanted = |seen: &Seen| wishes.iter().any(|wish| wish.service.name == seen.name);
    let meant = |seen: &Seen| basis.scope.covers(&seen.name, basis.config);
    basis.seen.services.iter().filter(|seen| meant(seen) && !wanted(seen)).collect()
}

fn remove(graph: &mut Graph, config: &Config, gone: &[&Seen], needs: Vec<Node>) {
    let named = |seen: &&Seen| Named { name: seen.name.clone(), revision: seen.revision.clone() };
    let services: Vec<_> = gone.iter().map(named).collect();
    let names: Vec<_> = services.iter().map(|service| service.name.as_str()).collect();
    let key = format!("remove/{}", names.join("/"));
    let project = Arc::clone(&config.project);
    graph.add(key, None, needs, Request::ClusterRemove(Remove { project, services }));
}
