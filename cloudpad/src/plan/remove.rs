//! The plan that takes a project off its hosts. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::model::ContainerSpec;
use cloudpad_plugin_api::stage::deploy::{Clear, Named, Record, Remove, Stop};
use cloudpad_plugin_api::{PushScope, Request};

use super::about::in_scope;
use super::decide::Decide;
use super::graph::{Graph, Node, key};
use super::look::is_of;
use super::rollout::{Roll, named};
use super::rule::Rules;
use super::sight::{self, HostSight, Sighted, stop_timeout};
use super::unit::{Loss, Pace, Rollout, Which};
use super::{Goal, Note, Plan, Scope, hosts, nowhere, pace, past, proxies, scope_of_left, spec};
use crate::config::{Config, Mount, Problem};
use crate::inventory::{Inventory, list};
use crate::observed::Observed;

/// That images stay where hosts pull them from, which no host has to be told of.
pub fn left_in_registry(goal: &Goal) -> Option<Note> {
    let message = "images stay in the registry; `cloudpad registry prune` removes those that no host needs";
    (goal.push_scope == PushScope::Shared && !goal.select.narrows_services())
        .then(|| Note { incomplete: false, message: message.to_owned() })
}

/// Decides how all that is meant goes: containers and their routes, and where no service is named, also releases, images and
/// networks; with `volumes`, the volumes of the services that are meant, or all where none is named. Of these only what hosts have.
///
/// What is protected stays unless it is named.
///
/// # Errors
/// Of the selection, and hosts that cannot be looked at.
pub fn remove(
    config: &Config,
    inventory: &Inventory,
    observed: &Observed,
    goal: &Goal,
    volumes: bool,
) -> Result<Plan, Vec<Problem>> {
    let needed = |scope: &Scope| hosts::needed(goal, scope);
    let scope = scope_of_left(config, inventory, &goal.select)?;
    if let Some(problem) = super::scope::empty(config, inventory) {
        return Err(vec![problem]);
    }
    let make = |decide: &Decide<'_>, notes: &mut Vec<Note>| Ok(all(decide, volumes, notes));
    in_scope((config, inventory, &scope), observed, goal, needed, make)
}

fn all(decide: &Decide<'_>, volumes: bool, notes: &mut Vec<Note>) -> Plan {
    let Decide { config, inventory, scope, sight, .. } = *decide;
    let is_whole = !decide.goal.select.narrows_services();
    let mut removal =
        Removal { decide, is_whole, volumes, notes, stays: BTreeSet::new(), left: BTreeMap::new() };
    let mut graph = Graph::default();
    let mut roll = Roll::new(config, inventory, sight, Rules::config(config, decide.secrets));
    for name in sight.services().filter(|name| scope.covers(name, config)) {
        let rollout = removal.rollout(name);
        let schedule = pace::anyway(rollout.effect());
        roll.add(&mut graph, rollout, schedule, &mut |_, _, _| None);
    }
    for at in roll.routing.all(decide.hosts.iter()) {
        if decide.hosts.contains(at.0) && scope.covers(at.1, config) && !removal.stays.contains(&at) {
            roll.routing.mend(&mut graph, at, Vec::new());
        }
    }
    for index in decide.hosts.iter() {
        if let Some(host) = sight.host(index) {
            removal.host(&mut graph, index, host);
        }
    }
    if is_whole && removal.stays.is_empty() {
        removal.notes.extend(proxies::left(decide));
    }
    let left = std::mem::take(&mut removal.left).into_iter();
    removal.notes.extend(left.map(|(volumes, hosts)| with_data(&volumes, hosts)));
    removal.notes.extend(nowhere::notes(decide));
    Plan { changes: roll.changes, actions: graph.finish().unwrap_or_default(), ..Plan::default() }
}

/// Who takes a host out of the file reaches what stays there no more.
fn with_data(volumes: &[String], hosts: Vec<&str>) -> Note {
    let (volumes, on) = (list(volumes.iter().map(String::as_str)), list(hosts));
    let message = format!(
        "what is in volumes stays on {on}: {volumes}; `cloudpad remove --volumes` removes these too, while the file has the host"
    );
    Note { incomplete: false, message }
}

struct Removal<'a, 'd> {
    decide: &'d Decide<'a>,
    /// Whether no service is left out.
    is_whole: bool,
    volumes: bool,
    notes: &'d mut Vec<Note>,
    /// Services of which something stays, with the host.
    stays: BTreeSet<(usize, &'a str)>,
    /// Volumes that nobody has asked to be removed, with the hosts that have these.
    left: BTreeMap<Vec<String>, Vec<&'a str>>,
}

impl<'a> Removal<'a, '_> {
    /// A service all of whose containers go, but for those that are protected.
    fn rollout(&mut self, name: &'a str) -> Rollout<'a> {
        let decide = self.decide;
        let mut rollout = Rollout::new(name, Pace { batch: 1, min: 0, serving: decide.sight.serving(name) });
        for (host, number, copies) in
            decide.sight.copies(name).filter(|(host, ..)| decide.hosts.contains(*host))
        {
            if copies.iter().any(|old| decide.holds(old)) {
                self.stay(host, name, copies);
                let up = sight::up(copies).map(|old| (host, old.container.name.as_str()));
                rollout.steady.extend(up);
                continue;
            }
            rollout.losses.push(Loss::of(host, Which { service: name, number }, copies));
        }
        rollout
    }

    fn stay(&mut self, host: usize, name: &'a str, copies: &[Sighted<'a>]) {
        self.stays.insert((host, name));
        let environment = self.decide.config.project.environment.as_ref();
        let environment = environment.map(|name| format!("-e {name} ")).unwrap_or_default();
        let on = &self.decide.inventory.hosts()[host].name;
        for old in copies.iter().filter(|old| self.decide.holds(old)) {
            let message = format!(
                "`{}` on `{on}` is protected, and stays; `cloudpad remove {environment}--service {name}` removes it",
                old.name
            );
            self.notes.push(Note { incomplete: false, message });
        }
    }

    /// All that goes on a host once what runs there is stopped, one thing after the other.
    fn host(&mut self, graph: &mut Graph, index: usize, sight: &'a HostSight<'a>) {
        let decide = self.decide;
        let (host, project) = (decide.inventory.hosts()[index].clone(), decide.config.project.clone());
        let is_going = |old: &&Sighted<'_>| {
            let at = (index, old.which.service);
            decide.scope.covers(at.1, decide.config) && !self.stays.contains(&at)
        };
        let (going, staying): (Vec<_>, Vec<_>) = sight.containers.iter().partition(is_going);
        let mut needs = graph.leaves_on(&host.name);
        let mut containers: Vec<Named> = going.iter().map(|old| named(old)).collect();
        if self.is_whole {
            containers.extend(self.one_offs(graph, index, sight, &mut needs));
            let forget: Vec<String> = past::known(sight.seen).iter().map(|old| old.id.clone()).collect();
            if !forget.is_empty() {
                let record = Record { host: host.clone(), project: project.clone(), release: None, forget };
                let key = format!("record/{}", host.name);
                needs = vec![graph.add(key, None, needs, Request::DeployRecord(record))];
            }
        }
        let images = if self.is_whole { self.images(sight, &going, &staying) } else { Vec::new() };
        let is_there = !containers.is_empty() || !images.is_empty() || !needs.is_empty();
        if !containers.is_empty() || !images.is_empty() {
            let remove = Remove { host: host.clone(), project: project.clone(), containers, images };
            let key = format!("remove/{}", host.name);
            needs = vec![graph.add(key, None, needs, Request::DeployRemove(remove))];
        }
        let (networks, mut volumes) = self.names(index, sight, &going, &staying);
        if !self.volumes && !volumes.is_empty() {
            self.left.entry(std::mem::take(&mut volumes)).or_default().push(decide.host_name(index));
        }
        if is_there && (self.is_whole || !networks.is_empty()) || !volumes.is_empty() {
            let clear = Clear { host: host.clone(), project, networks, volumes };
            graph.add(format!("clear/{}", host.name), None, needs, Request::DeployClear(clear));
        }
    }

    /// One-off containers, those of jobs that a deploy has left among them. What still runs is stopped.
    fn one_offs(
        &self,
        graph: &mut Graph,
        index: usize,
        sight: &HostSight<'_>,
        needs: &mut Vec<Node>,
    ) -> Vec<Named> {
        let host = &self.decide.inventory.hosts()[index];
        let mut all = Vec::new();
        for one_off in &sight.seen.one_offs {
            let container = Named { id: Some(one_off.id.clone()), name: one_off.name.clone() };
            if one_off.state.is_up() {
                let stop = Stop {
                    host: host.clone(),
                    project: self.decide.config.project.clone(),
                    container: container.clone(),
                    timeout: stop_timeout(None),
                };
                let key = key("stop", &host.name, &one_off.name);
                needs.push(graph.add(key, None, Vec::new(), Request::DeployStop(stop)));
            }
            all.push(container);
        }
        all
    }

    /// The project's images that nothing else needs.
    fn images(&self, sight: &HostSight<'_>, going: &[&Sighted<'_>], staying: &[&Sighted<'_>]) -> Vec<String> {
        let project = &self.decide.config.project;
        // One that is not understood may be made from any of them.
        if staying.iter().any(|old| old.spec.is_none()) {
            return Vec::new();
        }
        let mut needed: BTreeSet<&str> = sight.seen.needed_elsewhere.iter().map(String::as_str).collect();
        needed.extend(staying.iter().filter_map(|old| Some(old.spec?.image.as_str())));
        let of_going: BTreeSet<&str> =
            going.iter().filter_map(|old| Some(old.spec?.image.as_str())).collect();
        // What other environments need is told only where releases are.
        let is_known = |image: &str| sight.seen.releases.is_some() || of_going.contains(image);
        let all =
            sight.seen.images.iter().filter(|image| is_of(project, image) && sight.seen.has_built(image));
        all.filter(|image| is_known(image) && !needed.contains(image.as_str())).cloned().collect()
    }

    /// The networks and volumes of what goes, as they were seen, as the host remembers them, and as the config has them; but
    /// for those of what stays. Of volumes, those that the host has, where it tells.
    fn names(
        &self,
        index: usize,
        sight: &HostSight<'_>,
        going: &[&Sighted<'_>],
        staying: &[&Sighted<'_>],
    ) -> (Vec<String>, Vec<String>) {
        let (config, scope) = (self.decide.config, self.decide.scope);
        let mut found = Names::default();
        going.iter().filter_map(|old| old.spec).for_each(|spec| found.add(spec));
        for release in past::known(sight.seen) {
            let meant = release.containers.iter().filter(|old| scope.covers(&old.instance.service, config));
            meant.filter_map(|old| past::spec(release, old)).for_each(|spec| found.add(spec));
        }
        // A volume is where it was made, wherever its service may run by now.
        let meant = config.services.iter().filter(|(name, _)| scope.covers(name, config));
        for (name, service) in meant {
            if scope.services.get(name).is_some_and(|eligible| eligible.contains(&index)) {
                found.networks.extend(spec::networks(&service.networks, &config.project));
            }
            found.mounts(&service.volumes, config);
        }
        if self.is_whole {
            let jobs = config.jobs.values();
            jobs.for_each(|job| found.mounts(job.volumes.as_deref().unwrap_or_default(), config));
        }
        match &sight.seen.volumes {
            Some(there) if self.is_whole => found.volumes = there.iter().cloned().collect(),
            Some(there) => found.volumes.retain(|name| there.contains(name)),
            None => {}
        }
        let mut kept = Names::default();
        staying.iter().filter_map(|old| old.spec).for_each(|spec| kept.add(spec));
        let own = config.project.own("");
        let less = |all: BTreeSet<String>, kept: &BTreeSet<String>, wanted: bool| -> Vec<String> {
            all.into_iter().filter(|name| wanted && name.starts_with(&own) && !kept.contains(name)).collect()
        };
        // Of some services the last one on a host may have been left over from before.
        let networks = less(found.networks, &kept.networks, self.is_whole || staying.is_empty());
        (networks, less(found.volumes, &kept.volumes, true))
    }
}

/// Networks and volumes, as the engine names them; directories of the host among the latter.
#[derive(Default)]
struct Names {
    networks: BTreeSet<String>,
    volumes: BTreeSet<String>,
}

impl Names {
    fn add(&mut self, spec: &ContainerSpec) {
        self.networks.extend(spec.networks.iter().cloned());
        self.volumes.extend(spec.volumes.iter().map(|volume| volume.source.clone()));
    }

    fn mounts(&mut self, mounts: &[Mount], config: &Config) {
        self.volumes.extend(mounts.iter().map(|mount| spec::volume(mount, &config.project).source));
    }
}
