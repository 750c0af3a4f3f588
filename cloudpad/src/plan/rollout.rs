//! From what happens to each instance to actions in an order that keeps services serving. Pure.

use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{ContainerSpec, Host};
use cloudpad_plugin_api::stage::deploy::{Container, Named, Ready, Start, Stop};

use super::graph::{Graph, Node, key};
use super::pace::Schedule;
use super::routing::{Routing, Switch, Switched};
use super::rule::Rules;
use super::sight::{Sight, Sighted, stop_timeout};
use super::spec::Wanted;
use super::unit::{Loss, Rollout, Unit, Which};
use super::window::{Done, Window, in_order};
use super::{Change, ChangeKind};
use crate::config::Config;
use crate::inventory::Inventory;

/// Turns rollouts into actions, one service after the other.
pub(super) struct Roll<'a> {
    config: &'a Config,
    inventory: &'a Inventory,
    sight: &'a Sight<'a>,
    pub(super) routing: Routing<'a>,
    /// What people are told.
    pub(super) changes: Vec<Change>,
    /// The action that stops a container, by the container's place.
    pub(super) stops: Vec<Option<Node>>,
    /// Actions that start a container, and what has to be stopped before.
    blocked: Vec<(Node, Vec<&'a Sighted<'a>>)>,
}

impl<'a> Roll<'a> {
    pub(super) fn new(
        config: &'a Config,
        inventory: &'a Inventory,
        sight: &'a Sight<'a>,
        rules: Rules<'a>,
    ) -> Self {
        let (changes, stops, blocked) = (Vec::new(), vec![None; sight.containers()], Vec::new());
        let routing = Routing::new(config, inventory, sight, rules);
        Self { config, inventory, sight, routing, changes, stops, blocked }
    }

    /// Adds a service's actions. `bring` adds those that bring an image to a host.
    pub(super) fn add(
        &mut self,
        graph: &mut Graph,
        rollout: Rollout<'a>,
        schedule: Schedule,
        bring: &mut dyn FnMut(&mut Graph, &'a str, usize) -> Option<Node>,
    ) {
        self.routing.expect(&rollout);
        let batch = rollout.pace.batch.max(1);
        let waits = rollout.waits.into_iter().take(schedule.waits);
        let starting = rollout.starting.into_iter();
        let starting = starting.filter_map(|unit| self.unit(graph, unit, Vec::new()));
        // The first update waits for all of them and the others for that one, or there would be very many edges.
        let mut gate: Vec<Node> = starting.map(|done| done.first).collect();
        let units = waits.chain(in_order(rollout.units));
        let mut window = Window::new(batch, schedule, rollout.at_once_on);
        for unit in units {
            let image = unit.start.as_ref().filter(|new| new.kept.is_none()).and_then(|new| new.wanted.image);
            let supply = image.and_then(|image| bring(graph, image, unit.host));
            let mut needs = window.needs(&unit, graph);
            needs.extend(gate.iter().copied().chain(supply));
            let (host, dips, gains) = (unit.host, unit.dips(), unit.gains());
            if let Some(done) = self.unit(graph, unit, needs) {
                if !gate.is_empty() {
                    gate = vec![done.first];
                }
                window.record(done, host, dips, gains);
            }
        }
        let last = window.last(graph);
        self.losses(graph, rollout.losses, schedule, if last.is_empty() { gate } else { last });
    }

    fn unit(&mut self, graph: &mut Graph, unit: Unit<'a>, needs: Vec<Node>) -> Option<Done> {
        let Unit { host, which, start, ready, stops, stop_first, blockers, told, .. } = unit;
        let replaces_first = stop_first && start.is_some();
        let restarts = matches!(told, Some((ChangeKind::Restart, _)));
        if let Some((kind, why)) = told {
            let kind = match kind {
                ChangeKind::ReplaceStartFirst if replaces_first => ChangeKind::ReplaceStopFirst,
                kind => kind,
            };
            self.change(kind, host, which, why);
        }
        let mut steps = Steps { first: None, needs };
        if restarts && let Some(left) = self.routing.leave(graph, (host, which.service), &stops, &steps.needs)
        {
            steps.done(graph, vec![left]);
        }
        if replaces_first {
            if let Some(new) = &start {
                self.create(graph, (host, which), &new.wanted, &stops, &mut steps);
            }
            self.stop_all(graph, host, which, &stops, &mut steps);
        }
        if let Some(new) = &start {
            let node = self.start(graph, host, which, &new.wanted, steps.take());
            if !blockers.is_empty() {
                self.blocked.push((node, blockers));
            }
            steps.done(graph, vec![node]);
        }
        // One that an undo starts and does not wait for did not serve before, and may have been asked all the same.
        let started = start.as_ref().map(|new| new.wanted.name.clone());
        let serving = ready.as_ref().map(|(container, _)| container.clone()).or(started);
        if let Some(ready) = ready {
            let node = self.ready(graph, host, which, ready, steps.take());
            steps.done(graph, vec![node]);
        }
        let goes = stops.iter().filter(|_| !restarts);
        let remove = goes.map(|old| old.name.as_str()).collect();
        let switch = Switch { add: serving.as_deref(), remove, drains: !replaces_first };
        match self.routing.switch(graph, (host, which.service), switch, &steps.needs) {
            Some(Switched::After(node)) => steps.done(graph, vec![node]),
            Some(Switched::Apart(node)) => steps.needs.push(node),
            None => {}
        }
        if !replaces_first {
            self.stop_all(graph, host, which, &stops, &mut steps);
        }
        Some(Done { first: steps.first?, last: steps.needs })
    }

    fn stop_all(
        &mut self,
        graph: &mut Graph,
        host: usize,
        which: Which<'a>,
        containers: &[&'a Sighted<'a>],
        steps: &mut Steps,
    ) {
        if containers.is_empty() {
            return;
        }
        let needs = std::iter::repeat_n(steps.take(), containers.len());
        let stop = |(old, needs): (&&'a Sighted<'a>, _)| self.stop(graph, host, which, old, needs);
        let nodes = containers.iter().zip(needs).map(stop).collect();
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
            self.change(loss.kind, loss.host, loss.which, Arc::default());
            let needs = if loss.early { Vec::new() } else { gate.clone() };
            let remove = loss.stops.iter().map(|old| old.name.as_str()).collect();
            let switch = Switch { add: None, remove, drains: true };
            let routed = self.routing.switch(graph, (loss.host, loss.which.service), switch, &needs);
            for old in &loss.stops {
                let needs = needs.iter().copied().chain(routed.as_ref().map(Switched::node)).collect();
                let node = self.stop(graph, loss.host, loss.which, old, needs);
                if !loss.early && gate.len() > 1 {
                    gate = vec![node];
                }
            }
        }
    }

    /// Makes each container that needs something wait until its holder is stopped. To be called last.
    pub(super) fn unblock(&self, graph: &mut Graph) {
        for (start, blockers) in &self.blocked {
            for stop in blockers.iter().filter_map(|by| self.stops[by.place]) {
                graph.need(*start, stop);
            }
        }
    }

    fn change(&mut self, kind: ChangeKind, host: usize, which: Which<'_>, why: Arc<[String]>) {
        let (host, instance) = (self.host(host).name.clone(), which.instance());
        self.changes.push(Change { kind, host, instance, why });
    }

    fn host(&self, host: usize) -> &'a Arc<Host> {
        &self.inventory.hosts()[host]
    }

    /// Has a container made that is to take the place of others, before these are stopped: so nobody serves for no longer than
    /// it takes to stop one and to start the other.
    fn create(
        &self,
        graph: &mut Graph,
        (host, which): (usize, Which<'a>),
        wanted: &Wanted<'_>,
        stops: &[&Sighted<'a>],
        steps: &mut Steps,
    ) {
        let can = self.sight.host(host).is_some_and(|host| host.seen.creates);
        // One that is stopped for certain and started again is there.
        if !can || stops.is_empty() || stops.iter().any(|old| old.name == wanted.name) {
            return;
        }
        let key = key("create", &self.host(host).name, &wanted.name);
        let request = Request::DeployCreate(self.container(host, which, wanted));
        let node = graph.add(key, Some(which.service), steps.take(), request);
        steps.done(graph, vec![node]);
    }

    fn start(
        &self,
        graph: &mut Graph,
        host: usize,
        which: Which<'a>,
        wanted: &Wanted<'_>,
        needs: Vec<Node>,
    ) -> Node {
        let key = key("start", &self.host(host).name, &wanted.name);
        let request = Request::DeployStart(self.container(host, which, wanted));
        graph.add(key, Some(which.service), needs, request)
    }

    fn container(&self, host: usize, which: Which<'a>, wanted: &Wanted<'_>) -> Start {
        Start {
            host: self.host(host).clone(),
            project: self.config.project.clone(),
            instance: which.instance(),
            release: wanted.release.to_owned(),
            container: wanted.name.clone(),
            spec_id: (*wanted.spec_id).to_owned(),
            spec: wanted.spec.clone(),
        }
    }

    fn ready(
        &self,
        graph: &mut Graph,
        host: usize,
        which: Which<'a>,
        (container, spec): (String, Arc<ContainerSpec>),
        needs: Vec<Node>,
    ) -> Node {
        let host = self.host(host);
        let key = key("ready", &host.name, &container);
        let policy = &self.config.deploy;
        let (settle_ms, timeout_ms) = (policy.settle_ms, policy.ready_timeout_ms);
        let (host, health) = (host.clone(), spec.health.clone());
        let request = Request::DeployReady(Ready { host, container, health, settle_ms, timeout_ms });
        graph.add(key, Some(which.service), needs, request)
    }

    fn stop(
        &mut self,
        graph: &mut Graph,
        index: usize,
        which: Which<'a>,
        old: &Sighted<'_>,
        needs: Vec<Node>,
    ) -> Node {
        let host = self.host(index);
        let key = key("stop", &host.name, &old.name);
        let request = Request::DeployStop(Stop {
            host: host.clone(),
            project: self.config.project.clone(),
            container: named(old),
            timeout: stop_timeout(old.spec),
        });
        let node = graph.add(key, Some(which.service), needs, request);
        self.stops[old.place] = Some(node);
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
