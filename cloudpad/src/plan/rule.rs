//! The rule that each service's route should have. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::model::SecretRef;
use cloudpad_plugin_api::stage::deploy::{Proxy, ProxySeen, RouteSeen, Rule, Tls};

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
    /// From what a release had, by host and service, and on hosts that do not remember it as by the other rules.
    Restored(BTreeMap<usize, BTreeMap<&'a str, Arc<Rule>>>, Box<Rules<'a>>),
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

    pub(super) fn restored(rules: BTreeMap<usize, BTreeMap<&'a str, Arc<Rule>>>, others: Self) -> Self {
        Self::Restored(rules, others.into())
    }

    /// Whether a service that belongs on a host has a route there, for rules that say what is to be.
    pub(super) fn are_for(&self, host: usize, service: &str) -> bool {
        match self {
            Self::Config { config, .. } => config.services.get(service).is_some_and(|s| s.route.is_some()),
            Self::Restored(rules, others) => match rules.get(&host) {
                Some(rules) => rules.contains_key(service),
                None => others.are_for(host, service),
            },
            Self::Before(_) | Self::Seen | Self::Spread(_) => false,
        }
    }

    /// Whether any service has a route that was not seen.
    pub(super) fn are_there(&self) -> bool {
        match self {
            Self::Config { config, .. } => config.services.values().any(|service| service.route.is_some()),
            Self::Restored(rules, others) => others.are_there() || rules.values().any(|r| !r.is_empty()),
            Self::Before(_) | Self::Seen | Self::Spread(_) => false,
        }
    }

    /// The proxy as it should be on a host: what is not about the config leaves one as it is.
    pub(super) fn proxy(&self, config: &Config, seen: Option<&ProxySeen>) -> Arc<Proxy> {
        let made = seen.and_then(|proxy| proxy.made.as_ref());
        let made = made.filter(|made| !self.are_of_config() && **made != *config.proxy.made);
        made.map_or_else(|| config.proxy.made.clone(), |made| made.clone().into())
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
            Self::Restored(rules, others) => {
                let Some(rules) = rules.get(&host) else { return others.of(host, service, is_placed, seen) };
                let rule = rules.get(service).filter(|_| is_placed)?;
                let maintenance = seen.and_then(|seen| seen.rule.maintenance.clone());
                Some(match maintenance {
                    None => Arc::clone(rule),
                    Some(page) => Rule { maintenance: Some(page), ..(**rule).clone() }.into(),
                })
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
            Self::Config { .. } | Self::Restored(..) | Self::Seen | Self::Spread(_) => None,
        }
    }

    /// Whether the proxy is to be as the config says.
    fn are_of_config(&self) -> bool {
        matches!(self, Self::Config { .. })
    }

    /// Whether requests may be led to a container: by an undo only to those that got some before.
    pub(super) fn may_add(&self, host: usize, service: &str, container: &str) -> bool {
        match self {
            Self::Config { .. } | Self::Restored(..) | Self::Seen | Self::Spread(_) => true,
            Self::Before(before) => {
                let proxy = before.host(host).and_then(|host| host.seen.proxy.as_ref());
                let route = proxy.and_then(|proxy| proxy.route(service));
                route.is_some_and(|route| route.containers.iter().any(|c| c == container))
            }
        }
    }
}

/// A rule without the page that is shown in its service's place.
pub(super) fn lasting(rule: &Arc<Rule>) -> Arc<Rule> {
    match rule.maintenance {
        None => Arc::clone(rule),
        Some(_) => Rule { maintenance: None, ..(**rule).clone() }.into(),
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
