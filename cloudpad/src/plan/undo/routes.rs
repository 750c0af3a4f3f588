//! Routes that a failed plan has changed, and its undo leads back. Pure.

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::RouteSeen;

use super::Undo;
use crate::plan::Action;
use crate::plan::graph::Graph;
use crate::plan::routing::Routing;
use crate::plan::sight::Sight;

/// The host and the service whose route an action changes.
pub(super) fn routed(action: &Action) -> Option<(&str, &str)> {
    match &action.request {
        Request::DeployRoute(route) => Some((&route.host.name, &route.service)),
        _ => None,
    }
}

fn route<'a>(sight: &'a Sight<'a>, host: usize, service: &str) -> Option<&'a RouteSeen> {
    sight.host(host)?.seen.proxy.as_ref()?.route(service)
}

fn is_up(sight: &Sight<'_>, host: usize, container: &str) -> bool {
    let container = sight.host(host).and_then(|host| host.named(container));
    container.is_some_and(|container| container.state.is_up())
}

impl<'a> Undo<'a> {
    /// The routes that the failed plan changes, on hosts that are in sight.
    fn routes(&self) -> impl Iterator<Item = (usize, &'a str)> {
        let in_sight = |(host, service): &(&str, &'a str)| {
            let index = self.inventory.index(host)?;
            let is_chosen = self.scope.hosts.contains(&index) && self.before.host(index).is_some();
            (is_chosen && self.now.host(index).is_some()).then_some((index, *service))
        };
        self.routed.iter().filter_map(in_sight)
    }

    /// Says which containers got requests before and can get some at once.
    pub(super) fn keep_routed(&self, routing: &mut Routing<'a>) {
        for (host, service) in self.routes() {
            let Some(before) = route(self.before, host, service) else { continue };
            let name = self.inventory.hosts()[host].name.as_str();
            for container in &before.containers {
                let ends = self.stopping.contains(&(name, container.as_str()));
                // One that did not run before got none, whatever the route said.
                if is_up(self.before, host, container) && is_up(self.now, host, container) && !ends {
                    routing.keep((host, service), container);
                }
            }
        }
    }

    /// Leads requests back where nothing else of the undo does.
    pub(super) fn lead_back(&self, graph: &mut Graph, routing: &mut Routing<'a>) {
        for (host, service) in self.routes() {
            let before = route(self.before, host, service).map_or(&[][..], |route| &route.containers);
            let now = route(self.now, host, service).map_or(&[][..], |route| &route.containers);
            let added = now.iter().filter(|name| !before.contains(name)).map(String::as_str);
            if !routing.mend(graph, (host, service), added.clone().collect()) {
                // What ran before and got no requests goes on running, so no stop leads them away.
                let ran = added.filter(|name| is_up(self.before, host, name)).collect();
                routing.lead_away(graph, (host, service), ran);
            }
        }
    }
}
