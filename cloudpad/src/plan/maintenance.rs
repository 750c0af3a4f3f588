//! The plan that takes services out of service, or back, for those who ask. Pure.

use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{RouteSeen, Rule, SetRoute};

use super::graph::{Graph, key};
use super::{Note, Plan, Scope};
use crate::config::{Config, Problem};
use crate::inventory::Inventory;
use crate::observed::{HostState, Observed};

/// Has the routes of the scope answer with this page, or lead to their services again. It is about the routes as they are on the
/// hosts, be the config ahead of them or not.
///
/// # Errors
/// No service that is meant has a route on a host that is in sight.
pub fn maintenance(
    config: &Config,
    inventory: &Inventory,
    scope: &Scope,
    observed: &Observed,
    page: Option<&str>,
) -> Result<Plan, Vec<Problem>> {
    let (mut graph, mut notes, mut any) = (Graph::default(), Vec::new(), false);
    for host in scope.hosts.iter().map(|&index| &inventory.hosts()[index]) {
        let proxy = match observed.hosts.get(&host.name) {
            Some(HostState::Seen(seen)) => seen.proxy.as_deref(),
            Some(HostState::Unseen(why)) => {
                let message = format!("host `{}` cannot be looked at: {why}", host.name);
                notes.push(Note { incomplete: true, message });
                None
            }
            None => None,
        };
        let Some((proxy, made)) = proxy.and_then(|proxy| Some((proxy, proxy.made.as_ref()?))) else {
            continue;
        };
        for route in proxy.routes.iter().filter(|route| scope.covers(&route.service, config)) {
            any = true;
            let Some(rule) = changed(route, page) else { continue };
            let request = SetRoute {
                host: host.clone(),
                project: config.project.clone(),
                proxy: made.clone().into(),
                service: route.service.clone(),
                rule: Some(rule),
                add: Vec::new(),
                remove: Vec::new(),
                drain_ms: 0,
            };
            let key = key("route", &host.name, &route.service);
            graph.add(key, Some(&route.service), Vec::new(), Request::DeployRoute(Box::new(request)));
        }
    }
    if !any && !notes.iter().any(|note| note.incomplete) {
        let problem = Problem::new("no service that is meant has a route on the hosts");
        return Err(vec![problem.hint("`[services.NAME.route]` gives it one, with the next deploy")]);
    }
    Ok(Plan { actions: graph.finish().unwrap_or_default(), notes, ..Plan::default() })
}

/// The rule with this page, where it does not have it.
fn changed(route: &RouteSeen, page: Option<&str>) -> Option<Arc<Rule>> {
    let differs = route.rule.maintenance.as_deref() != page;
    differs.then(|| Rule { maintenance: page.map(str::to_owned), ..(*route.rule).clone() }.into())
}

/// The services of the scope that answer with such a page, with their hosts.
pub fn in_maintenance<'a>(observed: &'a Observed, covers: &dyn Fn(&str) -> bool) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    for (host, state) in &observed.hosts {
        let HostState::Seen(seen) = state else { continue };
        let routes = seen.proxy.iter().flat_map(|proxy| &proxy.routes);
        let closed = routes.filter(|route| route.rule.maintenance.is_some() && covers(&route.service));
        found.extend(closed.map(|route| (host.as_str(), route.service.as_str())));
    }
    found
}
