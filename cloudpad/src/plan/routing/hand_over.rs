//! Routes that end since others take their requests: they end once these are served, where nothing forbids it. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::stage::deploy::RouteSeen;

use super::{Led, Routing};
use crate::inventory::list;
use crate::plan::Note;
use crate::plan::graph::{Graph, Node};
use crate::words::routes::requests;

/// Who serves what a route has led elsewhere so far.
enum Heir<'a> {
    /// Another service on the same host.
    Service(&'a str),
    /// The service itself, on other hosts.
    Elsewhere,
}

/// What is told once of several hosts: the requests, the service, and who takes its place.
type Gap<'a> = (String, &'a str, Option<&'a str>);

impl<'a> Routing<'a> {
    /// Has each route that ends, and with it what is stopped then, wait until requests are led to what takes its place: another service
    /// that takes the same requests on the host, or else the service itself where it is new. Where that one waits itself for what
    /// is stopped, nobody answers meanwhile, which is a note. To be called once all else waits for what it has to; `rules` are those of
    /// the routes that there are in the end.
    pub(in crate::plan) fn hand_over(&self, graph: &mut Graph, rules: &Led<'a>) -> Vec<Note> {
        let mut moved: BTreeMap<&'a str, Node> = BTreeMap::new();
        let mut gaps: BTreeMap<Gap<'a>, Vec<&str>> = BTreeMap::new();
        for (&(host, service), &end) in &self.ended {
            let Some(route) = self.route(host, service).filter(|route| self.answers(host, route)) else {
                continue;
            };
            let (heir, nodes) = self.heirs((host, service), route, rules);
            // Of very many hosts each would wait for each.
            let nodes = match (&heir, moved.get(service)) {
                (Heir::Elsewhere, Some(&first)) => vec![first],
                _ => nodes,
            };
            if nodes.is_empty() {
                continue;
            }
            if graph.any_waits_for(&nodes, end) {
                let by = match heir {
                    Heir::Service(name) => Some(name),
                    Heir::Elsewhere => None,
                };
                let gap = (requests(&route.rule), service, by);
                gaps.entry(gap).or_default().push(&self.inventory.hosts()[host].name);
                continue;
            }
            nodes.iter().for_each(|&node| graph.need(end, node));
            if matches!(heir, Heir::Elsewhere) {
                moved.entry(service).or_insert(end);
            }
        }
        gaps.into_iter().map(|(gap, hosts)| told(&gap, hosts)).collect()
    }

    /// Whether a route leads to something that runs.
    fn answers(&self, host: usize, route: &RouteSeen) -> bool {
        let named = |name: &String| self.sight.host(host).and_then(|host| host.named(name));
        route.containers.iter().filter_map(named).any(|container| container.state.is_up())
    }

    /// Who takes the place of a service whose route on a host ends, and the actions by which that is led to.
    fn heirs(
        &self,
        (host, service): (usize, &'a str),
        route: &RouteSeen,
        rules: &Led<'a>,
    ) -> (Heir<'a>, Vec<Node>) {
        let claim = route.claim();
        let on_host = rules.range((host, "")..(host + 1, ""));
        let heirs = on_host.filter(|(_, rule)| claim.clashes(rule).is_some()).map(|(at, _)| *at);
        let heirs: Vec<_> = heirs.collect();
        if let Some(&(_, name)) = heirs.first() {
            let nodes = heirs.iter().filter_map(|at| self.leads.get(at)).flatten().copied();
            return (Heir::Service(name), nodes.collect());
        }
        let is_new = |at: &(usize, &str)| at.1 == service && self.route(at.0, service).is_none();
        let new = self.leads.iter().filter(|(at, _)| is_new(at));
        (Heir::Elsewhere, new.flat_map(|(_, nodes)| nodes).copied().collect())
    }
}

fn told((requests, service, by): &Gap<'_>, hosts: Vec<&str>) -> Note {
    let until = match by {
        Some(name) => format!("until `{name}` serves"),
        None => "until it serves elsewhere".to_owned(),
    };
    let message = format!(
        "nobody answers {requests} on {} from when `{service}` stops {until}, which has to wait for that",
        list(hosts)
    );
    Note { incomplete: false, message }
}
