//! Where requests are led while a rollout goes on: to a new container once it serves, and away from an old one before it is
//! stopped. Pure.
//!
//! Each action is about what is added and what goes, so it does not matter in which order those of one host come. The first on
//! a host also sets right what else is not as it should be there; where nothing else happens, it is an action of its own.

mod hand_over;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{ImageRef, Proxy, ProxySeen, Pull, RouteSeen, Rule, SetRoute};

use super::graph::{Graph, Node, key};
use super::rule::{self, Rules};
use super::sight::{Sight, Sighted};
use super::unit::{Rollout, Unit};
use crate::config::Config;
use crate::inventory::Inventory;

/// Rules by host and service.
pub(super) type Led<'a> = BTreeMap<(usize, &'a str), Arc<Rule>>;

/// The routes of a plan.
pub(super) struct Routing<'a> {
    config: &'a Config,
    inventory: &'a Inventory,
    sight: &'a Sight<'a>,
    rules: Rules<'a>,
    /// Whether there are any: most plans have none, and very many containers.
    any: bool,
    /// What has not been told yet of what is to be set right, by host and service.
    steady: BTreeMap<(usize, &'a str), BTreeSet<&'a str>>,
    /// Containers that the plan starts or waits for, by host.
    coming: BTreeSet<(usize, String)>,
    /// Where a service still belongs.
    placed: BTreeSet<(usize, &'a str)>,
    /// The actions that lead requests to containers, by host and service.
    leads: BTreeMap<(usize, &'a str), Vec<Node>>,
    /// The action that ends a route, and where there is another.
    ended: BTreeMap<(usize, &'a str), Node>,
    begun: BTreeSet<(usize, &'a str)>,
    /// Where it has been decided what is to be done.
    settled: BTreeSet<(usize, &'a str)>,
    /// Containers that get no requests for a while, by host.
    away: BTreeSet<(usize, &'a str)>,
    /// The action that brings the proxy's image to a host.
    pulls: BTreeMap<usize, Option<Node>>,
}

/// What changes at a container's route.
pub(super) struct Switch<'s> {
    pub(super) add: Option<&'s str>,
    pub(super) remove: Vec<&'s str>,
    /// Whether what is removed still answers, and is waited for.
    pub(super) drains: bool,
}

/// The action by which a switch is made.
pub(super) enum Switched {
    /// One that waits for what it was said to need.
    After(Node),
    /// One that waits for nothing.
    Apart(Node),
}

impl Switched {
    pub(super) fn node(&self) -> Node {
        let (Self::After(node) | Self::Apart(node)) = self;
        *node
    }
}

impl<'a> Routing<'a> {
    pub(super) fn new(
        config: &'a Config,
        inventory: &'a Inventory,
        sight: &'a Sight<'a>,
        rules: Rules<'a>,
    ) -> Self {
        let routed = |sight: &Sight<'_>| {
            let seen = (0..inventory.hosts().len()).filter_map(|host| sight.host(host));
            seen.into_iter()
                .any(|host| host.seen.proxy.as_ref().is_some_and(|proxy| !proxy.routes.is_empty()))
        };
        let of_file = config.services.values().any(|service| service.route.is_some());
        let any = of_file || rules.are_there() || routed(sight);
        Self {
            config,
            inventory,
            sight,
            any: any || rules.before().is_some_and(routed),
            rules,
            steady: BTreeMap::new(),
            coming: BTreeSet::new(),
            placed: BTreeSet::new(),
            leads: BTreeMap::new(),
            ended: BTreeMap::new(),
            begun: BTreeSet::new(),
            settled: BTreeSet::new(),
            away: BTreeSet::new(),
            pulls: BTreeMap::new(),
        }
    }

    /// Takes note of where a service's instances are, before its actions are added.
    pub(super) fn expect(&mut self, rollout: &Rollout<'a>) {
        if !self.any {
            return;
        }
        let service = rollout.service;
        let units = rollout.units.iter().chain(&rollout.starting).chain(&rollout.waits);
        let hosts =
            units.map(|unit: &Unit<'_>| unit.host).chain(rollout.steady.iter().map(|(host, _)| *host));
        self.placed.extend(hosts.map(|host| (host, service)));
        let units = rollout.units.iter().chain(&rollout.starting).chain(&rollout.waits);
        for unit in units {
            let ready = unit.ready.as_ref().map(|(container, _)| container);
            let start = unit.start.as_ref().map(|new| &new.wanted.name);
            self.coming.extend(ready.into_iter().chain(start).map(|name| (unit.host, name.clone())));
        }
        for &(host, name) in &rollout.steady {
            self.steady.entry((host, service)).or_default().insert(name);
        }
    }

    fn seen(&self, host: usize) -> Option<&'a ProxySeen> {
        self.sight.host(host)?.seen.proxy.as_deref()
    }

    /// The proxy as it should be.
    fn proxy(&self, host: usize) -> Arc<Proxy> {
        self.rules.proxy(self.config, self.seen(host))
    }

    /// The proxy as it is, where there is one: who only ends a route asks for no other.
    fn made(&self, host: usize) -> Option<&'a Proxy> {
        self.seen(host)?.made.as_ref()
    }

    fn route(&self, host: usize, service: &str) -> Option<&'a RouteSeen> {
        self.seen(host)?.route(service)
    }

    /// The rule as it should be.
    fn rule(&mut self, host: usize, service: &'a str) -> Option<Arc<Rule>> {
        let is_placed = self.placed.contains(&(host, service));
        self.rules.of(host, service, is_placed, self.route(host, service))
    }

    /// The rules of the routes that there are in the end, by host and service, without the pages that are shown in a service's place.
    /// To be asked once all services are expected.
    pub(super) fn led(&mut self) -> Led<'a> {
        let placed: Vec<_> = self.placed.iter().copied().collect();
        let led = placed.into_iter().filter_map(|at| Some((at, rule::lasting(&self.rule(at.0, at.1)?))));
        led.collect()
    }

    /// Adds the action for a switch; none where all is so already.
    pub(super) fn switch(
        &mut self,
        graph: &mut Graph,
        (host, service): (usize, &'a str),
        switch: Switch<'_>,
        needs: &[Node],
    ) -> Option<Switched> {
        if !self.any {
            return None;
        }
        let at = (host, service);
        if let Some(&node) = self.ended.get(&at) {
            return Some(Switched::Apart(node));
        }
        self.settled.insert(at);
        let (rule, route) = (self.rule(host, service), self.route(host, service));
        let proxy = self.seen(host)?;
        let routed = |name: &str| {
            let led = route.is_some_and(|route| route.containers.iter().any(|c| c == name));
            led && !self.away.contains(&(host, name))
        };
        let add = switch.add.filter(|name| self.rules.may_add(host, service, name));
        let mut add: Vec<&str> = add.into_iter().collect();
        let mut remove = switch.remove;
        if rule.is_none() {
            // That of a service which had none is not there to be ended.
            route?;
            add.clear();
            remove.clear();
        } else if !self.begun.contains(&at) {
            let steady = self.steady.get(&at).into_iter().flatten();
            add.extend(steady.filter(|name| !routed(name)));
            remove.extend(self.dangling(host, route));
        }
        let is_right = match (&rule, route) {
            (Some(rule), Some(route)) => {
                *rule == route.rule && proxy.settled && proxy.made.as_ref() == Some(&self.proxy(host))
            }
            _ => false,
        };
        if is_right && add.iter().all(|name| routed(name)) && !remove.iter().any(|name| routed(name)) {
            return None;
        }
        let same_rule = is_right || self.begun.contains(&at);
        if same_rule && add.is_empty() && remove.is_empty() {
            return None;
        }
        let answers = rule.is_none() && route.is_some_and(|route| !route.containers.is_empty());
        let drains = switch.drains && (answers || remove.iter().any(|name| routed(name)));
        // A route is ended at once, unless it is handed over: what the others wait for may itself wait for that.
        let needs: &[Node] = if rule.is_some() { needs } else { &[] };
        let pull = match rule.is_none() && self.made(host).is_some() {
            true => None,
            false => self.pull(graph, host),
        };
        let needs: Vec<Node> = needs.iter().copied().chain(pull).collect();
        let node = self.add(graph, at, rule.clone(), (&add, &remove), drains, needs);
        if rule.is_none() {
            self.ended.insert(at, node);
            return Some(Switched::Apart(node));
        }
        self.begun.insert(at);
        if !add.is_empty() {
            self.leads.entry(at).or_default().push(node);
        }
        Some(Switched::After(node))
    }

    /// Has containers get no requests before they are restarted. They are led to again by another switch.
    pub(super) fn leave(
        &mut self,
        graph: &mut Graph,
        at: (usize, &'a str),
        containers: &[&'a Sighted<'a>],
        needs: &[Node],
    ) -> Option<Node> {
        let names = || containers.iter().map(|old| old.container.name.as_str());
        let switch = Switch { add: None, remove: names().collect(), drains: true };
        let left = self.switch(graph, at, switch, needs);
        self.away.extend(names().map(|name| (at.0, name)));
        left.map(|left| left.node())
    }

    /// Containers that get requests, are gone, and do not come back.
    fn dangling(&self, host: usize, route: Option<&'a RouteSeen>) -> Vec<&'a str> {
        let names = route.into_iter().flat_map(|route| &route.containers).map(String::as_str);
        let is_up = |name: &str| {
            let container = self.sight.host(host).and_then(|host| host.named(name));
            container.is_some_and(|container| container.state.is_up())
        };
        names.filter(|name| !is_up(name) && !self.coming.contains(&(host, (*name).to_owned()))).collect()
    }

    /// The routes of these hosts, those that are there and those that should be.
    pub(super) fn all(&self, hosts: impl Iterator<Item = usize>) -> BTreeSet<(usize, &'a str)> {
        let seen = |host| {
            self.seen(host)
                .into_iter()
                .flat_map(|proxy| &proxy.routes)
                .map(move |r| (host, r.service.as_str()))
        };
        hosts.flat_map(seen).chain(self.placed.iter().copied()).collect()
    }

    /// Adds an action for a route that no other action sets right. Whether there was none.
    pub(super) fn mend(&mut self, graph: &mut Graph, at: (usize, &'a str), remove: Vec<&str>) -> bool {
        let is_left = !self.settled.contains(&at);
        if is_left {
            self.switch(graph, at, Switch { add: None, remove, drains: true }, &[]);
        }
        is_left
    }

    /// Leads requests away from these once all else is done on the host.
    pub(super) fn lead_away(&mut self, graph: &mut Graph, at: (usize, &'a str), remove: Vec<&str>) {
        if remove.is_empty() {
            return;
        }
        let needs = graph.leaves_on(&self.inventory.hosts()[at.0].name);
        self.switch(graph, at, Switch { add: None, remove, drains: true }, &needs);
    }

    /// Takes note of a container that is to get requests.
    pub(super) fn keep(&mut self, at: (usize, &'a str), container: &'a str) {
        self.steady.entry(at).or_default().insert(container);
    }

    /// Brings the proxy's image to a host where the proxy is not made from it yet.
    fn pull(&mut self, graph: &mut Graph, host: usize) -> Option<Node> {
        if let Some(&node) = self.pulls.get(&host) {
            return node;
        }
        let image = &self.proxy(host).image;
        let seen = &self.sight.host(host)?.seen;
        let is_made = self.made(host).is_some_and(|made| made.image == *image);
        let node = (!is_made && !seen.images.contains(image)).then(|| {
            let to = self.inventory.hosts()[host].clone();
            let key = key("pull", &to.name, image);
            let pull = Pull { host: to, image: ImageRef::Known(image.clone()), tag: None };
            graph.add(key, None, Vec::new(), Request::DeployPull(pull))
        });
        self.pulls.insert(host, node);
        node
    }

    fn add(
        &self,
        graph: &mut Graph,
        (host, service): (usize, &'a str),
        rule: Option<Arc<Rule>>,
        (add, remove): (&[&str], &[&str]),
        drains: bool,
        needs: Vec<Node>,
    ) -> Node {
        let to = self.inventory.hosts()[host].clone();
        let object = add.first().or(remove.first()).copied().unwrap_or(service);
        let key = key("route", &to.name, object);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let proxy = self.made(host).filter(|_| rule.is_none()).cloned().map(Arc::new);
        let request = SetRoute {
            host: to,
            project: self.config.project.clone(),
            proxy: proxy.unwrap_or_else(|| self.proxy(host)),
            service: service.to_owned(),
            rule,
            add: names(add),
            remove: names(remove),
            drain_ms: if drains { self.config.proxy.drain_ms } else { 0 },
        };
        graph.add(key, Some(service), needs, Request::DeployRoute(Box::new(request)))
    }
}
