//! The plan that removes what nothing needs any more: containers and releases beyond those that are kept, and images. Pure.

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{Record, Remove};

use super::about::about;
use super::decide::Decide;
use super::graph::Graph;
use super::one_offs::OneOffs;
use super::past;
use super::record::Memory;
use super::retain::Retain;
use super::rollout::named;
use super::sight::HostSight;
use super::supply::Supply;
use super::{Goal, Plan, Scope, hosts};
use crate::config::{Config, Problem};
use crate::inventory::Inventory;
use crate::observed::Observed;

/// Decides what hosts can do without. Nothing that runs is touched but for one-off containers that are `named`, nor any volume
/// with data.
///
/// # Errors
/// Of the selection, and hosts that cannot be looked at; a name that no one-off container has.
pub fn prune(
    config: &Config,
    inventory: &Inventory,
    observed: &Observed,
    goal: &Goal,
    named: &[String],
) -> Result<Plan, Vec<Problem>> {
    let needed = |scope: &Scope| hosts::needed(goal, scope);
    about((config, inventory), observed, goal, needed, |decide, notes| {
        let gone: Vec<_> = decide.gone_services().map(|name| decide.gone(name, &mut Vec::new())).collect();
        let supply = Supply::new(config, inventory, observed, goal);
        let retain = Retain::new(decide, &gone, &supply);
        let one_offs = OneOffs::new(decide, named)?;
        let mut graph = Graph::default();
        for index in decide.hosts.iter() {
            if let Some(host) = decide.sight.host(index) {
                tidy(&mut graph, decide, (&retain, &one_offs), (index, host));
            }
        }
        notes.extend(one_offs.notes);
        Ok(Plan { actions: graph.finish().unwrap_or_default(), ..Plan::default() })
    })
}

/// Forgets first, so that what a release needs is there for as long as it is remembered.
fn tidy<'a>(
    graph: &mut Graph,
    decide: &Decide<'a>,
    (retain, one_offs): (&Retain<'a, '_>, &OneOffs<'a>),
    (index, sight): (usize, &'a HostSight<'a>),
) {
    let (host, project) = (decide.inventory.hosts()[index].clone(), decide.config.project.clone());
    let memory = memory(decide, sight);
    let mut needs = Vec::new();
    if !memory.forgotten.is_empty() {
        let forget = memory.forgotten.iter().map(|old| old.id.clone()).collect();
        let record = Record { host: host.clone(), project: project.clone(), release: None, forget };
        let key = format!("record/{}", host.name);
        needs.push(graph.add(key, None, Vec::new(), Request::DeployRecord(record)));
    }
    let none_stops = vec![None; decide.sight.containers()];
    let containers = retain.surplus(index, sight, &none_stops, Some(&memory));
    let images = retain.unneeded(sight, &containers, &memory);
    let (stops, one_offs) = one_offs.stop(graph, decide, index);
    needs.extend(stops);
    if containers.is_empty() && images.is_empty() && one_offs.is_empty() {
        return;
    }
    let key = format!("remove/{}", host.name);
    let containers = containers.iter().map(|old| named(old)).chain(one_offs).collect();
    let remove = Remove { host, project, containers, images };
    graph.add(key, None, needs, Request::DeployRemove(remove));
}

fn memory<'a>(decide: &Decide<'a>, sight: &'a HostSight<'a>) -> Memory<'a> {
    let mut forgotten: Vec<_> = past::known(sight.seen).iter().collect();
    let surplus = past::surplus(&forgotten, decide.config.deploy.keep).len();
    let kept = forgotten.split_off(surplus);
    Memory { new: None, kept, forgotten }
}
