//! From the config, or from what a cluster remembers, to what each service is to be. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudpad_plugin_api::Stage;
use cloudpad_plugin_api::stage::cluster::{Order, Place, Scale, Service, Update};
use cloudpad_plugin_api::stage::deploy::ImageRef;

use super::Basis;
use crate::config::{self, Config, Count, OnFailure, Problem};
use crate::plan::spec::{self, Blueprint};
use crate::plan::{Scope, supply::Supply};

/// What a service is to be.
pub(super) struct Wish<'a> {
    pub(super) service: Arc<Service>,
    pub(super) id: String,
    pub(super) from: From<'a>,
    /// Secrets that have another value now than when a release had it.
    pub(super) renewed: BTreeSet<String>,
}

/// Where its image comes from.
pub(super) enum From<'a> {
    /// An image of the config.
    Config(&'a str),
    /// Where a release had it from.
    Record(ImageRef),
}

/// What identifies a service.
pub(super) fn id(service: &Service) -> String {
    spec::digest(&serde_json::to_vec(service).unwrap_or_default())
}

/// What of the config no cluster can do.
pub(super) fn problems(config: &Config, scope: &Scope) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, service) in config.services.iter().filter(|(name, _)| scope.services.contains_key(*name)) {
        let mut cannot = |key: &str, message: String| {
            problems.push(Problem::at_key(format!("services.{name}.{key}"), message));
        };
        if service.route.is_some() {
            cannot(
                "route",
                format!("`{name}` has a route, and the proxy for routes runs on hosts, not in a cluster"),
            );
        }
        if service.protected {
            cannot(
                "protected",
                format!("`{name}` cannot be protected in a cluster, which moves instances as it sees fit"),
            );
        }
        if service.ports.iter().any(|range| range.first != range.last) {
            cannot(
                "ports",
                format!("`{name}` has a range of ports, and in a cluster all its instances have the same"),
            );
        }
    }
    problems.extend(publishes(config));
    for (name, _) in config.jobs.iter().filter(|(name, _)| scope.jobs.contains_key(*name)) {
        let message =
            format!("job `{name}` would run with the deploy, and jobs run on hosts, not in a cluster");
        problems.push(Problem::at_key(format!("jobs.{name}"), message));
    }
    problems
}

/// That others are to be told where instances are: a cluster moves them when it sees fit, and tells nobody.
fn publishes(config: &Config) -> Option<Problem> {
    let choice = config.stages.get(&Stage::Inventory)?;
    if choice.provider.as_deref() != Some("etcd") || choice.config.get("publish").is_none() {
        return None;
    }
    let message = "`publish` would tell others where instances are, and in a cluster only the cluster knows";
    let hint = "remove `publish`; what is outside finds the services by their published ports, on every node of a swarm";
    Some(Problem::at_key("stages.inventory.config.publish", message).hint(hint))
}

/// What the services that are meant are to be.
///
/// # Errors
/// A release that the cluster does not remember.
pub(super) fn wishes<'a>(basis: &Basis<'a>, supply: &Supply<'a>) -> Result<Vec<Wish<'a>>, Vec<Problem>> {
    if let Some(id) = &basis.goal.restore {
        return remembered(basis, id);
    }
    let Basis { config, scope, .. } = *basis;
    let meant = config.services.iter().filter(|(name, _)| scope.services.contains_key(*name));
    let wishes = meant.map(|(name, service)| {
        let image = supply.reference(&service.image).unwrap_or_default();
        let release = (basis.goal.release.as_str(), &basis.observed.secrets);
        let wanted = Blueprint::new(config, (name, service), image, release).wanted(1)?;
        let nodes = scope.services[name].len();
        let wish = of((name, service), &config.deploy, Arc::clone(&wanted.spec), nodes);
        let from = From::Config(&service.image);
        Ok(Wish { id: id(&wish), service: Arc::new(wish), from, renewed: BTreeSet::new() })
    });
    wishes.collect::<Result<Vec<_>, _>>().map_err(|problem| vec![problem])
}

fn of(
    (name, service): (&str, &config::Service),
    policy: &config::Policy,
    spec: Arc<cloudpad_plugin_api::model::ContainerSpec>,
    nodes: usize,
) -> Service {
    let (scale, all) = match service.count {
        Count::Replicas(count) => (Scale::Replicas(count), count),
        Count::PerHost(count) => {
            let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
            (Scale::PerNode(count), count.saturating_mul(nodes))
        }
    };
    let stops_first = spec::stops_first(service);
    let most = if stops_first { all.saturating_sub(policy.min_healthy.of(all)) } else { all };
    let update = Update {
        batch: policy.batch.of(all).min(most).max(1),
        order: if stops_first { Order::StopFirst } else { Order::StartFirst },
        settle_ms: policy.settle_ms,
        ready_within_ms: policy.ready_timeout_ms,
        rollback: policy.on_failure == OnFailure::Rollback,
    };
    let place = Place { roles: service.roles.clone(), nodes: service.hosts.clone() };
    Service { name: name.to_owned(), spec, scale, place, update }
}

fn remembered<'a>(basis: &Basis<'a>, wanted: &str) -> Result<Vec<Wish<'a>>, Vec<Problem>> {
    let releases = basis.seen.releases.as_deref().unwrap_or_default();
    let Some(release) = releases.iter().find(|release| release.id == wanted) else {
        let message = format!("the cluster does not remember release `{wanted}`");
        return Err(vec![Problem::new(message).hint("`cloudpad releases` lists those that it does")]);
    };
    let meant = release.services.iter().filter(|(name, _)| basis.scope.covers(name, basis.config));
    let wish = |(name, service): (&String, &Arc<Service>)| {
        let image = release.images.get(name).cloned();
        let from = From::Record(image.unwrap_or_else(|| ImageRef::Known(service.spec.image.clone())));
        let as_it_was = id(service);
        // What runs still needs no value, so none was asked for.
        if basis.seen.services.iter().any(|seen| seen.name == *name && seen.id == as_it_was) {
            return Wish { id: as_it_was, service: Arc::clone(service), from, renewed: BTreeSet::new() };
        }
        let (service, renewed) = renewed(service, &basis.observed.secrets, |_| true);
        Wish { id: id(&service), service: Arc::new(service), from, renewed }
    };
    Ok(meant.map(wish).collect())
}

/// A service with the values that those secrets have now of which `lost` says, by what they are there, that what they had is not kept; and
/// which of them are others.
pub(super) fn renewed(
    service: &Service,
    marks: &BTreeMap<String, String>,
    lost: impl Fn(&str) -> bool,
) -> (Service, BTreeSet<String>) {
    let (mut service, mut renewed) = (service.clone(), BTreeSet::new());
    let secrets = Arc::make_mut(&mut service.spec).secrets.iter_mut();
    for (_, secret) in secrets.filter(|(target, _)| lost(target)) {
        if let Some(now) = marks.get(&secret.name).filter(|now| **now != secret.mark) {
            secret.mark.clone_from(now);
            renewed.insert(secret.name.clone());
        }
    }
    (service, renewed)
}
