//! The routes that held at the time of a release, and what becomes of those that hold now. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudpad_plugin_api::model::SecretRef;
use cloudpad_plugin_api::stage::deploy::{Release, RouteSeen, Rule, Tls};

use super::Restore;
use crate::config::Problem;
use crate::inventory::list;
use crate::plan::Note;
use crate::plan::past::{self, At};
use crate::plan::routing::Led;
use crate::plan::rule::Rules;
use crate::words::routes::requests;

impl<'a> Restore<'_, 'a> {
    /// What the hosts that are changed remember of the release, by their place in the inventory.
    fn recorded(&self) -> impl Iterator<Item = (usize, &'a Release)> {
        let recorded = |host| match past::at(self.decide.sight.host(host)?.seen, self.id) {
            At::Recorded(release) => Some((host, release)),
            At::Nothing | At::Forgotten => None,
        };
        self.decide.hosts.iter().filter_map(recorded)
    }

    /// The routes of the release that are meant, by host and service, where it says which there were.
    fn routes(&self) -> impl Iterator<Item = (usize, &'a str, &'a Arc<Rule>)> {
        let routes = self.recorded().flat_map(|(host, release)| {
            release.routes.iter().flatten().map(move |(service, rule)| (host, service.as_str(), rule))
        });
        routes.filter(|(_, service, _)| self.decide.scope.covers(service, self.decide.config))
    }

    /// The secrets of the release's routes.
    pub(in crate::plan) fn routes_secrets(&self) -> BTreeSet<String> {
        let own = self.routes().flat_map(|(.., rule)| own(rule.tls.as_ref()));
        own.map(|secret| secret.name.clone()).collect()
    }

    /// The rules that routes are to have: those of the release, with the certificates of now, and where it does not say them
    /// those of the config.
    pub(in crate::plan) fn rules(&self) -> Result<Rules<'a>, Vec<Problem>> {
        let mut rules: BTreeMap<usize, BTreeMap<&'a str, Arc<Rule>>> = self
            .recorded()
            .filter(|(_, release)| release.routes.is_some())
            .map(|(host, _)| (host, BTreeMap::new()))
            .collect();
        let mut problems = BTreeMap::new();
        for (host, service, was) in self.routes() {
            match self.of_now(was) {
                Ok(rule) => _ = rules.entry(host).or_default().insert(service, rule),
                Err(secret) => {
                    _ = problems.entry((service, secret.clone())).or_insert_with(|| {
                        let message =
                            format!("nobody knows the secret `{secret}`, which the route of `{service}` had");
                        Problem::new(message).hint(format!("release `{}` cannot do without it", self.id))
                    })
                }
            }
        }
        match problems.is_empty() {
            true => Ok(Rules::restored(rules, Rules::config(self.decide.config, self.decide.secrets))),
            false => Err(problems.into_values().collect()),
        }
    }

    /// A rule with the marks that its secrets have now; else the name of one that nobody knows.
    fn of_now(&self, was: &Arc<Rule>) -> Result<Arc<Rule>, String> {
        let mark = |secret: &SecretRef| match self.decide.secrets.get(&secret.name) {
            Some(mark) => Ok(SecretRef { mark: mark.clone(), ..secret.clone() }),
            None => Err(secret.name.clone()),
        };
        let Some(Tls::Own { certificate, key }) = &was.tls else { return Ok(Arc::clone(was)) };
        let tls = Tls::Own { certificate: mark(certificate)?, key: mark(key)? };
        let rule = Rule { tls: Some(tls), ..(**was).clone() };
        Ok(if rule == **was { Arc::clone(was) } else { rule.into() })
    }

    /// What nobody answers any more once the release is back, and what comes back to which no requests are led since nobody knows
    /// its route. `rules` are those of the routes that there are then.
    pub(in crate::plan) fn lost_routes(&self, rules: &Led<'a>) -> Vec<Note> {
        let mut lost: BTreeMap<(String, bool), BTreeSet<&str>> = BTreeMap::new();
        let mut alone: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let is_meant = |service: &str| self.decide.scope.covers(service, self.decide.config);
        for (host, release) in self.recorded() {
            let (name, is_said) = (self.decide.host_name(host), release.routes.is_some());
            let is_left = |route: &&RouteSeen| {
                let mut new = rules.range((host, "")..(host + 1, ""));
                let is_so = |((_, service), rule): (&(usize, &str), &Arc<Rule>)| {
                    *service == route.service || takes_over(rule, route)
                };
                is_meant(&route.service) && !new.any(is_so)
            };
            let seen = self.decide.sight.host(host).and_then(|host| host.seen.proxy.as_deref());
            let seen = seen.map_or(&[][..], |proxy| &proxy.routes);
            for route in seen.iter().filter(is_left) {
                lost.entry((requests(&route.rule), is_said)).or_default().insert(name);
            }
            let services = release.containers.iter().map(|old| old.instance.service.as_str());
            let unknown = services.filter(|service| {
                is_meant(service) && !is_said && !self.decide.config.services.contains_key(*service)
            });
            for service in unknown.filter(|_| !seen.is_empty()) {
                alone.entry(service).or_default().insert(name);
            }
        }
        let lost = lost.iter().map(|((requests, is_said), hosts)| self.lost(requests, *is_said, hosts));
        lost.chain(alone.iter().map(|(service, hosts)| self.alone(service, hosts))).collect()
    }

    fn lost(&self, requests: &str, is_said: bool, hosts: &BTreeSet<&str>) -> Note {
        let (hosts, id) = (list(hosts.iter().copied()), self.id);
        let why = match is_said {
            true => format!("release `{id}` had no route for it"),
            false => format!(
                "release `{id}` does not say which routes it had, and the file has none for what runs then"
            ),
        };
        Note { incomplete: false, message: format!("nobody answers {requests} on {hosts} any more: {why}") }
    }

    fn alone(&self, service: &str, hosts: &BTreeSet<&str>) -> Note {
        let (hosts, id) = (list(hosts.iter().copied()), self.id);
        let message = format!(
            "no requests are led to `{service}` on {hosts}: release `{id}` does not say which routes it had, and the file has no `services.{service}`"
        );
        Note { incomplete: false, message }
    }
}

/// The secrets of a certificate.
fn own(tls: Option<&Tls>) -> Vec<&SecretRef> {
    match tls {
        Some(Tls::Own { certificate, key }) => vec![certificate, key],
        Some(Tls::Auto) | None => Vec::new(),
    }
}

/// Whether a rule takes what leads to a route's service now, all of it or some.
fn takes_over(rule: &Rule, route: &RouteSeen) -> bool {
    route.claim().clashes(rule).is_some()
}
