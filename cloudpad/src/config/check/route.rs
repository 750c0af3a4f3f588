//! Routes that cannot be, alone or beside each other. Pure.

use std::collections::BTreeMap;

use crate::config::{Config, Problem, Service};

pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    for (name, service) in &config.services {
        problems.extend(unreachable(name, service));
    }
    taken_twice(config, problems);
}

/// The proxy reaches containers in networks of their own only.
fn unreachable(name: &str, service: &Service) -> Option<Problem> {
    service.route.as_ref()?;
    let network =
        service.networks.iter().find(|network| matches!(network.as_str(), "host" | "none" | "bridge"))?;
    let message = format!("the proxy does not reach containers on the network `{network}`");
    let problem = Problem::at_key(format!("services.{name}.route"), message);
    Some(problem.hint("remove `networks`: the project has a network of its own"))
}

/// The same requests for two services: nobody could say which gets them. Capitals make no difference, neither to names nor to the
/// proxy's paths.
fn taken_twice(config: &Config, problems: &mut Vec<Problem>) {
    let mut taken: BTreeMap<(String, String), &str> = BTreeMap::new();
    for (name, service) in &config.services {
        let Some(route) = &service.route else { continue };
        let path = route.path.as_deref().unwrap_or_default().trim_end_matches('/');
        let all = ["every host name"];
        let hosts = route.hosts.iter().map(String::as_str);
        let hosts: Vec<&str> = if route.hosts.is_empty() { all.to_vec() } else { hosts.collect() };
        for host in hosts {
            if let Some(other) = taken.insert((host.to_lowercase(), path.to_lowercase()), name)
                && other != name
            {
                let message = format!("`{host}{path}` leads to service `{other}` already");
                let problem = Problem::at_key(format!("services.{name}.route.hosts"), message);
                problems.push(problem.hint("give one of them another name, or a `path`"));
            }
        }
    }
}
