//! The secrets whose values a plan about containers that are there needs, whatever the config says by now. Pure.

use std::collections::BTreeSet;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{Observation, SetRoute, Start, Tls};

use super::Plan;
use crate::config::Secret;
use crate::observed::{HostState, Observed};

/// The secrets of what a plan makes, those that what it starts again has as files, which may be gone since, and those of
/// routes that are new on a host.
pub fn secrets(plan: &Plan, observed: &Observed) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for action in &plan.actions {
        let seen = match action.host.as_deref().and_then(|host| observed.hosts.get(host)) {
            Some(HostState::Seen(seen)) => seen,
            _ => continue,
        };
        match &action.request {
            Request::DeployStart(start) => names.extend(of_container(start, seen)),
            Request::DeployRoute(route) => names.extend(of_route(route, seen)),
            _ => {}
        }
    }
    names
}

fn of_container(start: &Start, seen: &Observation) -> BTreeSet<String> {
    let is_there = seen.containers.iter().any(|old| old.name == start.container);
    let needed = start.spec.secrets.iter().filter(|(target, _)| !is_there || Secret::is_file(target));
    needed.map(|(_, secret)| secret.name.clone()).collect()
}

fn of_route(route: &SetRoute, seen: &Observation) -> Vec<String> {
    let is_there = seen.proxy.as_ref().is_some_and(|proxy| proxy.route(&route.service).is_some());
    let rule = route.rule.as_ref().filter(|_| !is_there);
    match rule.and_then(|rule| rule.tls.as_ref()) {
        Some(Tls::Own { certificate, key }) => vec![certificate.name.clone(), key.name.clone()],
        _ => Vec::new(),
    }
}
