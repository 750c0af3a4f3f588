//! What a swarm cannot be asked for. Pure.

use cloudpad_plugin_api::model::Check;
use cloudpad_plugin_api::stage::cluster::{Cannot, Cannots, Review, Scale, Service};

use crate::names;

pub(crate) fn review(request: &Review) -> Cannots {
    let mut cannot = Vec::new();
    for service in &request.services {
        let name = names::service(&request.project, &service.name);
        let found = problems(service, &name);
        cannot.extend(found.into_iter().map(|(key, message, hint)| Cannot {
            service: service.name.clone(),
            key: key.to_owned(),
            message,
            hint: Some(hint.to_owned()),
        }));
    }
    Cannots { cannot }
}

fn problems(service: &Service, engine: &str) -> Vec<(&'static str, String, &'static str)> {
    let (spec, name) = (&service.spec, &service.name);
    let mut found = Vec::new();
    if engine.len() > names::LONGEST {
        let message =
            format!("its service would be called `{engine}`, and a swarm takes {} letters", names::LONGEST);
        found.push(("", message, "give it a shorter name"));
    }
    if !spec.volumes.is_empty() {
        let message =
            format!("`{name}` has volumes, which stay on a node when the swarm moves an instance to another");
        found.push(("volumes", message, "keep what has to last outside of the swarm"));
    }
    if spec.ports.iter().any(|port| port.host_ip.is_some()) {
        let message = format!(
            "`{name}` listens on one address of a host, and in a swarm a port is open on all of a node's"
        );
        found.push(("ports", message, "leave the address out"));
    }
    if spec.networks.iter().any(|network| matches!(network.as_str(), "none" | "bridge")) {
        let message = format!("`{name}` is in a network that every engine has of its own");
        found.push(("networks", message, "name networks of the project, or `host`"));
    }
    if spec.health.as_ref().is_some_and(|health| health.needs_connection()) {
        let what = match spec.health.as_ref().map(|health| &health.check) {
            Some(Check::Http { .. }) => "HTTP",
            _ => "TCP",
        };
        let message = format!(
            "the health of `{name}` is asked by {what}, and which node to ask is known to the swarm alone"
        );
        found.push((
            "health",
            message,
            "have the engine ask, in the container: `health = { command = [...] }`",
        ));
    }
    if matches!(service.scale, Scale::PerNode(2..)) {
        let message = format!(
            "`{name}` has several instances on each node, and a swarm has one there, or so many in all"
        );
        found.push(("per_host", message, "ask for `replicas`"));
    }
    if service.place.roles.len() + service.place.nodes.len() > 1 {
        let message = format!(
            "`{name}` may run on nodes of this or that kind, and what a swarm asks of a node has to be so all at once"
        );
        let key = if service.place.roles.len() > 1 { "roles" } else { "hosts" };
        found.push((key, message, "give these nodes a role of their own, and name that"));
    }
    found
}
