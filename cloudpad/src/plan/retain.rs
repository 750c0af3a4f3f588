//! What stays on a host after a deploy, and what is removed. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{Container, Named, Remove};

use super::Note;
use super::decide::Decide;
use super::deploy::stays;
use super::graph::{Graph, Node};
use super::reference;
use super::rollout::named;
use super::sight::HostSight;
use super::supply::repositories;
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
        let repositories = repositories(self.decide.config);
        for &index in &self.decide.hosts {
            let Some(sight) = self.decide.sight.host(index) else { continue };
            let containers = self.surplus(index, sight, stopped);
            let changed = self.started.range((index, String::new())..(index + 1, String::new())).next();
            if containers.is_empty() && changed.is_none() {
                continue;
            }
            let images = self.unused(index, sight, &containers, &repositories);
            if containers.is_empty() && images.is_empty() {
                continue;
            }
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

    /// The project's images on a host that no container is made from any more.
    fn unused(
        &self,
        index: usize,
        sight: &HostSight<'a>,
        removed: &[&Container],
        repositories: &BTreeSet<String>,
    ) -> Vec<String> {
        let prefix = format!("{}-", self.decide.config.project.name);
        let removed: BTreeSet<&str> = removed.iter().map(|container| container.name.as_str()).collect();
        let mut used: BTreeSet<&str> = BTreeSet::new();
        let mut ours: BTreeSet<&str> = repositories.iter().map(String::as_str).collect();
        for container in &sight.seen.containers {
            let stays = !removed.contains(container.name.as_str());
            // A container whose spec is not understood may be made from any of them.
            let Some(spec) = &container.spec else {
                if stays {
                    return Vec::new();
                }
                continue;
            };
            let repository = reference::repository(&spec.image);
            if repository.starts_with(&prefix) {
                ours.insert(repository);
            }
            if stays {
                used.insert(&spec.image);
            }
        }
        let wanted = |image: &&String| {
            used.contains(image.as_str())
                || self.images.contains(&(index, (*image).clone()))
                || self.decide.is_current(image)
        };
        let images = sight.seen.images.iter();
        let ours = images.filter(|image| ours.contains(reference::repository(image)));
        ours.filter(|image| !wanted(image)).cloned().collect()
    }
}
