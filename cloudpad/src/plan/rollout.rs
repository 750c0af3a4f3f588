//! From what happens to each instance to actions in an order that keeps services serving. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{Health, Host, Instance};
use cloudpad_plugin_api::stage::deploy::{Container, Named, Ready, Start, Stop};

use super::graph::{Graph, Node};
use super::pace::Schedule;
use super::sight::stop_timeout;
use super::unit::{Loss, New, Rollout, Unit};
use super::window::{Done, Window, in_order};
use super::{Change, ChangeKind};
use crate::config::Config;
use crate::inventory::Inventory;

/// Turns rollouts into actions, one service after the other.
pub(super) struct Roll<'a> {
    config: &'a Config,
    inventory: &'a Inventory,
    /// What people are told.
    pub(super) changes: Vec<Change>,
    /// The action that stops a container, by host and name.
    stops: BTreeMap<(usize, &'a str), Node>,
    /// Actions that start a container, and what has to be stopped before.
    blocked: Vec<(Node, usize, Vec<&'a str>)>,
}

impl<'a> Roll<'a> {
    pub(super) fn new(config: &'a Config, inventory: &'a Inventory) -> Self {
        let (changes, stops, blocked) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { config, inventory, changes, stops, blocked }
    }

    /// Adds a service's actions. `bring` adds those that bring an image to a host.
    pub(super) fn add(
        &mut self,
        graph: &mut Graph,
        rollout: Rollout<'a>,
        schedule: Schedule,
        bring: &mut dyn FnMut(&mut Graph, &'a str, usize) -> Option<Node>,
    ) {
        let batch = rollout.pace.batch.max(1);
        let waits = rollout.waits.into_iter().take(schedule.waits);
        let starting = rollout.starting.into_iter();
        let starting = starting.filter_map(|unit| self.unit(graph, unit, Vec::new(), None));
        // The first update waits for all of them and the others for that one, or there would be very many edges.
        let mut gate: Vec<Node> = starting.map(|done| done.first).collect();
        let units = waits.chain(in_order(rollout.units));
        let mut window = Window::new(batch, schedule);
        for unit in units {
            let image = unit.start.as_ref().and_then(|new| new.image);
            let supply = image.and_then(|image| bring(graph, image, unit.host));
            let mut needs = window.needs(&unit, graph);
            needs.extend(&gate);
            let (dips, gains) = (unit.dips(), unit.gains());
            if let Some(done) = self.unit(graph, unit, needs, supply) {
                if !gate.is_empty() {
                    gate = vec![done.first];
                }
                window.record(done, dips, gains);
            }
        }
        let last = window.last(graph);
        self.losses(graph, rollout.losses, schedule, if last.is_empty() { gate } else { last });
    }

    fn unit(
        &mut self,
        graph: &mut Graph,
        unit: Unit<'a>,
        needs: Vec<Node>,
        supply: Option<Node>,
    ) -> Option<Done> {
        let Unit { host, instance, start, ready, stops, stop_first, blockers, told, .. } = unit;
        let replaces_first = stop_first && start.is_some();
        if let Some((kind, why)) = told {
            let kind = match kind {
                ChangeKind::ReplaceStartFirst if replaces_first => ChangeKind::ReplaceStopFirst,
                kind => kind,
            };
            self.change(kind, host, instance.clone(), why);
        }
        let mut steps = Steps { first: None, needs: needs.into_iter().chain(supply).collect() };
        if replaces_first {
            self.stop_all(graph, host, &instance, &stops, &mut steps);
        }
        if let Some(new) = start {
            let node = self.start(graph, host, &instance, new, steps.take());
            self.blocked.push((node, host, blockers));
            steps.done(graph, vec![node]);
        }
        if let Some((name, health)) = ready {
            let node = self.ready(graph, host, &instance, (name, health), steps.take());
            steps.done(graph, vec![node]);
        }
        if !replaces_first {
            self.stop_all(graph, host, &instance, &stops, &mut steps);
        }
        Some(Done { first: steps.first?, last: steps.needs })
    }

    fn stop_all(
        &mut self,
        graph: &mut Graph,
        host: usize,
        instance: &Instance,
        containers: &[&'a Container],
        steps: &mut Steps,
    ) {
        if containers.is_empty() {
            return;
        }
        let stop =
            |container: &&'a Container| self.stop(graph, host, instance, container, steps.needs.clone());
        let nodes = containers.iter().map(stop).collect();
        steps.done(graph, nodes);
    }

    /// What is in the way goes at once; the rest when all else of the service is done. One such action
    /// waits for all of that and the others for this one, or there would be very many edges.
    fn losses(&mut self, graph: &mut Graph, losses: Vec<Loss<'a>>, schedule: Schedule, last: Vec<Node>) {
        let mut room = schedule.late;
        let mut gate = last;
        for loss in losses {
            if loss.serves && !loss.early {
                if room == 0 {
                    continue;
                }
                room -= 1;
            }
            self.change(ChangeKind::Remove, loss.host, loss.instance.clone(), Vec::new());
            for container in &loss.stops {
                let needs = if loss.early { Vec::new() } else { gate.clone() };
                let node = self.stop(graph, loss.host, &loss.instance, container, needs);
                if !loss.early && gate.len() > 1 {
                    gate = vec![node];
                }
            }
        }
    }

    /// Makes each container that needs something wait until its holder is stopped. To be called last.
    pub(super) fn unblock(&self, graph: &mut Graph) {
        for (start, host, names) in &self.blocked {
            for name in names {
                if let Some(stop) = self.stops.get(&(*host, *name)) {
                    graph.need(*start, *stop);
                }
            }
        }
    }

    /// The actions that stop containers, by host and name.
    pub(super) fn stops(&self) -> &BTreeMap<(usize, &'a str), Node> {
        &self.stops
    }

    fn change(&mut self, kind: ChangeKind, host: usize, instance: Instance, why: Vec<String>) {
        let host = self.host(host).name.clone();
        self.changes.push(Change { kind, host, instance, why });
    }

    fn host(&self, host: usize) -> &'a Host {
        &self.inventory.hosts()[host]
    }

    fn start(
        &self,
        graph: &mut Graph,
        host: usize,
        instance: &Instance,
        new: New<'a>,
        needs: Vec<Node>,
    ) -> Node {
        let host = self.host(host);
        let key = format!("start/{}/{}", host.name, new.name);
        let request = Request::DeployStart(Start {
            host: host.clone(),
            project: self.config.project.clone(),
            instance: instance.clone(),
            release: new.release,
            container: new.name,
            spec_id: new.spec_id,
            spec: (*new.spec).clone(),
        });
        graph.add(key, Some(&instance.service), needs, request)
    }

    fn ready(
        &self,
        graph: &mut Graph,
        host: usize,
        instance: &Instance,
        (container, health): (String, Option<Health>),
        needs: Vec<Node>,
    ) -> Node {
        let host = self.host(host);
        let key = format!("ready/{}/{container}", host.name);
        let policy = &self.config.deploy;
        let (settle_ms, timeout_ms) = (policy.settle_ms, policy.ready_timeout_ms);
        let request =
            Request::DeployReady(Ready { host: host.clone(), container, health, settle_ms, timeout_ms });
        graph.add(key, Some(&instance.service), needs, request)
    }

    fn stop(
        &mut self,
        graph: &mut Graph,
        index: usize,
        instance: &Instance,
        container: &'a Container,
        needs: Vec<Node>,
    ) -> Node {
        let host = self.host(index);
        let key = format!("stop/{}/{}", host.name, container.name);
        let request = Request::DeployStop(Stop {
            host: host.clone(),
            project: self.config.project.clone(),
            container: named(container),
            timeout: stop_timeout(container.spec.as_ref()),
        });
        let node = graph.add(key, Some(&instance.service), needs, request);
        self.stops.insert((index, &container.name), node);
        node
    }
}

/// A container as it was seen.
pub(super) fn named(container: &Container) -> Named {
    Named { id: Some(container.id.clone()), name: container.name.clone() }
}

/// The actions of a unit, one step after the other.
struct Steps {
    first: Option<Node>,
    /// What the next step needs.
    needs: Vec<Node>,
}

impl Steps {
    fn take(&mut self) -> Vec<Node> {
        std::mem::take(&mut self.needs)
    }

    fn done(&mut self, graph: &mut Graph, nodes: Vec<Node>) {
        match self.first {
            None => self.first = nodes.first().copied(),
            Some(_) => nodes.iter().for_each(|&node| graph.continues(node)),
        }
        self.needs = nodes;
    }
}
