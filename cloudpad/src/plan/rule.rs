//! The rule that each service's route should have. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::model::SecretRef;
use cloudpad_plugin_api::stage::deploy::{RouteSeen, Rule, Tls};

use super::sight::Sight;
use super::spec;
use crate::config::{Config, Route, RouteTls};

/// Where rules come from.
pub(super) enum Rules<'a> {
    /// From the config, for services that belong on the host.
    Config {
        config: &'a Config,
        /// What tells the values of secrets from others, by name.
        marks: &'a BTreeMap<String, String>,
        made: BTreeMap<&'a str, Rule>,
    },
    /// From what was there before.
    Before(&'a Sight<'a>),
    /// From what is there, whatever the config says by now.
    Seen,
    /// The same, and where a service is new, as on the other hosts that have it.
    Spread(&'a Sight<'a>),
}

impl<'a> Rules<'a> {
    pub(super) fn config(config: &'a Config, marks: &'a BTreeMap<String, String>) -> Self {
        Self::Config { config, marks, made: BTreeMap::new() }
    }

    /// The rule of a service on a host, where it has one there. What is in maintenance stays so.
    pub(super) fn of(
        &mut self,
        host: usize,
        service: &'a str,
        is_placed: bool,
        seen: Option<&RouteSeen>,
    ) -> Option<Arc<Rule>> {
        match self {
            Self::Config { config, marks, made } => {
                let route = config.services.get(service).filter(|_| is_placed)?.route.as_ref()?;
                let rule = made.entry(service).or_insert_with(|| rule(config, service, route, marks));
                let seen = seen.map(|seen| &seen.rule);
                let maintenance = seen.and_then(|seen| seen.maintenance.clone());
                let rule = Rule { maintenance, ..rule.clone() };
                // One in memory for all hosts that have the same.
                Some(seen.filter(|seen| ***seen == rule).cloned().unwrap_or_else(|| rule.into()))
            }
            Self::Before(before) => {
                let proxy = before.host(host)?.seen.proxy.as_ref()?;
                proxy.route(service).map(|route| route.rule.clone())
            }
            Self::Seen => seen.map(|seen| seen.rule.clone()),
            Self::Spread(sight) => {
                let route = |host| sight.host(host)?.seen.proxy.as_ref()?.route(service);
                let elsewhere = || sight.copies(service).find_map(|(host, ..)| route(host));
                seen.or_else(|| elsewhere().filter(|_| is_placed)).map(|route| route.rule.clone())
            }
        }
    }

    /// What was there before, where rules come from that.
    pub(super) fn before(&self) -> Option<&'a Sight<'a>> {
        match self {
            Self::Before(before) => Some(before),
            Self::Config { .. } | Self::Seen | Self::Spread(_) => None,
        }
    }

    /// Whether the proxy is to be as the config says.
    pub(super) fn are_of_config(&self) -> bool {
        matches!(self, Self::Config { .. })
    }

    /// Whether requests may be led to a container: by an undo only to those that got some before.
    pub(super) fn may_add(&self, host: usize, service: &str, container: &str) -> bool {
        match self {
            Self::Config { .. } | Self::Seen | Self::Spread(_) => true,
            Self::Before(before) => {
                let proxy = before.host(host).and_then(|host| host.seen.proxy.as_ref());
                let route = proxy.and_then(|proxy| proxy.route(service));
                route.is_some_and(|route| route.containers.iter().any(|c| c == container))
            }
        }
    }
}

fn rule(config: &Config, service: &str, route: &Route, marks: &BTreeMap<String, String>) -> Rule {
    let secret = |name: &String| {
        let mark = marks.get(name).cloned().unwrap_or_default();
        SecretRef { name: name.clone(), mark, ..SecretRef::default() }
    };
    let networks = &config.services[service].networks;
    Rule {
        hosts: route.hosts.clone(),
        path: route.path.clone(),
        port: route.port,
        network: spec::networks(networks, &config.project).into_iter().next().unwrap_or_default(),
        health: route.health.clone(),
        tls: route.tls.as_ref().map(|tls| match tls {
            RouteTls::Auto => Tls::Auto,
            RouteTls::Own { certificate, key } => {
                Tls::Own { certificate: secret(certificate), key: secret(key) }
            }
        }),
        redirect: route.redirect,
        timeout_ms: route.timeout_ms,
        max_body: route.max_body,
        sticky: route.sticky,
        headers: route.headers.clone(),
        maintenance: None,
    }
}
