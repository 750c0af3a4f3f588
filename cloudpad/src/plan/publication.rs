//! What the inventory tells others of the project's instances, once a plan is done. Pure.
//!
//! It is the same for whatever makes the plan: what runs, less what the plan stops, and what it starts. So it is told in one
//! request, after all that changes containers, and only where it is not what is told already.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{ContainerSpec, Host, Instance, Project};
use cloudpad_plugin_api::stage::inventory::{Publication, Publish, Served};

use super::model::{Action, Plan};
use crate::config::machine;
use crate::inventory::Inventory;
use crate::observed::{HostState, Observed};

/// The address of this machine's own engine, for others on it.
const LOCAL: &str = "127.0.0.1";

/// Instances by their hosts and the names of their containers.
type Running<'a> = BTreeMap<(&'a str, &'a str), Served>;

/// Adds to `plan` that others are told where instances are when it is done, if the inventory tells it and it will be another
/// thing than now.
pub fn publish(plan: &mut Plan, project: &Project, inventory: &Inventory, observed: &Observed) {
    let Some(Publication { services: Some(told), now }) = &observed.published else { return };
    let mut services = wanted(plan, inventory, observed, told);
    for service in told.keys() {
        services.entry(service.clone()).or_default();
    }
    services
        .retain(|service, instances| told.get(service).map(Vec::as_slice).unwrap_or_default() != *instances);
    if services.is_empty() {
        return;
    }
    let request = Publish { project: project.clone(), services, since: now.clone() };
    let needs = last_of_rollout(plan);
    let id = u32::try_from(plan.actions.len()).unwrap_or(u32::MAX);
    let request = Request::InventoryPublish(request);
    let key = format!("publish/{}", project.prefix());
    plan.actions.push(Action { id, needs, host: None, service: None, continues: false, key, request });
}

/// Every service's instances in the end, in order.
fn wanted(
    plan: &Plan,
    inventory: &Inventory,
    observed: &Observed,
    told: &BTreeMap<String, Vec<Served>>,
) -> BTreeMap<String, Vec<Served>> {
    let mut running = seen(inventory, observed);
    plan.actions.iter().for_each(|action| follow(&mut running, &action.request));
    // Of hosts that were not looked at it stays as it is; one that is no host any more tells nothing.
    let is_seen = |host: &str| matches!(observed.hosts.get(host), Some(HostState::Seen(_)));
    let elsewhere = told
        .values()
        .flatten()
        .filter(|served| inventory.get(&served.host).is_some() && !is_seen(&served.host));
    let mut services: BTreeMap<String, Vec<Served>> = BTreeMap::new();
    for served in running.values().chain(elsewhere) {
        services.entry(served.instance.service.clone()).or_default().push(served.clone());
    }
    services.values_mut().for_each(|instances| instances.sort());
    services
}

fn seen<'a>(inventory: &'a Inventory, observed: &'a Observed) -> Running<'a> {
    let hosts = observed.seen().filter_map(|(name, seen)| Some((inventory.get(name)?, seen)));
    let containers =
        hosts.flat_map(|(host, seen)| seen.containers.iter().map(move |container| (host, container)));
    let up = containers.filter(|(_, container)| container.state.is_up());
    up.map(|(host, container)| {
        let served = served(host, &container.instance, container.spec.as_deref());
        ((host.name.as_str(), container.name.as_str()), served)
    })
    .collect()
}

/// What is removed was stopped before.
fn follow<'a>(running: &mut Running<'a>, request: &'a Request) {
    match request {
        Request::DeployStart(q) => {
            let served = served(&q.host, &q.instance, Some(&q.spec));
            running.insert((&q.host.name, &q.container), served);
        }
        Request::DeployStop(q) => drop(running.remove(&(q.host.name.as_str(), q.container.name.as_str()))),
        _ => {}
    }
}

fn served(host: &Host, instance: &Instance, spec: Option<&ContainerSpec>) -> Served {
    let address = if host.is_local() { LOCAL } else { machine(&host.address) };
    let ports = spec.map(|spec| spec.ports.clone()).unwrap_or_default();
    Served { instance: instance.clone(), host: host.name.clone(), address: address.to_owned(), ports }
}

/// The actions without which nothing of the rollout is done, and that no other such action waits for.
fn last_of_rollout(plan: &Plan) -> Vec<u32> {
    let work: Vec<&Action> = plan.actions.iter().filter(|action| !action.is_cleanup()).collect();
    let needed: BTreeSet<u32> = work.iter().flat_map(|action| &action.needs).copied().collect();
    work.iter().map(|action| action.id).filter(|id| !needed.contains(id)).collect()
}
