//! Finds out what is so where a cluster decides what runs where: its nodes take the place of hosts. I/O, through a [`Runner`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::cluster::{Cannot, Node, Observation, Observe};
use cloudpad_plugin_api::stage::inventory::Hosts;
use cloudpad_plugin_api::{Cancel, Failure, FailureKind, Reply, Request};

use super::{At, Looked, ask, ask_for_secrets, look_at_images};
use crate::config::{Config, Problem};
use crate::inventory::{Inventory, Selection, list, matches};
use crate::observed::Observed;
use crate::plan::{self, Plan};
use crate::plugin::Providers;
use crate::refusal::Refusal;
use crate::run::Runner;

/// Looks at what `selection` means in the cluster.
///
/// # Errors
/// The cluster cannot be looked at; problems with the selection; failures of sources, images or secrets.
pub async fn look_at_cluster(
    runner: &Runner,
    config: &Config,
    selection: &Selection,
    at: At,
    cache: &Path,
) -> Result<Looked, Refusal> {
    if selection.narrows_hosts() {
        return Err(Refusal::new("the cluster decides which of its nodes run what, so none can be selected")
            .hint("select services"));
    }
    let seen = seen(runner, config, at.also().releases).await?;
    let hosts: Vec<Host> = seen.nodes.iter().map(host).collect();
    let inventory = Inventory::new(&hosts, Hosts::default())?;
    let scope = match at {
        At::Left => plan::scope_of_left(config, &inventory, selection)?,
        _ => plan::scope(config, &inventory, selection)?,
    };
    known(scope.unmatched(), &seen)?;
    let mut observed = match at {
        At::Images | At::ImagesAndHosts | At::Everything => {
            look_at_images(runner, config, &scope, cache).await?
        }
        _ => Observed::default(),
    };
    if at == At::Everything {
        observed.secrets = ask_for_secrets(runner, config, &scope).await?;
    }
    observed.cluster = Some(Box::new(seen));
    Ok(Looked { inventory, scope, observed })
}

/// What the cluster runs of the project.
///
/// # Errors
/// It cannot be looked at.
pub async fn seen(runner: &Runner, config: &Config, releases: bool) -> Result<Observation, Refusal> {
    let request = Request::ClusterObserve(Observe { project: config.project.clone(), releases });
    for reply in ask(runner, vec![request]).await? {
        if let Reply::ClusterSeen(seen) = reply {
            return Ok(*seen);
        }
    }
    Err(Refusal::Failures(vec![Failure::failed("the look at the cluster was not finished")]))
}

fn host(node: &Node) -> Host {
    let Node { name, address, roles, labels, closed: _ } = node.clone();
    Host { name, address, roles, labels }
}

/// Fails where a selector is for services that there are nowhere.
fn known(unmatched: &[String], seen: &Observation) -> Result<(), Refusal> {
    let past = seen.releases.iter().flatten().flat_map(|release| release.services.keys());
    let running: Vec<&str> = seen.services.iter().map(|service| service.name.as_str()).collect();
    let names: Vec<&str> = running.iter().copied().chain(past.map(String::as_str)).collect();
    let unknown = unmatched.iter().find(|pattern| !names.iter().any(|name| matches(pattern, name)));
    match unknown {
        None => Ok(()),
        Some(pattern) => {
            let hint = if running.is_empty() {
                "the cluster runs none".to_owned()
            } else {
                format!("the cluster runs {}", list(running))
            };
            Err(Refusal::new(format!("no service is called `{pattern}`")).hint(hint))
        }
    }
}

/// Has the provider say what of a plan its cluster cannot be asked for.
///
/// # Errors
/// What it cannot, each at its place in the config.
pub async fn review(runner: &Runner, config: &Config, plan: &Plan) -> Result<(), Refusal> {
    let Some(request) = plan::review(config, plan) else { return Ok(()) };
    let replies = match ask(runner, vec![request]).await {
        Err(Refusal::Failures(failures)) if failures.iter().all(|f| f.kind == FailureKind::Unsupported) => {
            return Ok(());
        }
        replies => replies?,
    };
    let problems = problems(replies);
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

/// What of a config its cluster cannot be asked for, as far as that is known before a look at it.
///
/// # Errors
/// What keeps the provider from answering.
pub fn unfit(config: &Config, providers: &Providers) -> Result<Vec<Problem>, Refusal> {
    let request = match plan::cluster_ahead(config, providers.push_scope()) {
        Ok(Some(request)) => request,
        Ok(None) => return Ok(Vec::new()),
        Err(problems) => return Ok(problems),
    };
    match providers.call(&request, request.method(), Arc::new(|_| {}), Cancel::new()) {
        Ok(reply) => Ok(problems(vec![reply])),
        Err(failure) if failure.kind == FailureKind::Unsupported => Ok(Vec::new()),
        Err(failure) => Err(Refusal::Failures(vec![failure])),
    }
}

/// What these answers to a review tell of, each once.
fn problems(replies: Vec<Reply>) -> Vec<Problem> {
    let mut problems = BTreeMap::new();
    for reply in replies {
        if let Reply::Reviewed(reviewed) = reply {
            problems.extend(
                reviewed
                    .cannot
                    .into_iter()
                    .map(|cannot| ((cannot.service.clone(), cannot.key.clone()), cannot)),
            );
        }
    }
    problems.into_values().map(problem).collect()
}

fn problem(cannot: Cannot) -> Problem {
    let Cannot { service, key, message, hint } = cannot;
    let key = if key.is_empty() { String::new() } else { format!(".{key}") };
    let problem = Problem::at_key(format!("services.{service}{key}"), message);
    Problem { hint, ..problem }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloudpad_plugin_api::stage::cluster::{Order, Place, Release, Scale, Seen, Service, Update};

    use super::*;

    #[test]
    fn what_runs_is_told_once_however_many_releases_had_it() {
        let update =
            Update { batch: 1, order: Order::StartFirst, settle_ms: 0, ready_within_ms: 0, rollback: true };
        let service = |name: &str| {
            let (spec, scale, place) = (Arc::default(), Scale::Replicas(1), Place::default());
            (name.to_owned(), Arc::new(Service { name: name.to_owned(), spec, scale, place, update }))
        };
        let release = |id: &str| Release {
            id: id.to_owned(),
            services: ["web", "old"].map(service).into(),
            ..Release::default()
        };
        let web = Seen { name: "web".to_owned(), ..Seen::default() };
        let releases = Some(vec![release("r1"), release("r2")]);
        let seen = Observation { services: vec![web], releases, ..Observation::default() };
        assert!(known(&["web".to_owned(), "old".to_owned()], &seen).is_ok());
        let Err(Refusal::Message { hint, .. }) = known(&["nope".to_owned()], &seen) else { panic!() };
        assert_eq!(hint.as_deref(), Some("the cluster runs `web`"));
    }
}
