//! What stays on a host after a deploy, and what is removed. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{Container, Named, Remove};

use super::Note;
use super::decide::Decide;
use super::deploy::stays;
use super::graph::{Graph, Node};
use super::look::is_of;
use super::rollout::named;
use super::sight::HostSight;
use super::unit::Rollout;
use crate::inventory::Inventory;

/// What a deploy leaves on each host.
pub(super) struct Retain<'a, 's> {
    decide: &'s Decide<'a, 's>,
    /// Instances that are not wanted any more, by host, service and number.
    lost: BTreeSet<(usize, &'a str, u32)>,
    /// Names of containers that are started.
    started: BTreeSet<(usize, String)>,
    /// Images that containers are started from.
    images: BTreeSet<(usize, String)>,
}

impl<'a, 's> Retain<'a, 's> {
    pub(super) fn new(decide: &'s Decide<'a, 's>, rollouts: &[Rollout<'a>]) -> Self {
        let mut retain =
            Self { decide, lost: BTreeSet::new(), started: BTreeSet::new(), images: BTreeSet::new() };
        for rollout in rollouts {
            let lost = rollout.losses.iter().map(|loss| (loss.host, rollout.service, loss.instance.number));
            retain.lost.extend(lost);
            for unit in &rollout.units {
                if let Some(new) = &unit.start {
                    retain.started.insert((unit.host, new.name.clone()));
                    retain.images.insert((unit.host, new.spec.image.clone()));
                }
            }
        }
        retain
    }

    /// Keeps what has to stay since only `late` of a service's unwanted instances may be stopped.
    pub(super) fn spare(
        &mut self,
        rollout: &Rollout<'a>,
        late: usize,
        notes: &mut Vec<Note>,
        inventory: &Inventory,
    ) {
        let late_ones = rollout.losses.iter().filter(|loss| loss.serves && !loss.early);
        for loss in late_ones.skip(late) {
            self.lost.remove(&(loss.host, rollout.service, loss.instance.number));
            for container in &loss.stops {
                notes.push(stays(&container.name, &inventory.hosts()[loss.host].name));
            }
        }
    }

    /// Adds one action for each host on which something is left over. The first of them waits for
    /// everything else and the others for it: what a rollback would need is there until nothing can
    /// fail any more.
    pub(super) fn remove(&self, graph: &mut Graph, stopped: &BTreeMap<(usize, &'a str), Node>) {
        let mut gate: Option<Vec<Node>> = None;
        for &index in &self.decide.hosts {
            let Some(sight) = self.decide.sight.host(index) else { continue };
            let containers = self.surplus(index, sight, stopped);
            if containers.is_empty() {
                continue;
            }
            let images = self.unused(index, sight, &containers);
            let host = self.decide.inventory.hosts()[index].clone();
            let key = format!("remove/{}", host.name);
            let containers = containers.into_iter().map(named).collect::<Vec<Named>>();
            let project = self.decide.config.project.clone();
            let request = Request::DeployRemove(Remove { host, project, containers, images });
            let needs = gate.clone().unwrap_or_else(|| graph.leaves());
            let node = graph.add(key, None, needs, request);
            gate.get_or_insert_with(|| vec![node]);
        }
    }

    /// The containers of a host that are not kept.
    fn surplus(
        &self,
        index: usize,
        sight: &HostSight<'a>,
        stopped: &BTreeMap<(usize, &'a str), Node>,
    ) -> Vec<&'a Container> {
        let keep = self.decide.config.deploy.keep as usize;
        let mut surplus = Vec::new();
        for ((service, number), copies) in &sight.copies {
            if !self.decide.scope.covers(service, self.decide.config) {
                continue;
            }
            let stopping = |c: &Container| stopped.contains_key(&(index, c.name.as_str()));
            let starting = |c: &Container| self.started.contains(&(index, c.name.clone()));
            let idle = copies.iter().filter(|c| (!c.state.is_up() || stopping(c)) && !starting(c));
            let mut idle: Vec<&Container> = idle.copied().collect();
            if self.lost.contains(&(index, service, *number)) {
                surplus.append(&mut idle);
                continue;
            }
            // What ran until now is what a rollback goes back to, however old it is.
            idle.sort_by(|a, b| (stopping(b), b.created, &b.name).cmp(&(stopping(a), a.created, &a.name)));
            surplus.extend(idle.into_iter().skip(keep));
        }
        surplus.sort_by(|a, b| a.name.cmp(&b.name));
        surplus
    }

    /// The images that the removed containers were made from and that nothing needs any more. Others of the
    /// project may be what another environment runs, or is to run.
    fn unused(&self, index: usize, sight: &HostSight<'a>, removed: &[&Container]) -> Vec<String> {
        let is_removed = |container: &&Container| removed.iter().any(|other| other.name == container.name);
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for container in sight.seen.containers.iter().filter(|container| !is_removed(container)) {
            match &container.spec {
                Some(spec) => _ = used.insert(&spec.image),
                // It may be made from any of them.
                None => return Vec::new(),
            }
        }
        let old: BTreeSet<&String> = removed.iter().filter_map(|c| Some(&c.spec.as_ref()?.image)).collect();
        let is_needed = |image: &str| {
            used.contains(image)
                || self.images.contains(&(index, image.to_owned()))
                || self.decide.is_current(image)
        };
        let project = &self.decide.config.project;
        let ours = |image: &&String| is_of(project, image) && sight.seen.has_built(image);
        old.into_iter().filter(|image| ours(image) && !is_needed(image)).cloned().collect()
    }
}
