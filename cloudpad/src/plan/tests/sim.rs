//! A model of the hosts, stricter than life: it refuses whatever a careful host would refuse. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{Host, Instance};
use cloudpad_plugin_api::stage::deploy::{
    Container, ImageRef, Named, Observation, OneOff, PortHeld, Record, Recorded, Release, Remove, RouteSeen,
    Run, SetRoute, Start, State, Status, Stop,
};

use super::kit::Case;
use crate::config::{Config, MountMode, MountSource};
use crate::observed::{HostState, Observed};
use crate::plan::{Action, Plan};

/// The world that a plan is carried out in.
#[derive(Clone)]
pub struct Sim {
    pub observed: Observed,
    /// Volumes that bear one writer only.
    pub exclusive: BTreeSet<String>,
    /// What ran at the beginning: two of these may well have shared what nobody shares now.
    ran: BTreeSet<(String, String)>,
    pushed: BTreeMap<u32, String>,
    clock: i64,
}

impl Sim {
    pub fn new(case: &Case) -> Self {
        let created = case.observed.hosts.values().flat_map(containers).map(|c| c.created);
        Self {
            clock: created.max().unwrap_or(0),
            observed: case.observed.clone(),
            exclusive: exclusive(&case.config),
            ran: running(&case.observed),
            pushed: BTreeMap::new(),
        }
    }

    /// Carries an action out.
    pub fn apply(&mut self, action: &Action) -> Result<(), String> {
        match &action.request {
            Request::SourceFetch(_) | Request::InventoryPublish(_) => Ok(()),
            Request::BuildRun(run) => {
                let built =
                    |image: &str| self.observed.images.values().any(|i| i.reference == image && i.built);
                check(run.bases.values().all(|base| built(base)), "a base is not built")?;
                let image = self.observed.images.get_mut(&run.recipe.name).ok_or("no such image")?;
                image.built = true;
                Ok(())
            }
            Request::PushRun(run) => {
                let mut built = self.observed.images.values().filter(|i| i.built);
                check(built.any(|i| i.reference == run.reference), "it is not built")?;
                self.pushed.insert(action.id, run.reference.clone());
                match &run.host {
                    Some(host) => self.add_image(host, &run.reference),
                    None => Ok(()),
                }
            }
            Request::DeployPull(pull) => {
                let from = match &pull.image {
                    ImageRef::Known(reference) => reference,
                    ImageRef::PushedBy { pushed_by } => {
                        self.pushed.get(pushed_by).ok_or("it has not been pushed")?
                    }
                };
                let name = pull.tag.clone().unwrap_or_else(|| from.clone());
                self.add_image(&pull.host, &name)
            }
            Request::DeployCreate(start) => self.create(start),
            Request::DeployStart(start) => self.start(start),
            Request::DeployReady(ready) => {
                let container = self.container(&ready.host, &ready.container)?;
                check(container.state.is_up(), "it does not run")?;
                container.state = State::Running;
                Ok(())
            }
            Request::DeployRoute(route) => self.route(route),
            Request::DeployStop(stop) => self.stop(stop),
            Request::DeployRemove(remove) => self.remove(remove),
            Request::DeployRun(run) => self.run(run),
            Request::DeployRecord(record) => self.record(record),
            Request::DeployClear(clear) => {
                let there = self.host(&clear.host)?.volumes.as_mut();
                there.into_iter().for_each(|there| there.retain(|name| !clear.volumes.contains(name)));
                Ok(())
            }
            other => Err(format!("{} in a plan", other.method())),
        }
        .map_err(|why| format!("{}: {why}", action.key))
    }

    /// How an action looks that has failed: what was started is sick, the rest has not happened.
    pub fn fail(&mut self, action: &Action) {
        match &action.request {
            Request::DeployStart(start) => {
                self.start(start).unwrap();
                self.container(&start.host, &start.container).unwrap().state = State::Restarting;
            }
            Request::DeployReady(ready) => {
                self.container(&ready.host, &ready.container).unwrap().state = State::Unhealthy;
            }
            _ => {}
        }
    }

    fn host(&mut self, host: &Host) -> Result<&mut Observation, String> {
        match self.observed.hosts.get_mut(&host.name) {
            Some(HostState::Seen(seen)) => Ok(seen),
            _ => Err("the host is out of sight".into()),
        }
    }

    fn container(&mut self, host: &Host, name: &str) -> Result<&mut Container, String> {
        let mut all = self.host(host)?.containers.iter_mut();
        all.find(|c| c.name == name).ok_or(format!("no container {name}"))
    }

    fn add_image(&mut self, host: &Host, reference: &str) -> Result<(), String> {
        let host = self.host(host)?;
        let images = if reference.contains('@') { &mut host.digests } else { &mut host.images };
        if let Err(place) = images.binary_search_by(|image| image.as_str().cmp(reference)) {
            images.insert(place, reference.to_owned());
        }
        Ok(())
    }

    fn create(&mut self, start: &Start) -> Result<(), String> {
        self.clock += 1;
        let clock = self.clock;
        let host = self.host(&start.host)?;
        if !host.containers.iter().any(|c| c.name == start.container) {
            let mut images = host.images.iter().chain(&host.digests);
            check(images.any(|image| *image == start.spec.image), "its image is not there")?;
            host.containers.push(Container {
                id: format!("{}-{clock}", start.container),
                name: start.container.clone(),
                instance: start.instance.clone(),
                release: start.release.clone(),
                spec_id: start.spec_id.clone(),
                spec: Some(start.spec.clone()),
                state: State::Stopped,
                created: clock,
                status: Status::default(),
            });
            host.containers.sort_by(|a, b| a.name.cmp(&b.name));
        }
        let container = self.container(&start.host, &start.container)?;
        check(container.spec_id == start.spec_id, "the name is taken")
    }

    fn start(&mut self, start: &Start) -> Result<(), String> {
        let (exclusive, ran) = (self.exclusive.clone(), self.ran.clone());
        let ran = |name: &str| ran.contains(&(start.host.name.clone(), name.to_owned()));
        let host = self.host(&start.host)?;
        for port in &start.spec.ports {
            let mut held = host.ports.iter().filter(|held| held.container != start.container);
            let clash = held.find(|held| held.published == port.published && held.protocol == port.protocol);
            check(clash.is_none(), &format!("port {} is held by {clash:?}", port.published))?;
        }
        for volume in start.spec.volumes.iter().filter(|v| exclusive.contains(&v.source)) {
            let mut up = host.containers.iter().filter(|c| c.state.is_up() && c.name != start.container);
            let both_ran = |c: &Container| ran(&c.name) && ran(&start.container);
            let writes =
                |c: &Container| c.spec.iter().flat_map(|s| &s.volumes).any(|v| v.source == volume.source);
            check(!up.any(|c| writes(c) && !both_ran(c)), "two would write to one volume")?;
        }
        self.create(start)?;
        let container = self.container(&start.host, &start.container)?;
        container.state = State::Starting;
        let container = container.clone();
        hold_ports(self.host(&start.host)?, &container);
        Ok(())
    }

    fn route(&mut self, route: &SetRoute) -> Result<(), String> {
        for name in &route.add {
            let state = self.container(&route.host, name)?.state;
            let ran = self.ran.contains(&(route.host.name.clone(), name.clone()));
            check(state.is_up() && (ran || state != State::Starting), "it does not serve yet")?;
        }
        let host = self.host(&route.host)?;
        let proxy = host.proxy.as_mut().ok_or("no proxy can be had")?;
        let made = Some((*route.proxy).clone());
        check(proxy.made == made || host.images.contains(&route.proxy.image), "its image is not there")?;
        // Who only ends a route leaves it as it is.
        let made = if route.rule.is_some() { made } else { proxy.made.take() };
        (proxy.made, proxy.settled, proxy.down) = (made, true, false);
        let before = proxy.routes.iter().position(|seen| seen.service == route.service);
        let mut containers = before.map(|at| proxy.routes.remove(at).containers).unwrap_or_default();
        let Some(rule) = route.rule.clone() else { return Ok(()) };
        containers.retain(|name| !route.remove.contains(name));
        containers.extend(route.add.iter().cloned());
        containers.sort();
        containers.dedup();
        proxy.routes.push(RouteSeen { service: route.service.clone(), rule, containers });
        proxy.routes.sort_by(|a, b| a.service.cmp(&b.service));
        Ok(())
    }

    fn stop(&mut self, stop: &Stop) -> Result<(), String> {
        let mut one_offs = self.host(&stop.host)?.one_offs.iter_mut();
        if let Some(one_off) = one_offs.find(|one_off| one_off.name == stop.container.name) {
            (one_off.state, one_off.exit_code) = (State::Stopped, Some(137));
            return Ok(());
        }
        let container = self.container(&stop.host, &stop.container.name)?;
        check(Some(&container.id) == stop.container.id.as_ref(), "it is another one by now")?;
        container.state = State::Stopped;
        self.host(&stop.host)?.ports.retain(|held| held.container != stop.container.name);
        Ok(())
    }

    /// A job that has ended well.
    fn run(&mut self, run: &Run) -> Result<(), String> {
        self.clock += 1;
        let clock = self.clock;
        let host = self.host(&run.host)?;
        check(host.images.contains(&run.spec.image), "its image is not there")?;
        if let Some(found) = host.one_offs.iter_mut().find(|one_off| one_off.name == run.container) {
            (found.state, found.exit_code) = (State::Stopped, Some(0));
            return Ok(());
        }
        host.one_offs.push(OneOff {
            id: format!("{}-{clock}", run.container),
            name: run.container.clone(),
            release: run.release.clone(),
            labels: run.labels.clone(),
            state: State::Stopped,
            exit_code: Some(0),
            created: clock,
            image: run.spec.image.clone(),
            lasting: String::new(),
        });
        Ok(())
    }

    fn remove(&mut self, remove: &Remove) -> Result<(), String> {
        let jobs = &mut self.host(&remove.host)?.one_offs;
        let is_job = |name: &str, jobs: &[OneOff]| jobs.iter().any(|job| job.name == name);
        let (removed, containers): (Vec<&Named>, Vec<&Named>) =
            remove.containers.iter().partition(|named| is_job(&named.name, jobs));
        check(jobs.iter().all(|job| !is_named(&removed, &job.name) || !job.state.is_up()), "a job runs")?;
        jobs.retain(|job| !is_named(&removed, &job.name));
        for named in containers {
            let container = self.container(&remove.host, &named.name)?;
            check(Some(&container.id) == named.id.as_ref(), "it is another one by now")?;
            check(!container.state.is_up(), "it runs")?;
        }
        let host = self.host(&remove.host)?;
        host.containers.retain(|c| !remove.containers.iter().any(|named| named.name == c.name));
        let used: Vec<_> =
            host.containers.iter().filter_map(|c| Some(c.spec.as_ref()?.image.clone())).collect();
        check(!remove.images.iter().any(|image| used.contains(image)), "an image is in use")?;
        let remembered = host.releases.iter().flatten().flat_map(|release| release.specs.values());
        let mut remembered = remembered.map(|spec| &spec.image);
        check(!remembered.any(|image| remove.images.contains(image)), "a release needs an image")?;
        host.images.retain(|image| !remove.images.contains(image));
        Ok(())
    }

    /// A release as it is sent: with what pushes have answered.
    fn filled_in(&self, release: &Release) -> Result<Release, String> {
        let mut release = release.clone();
        for image in release.images.values_mut() {
            if let ImageRef::PushedBy { pushed_by } = image {
                let reference = self.pushed.get(pushed_by).ok_or("it has not been pushed")?;
                *image = ImageRef::Known(reference.clone());
            }
        }
        Ok(release)
    }

    fn record(&mut self, record: &Record) -> Result<(), String> {
        let up = |c: &Container, recorded: &Recorded| {
            c.state.is_up() && c.instance == recorded.instance && c.spec_id == recorded.spec_id
        };
        let release = record.release.as_deref().map(|release| self.filled_in(release)).transpose()?;
        let host = self.host(&record.host)?;
        let releases = host.releases.as_mut().ok_or("it remembers nothing")?;
        for id in &record.forget {
            check(releases.first().is_some_and(|oldest| oldest.id == *id), "it is not the oldest")?;
            releases.remove(0);
        }
        let Some(release) = release else { return Ok(()) };
        check(releases.last().is_none_or(|last| last.id < release.id), "it is not the newest")?;
        for recorded in &release.containers {
            check(release.specs.contains_key(&recorded.spec_id), "a spec is missing")?;
        }
        releases.push(release.clone());
        let lacking = |r: &&Recorded| !host.containers.iter().any(|c| up(c, r));
        let lacking: Vec<_> = release.containers.iter().filter(lacking).collect();
        let meant = |r: &&&Recorded| release.changed.contains(&r.instance.service);
        check(lacking.iter().find(meant).is_none(), &format!("{lacking:?} do not run"))
    }

    /// On how many hosts and numbers a service serves.
    pub fn serving(&self, service: &str) -> usize {
        serving(&self.observed, service)
    }
}

fn is_named(all: &[&Named], name: &str) -> bool {
    all.iter().any(|named| named.name == name)
}

/// On how many hosts and numbers a service serves.
pub fn serving(observed: &Observed, service: &str) -> usize {
    let mut found = BTreeSet::new();
    for (host, state) in &observed.hosts {
        let all = containers(state).iter().filter(|c| c.state == State::Running);
        let ours = all.filter(|c| c.instance.service == service);
        found.extend(ours.map(|c| (host, c.instance.number)));
    }
    found.len()
}

/// Every container that runs: host and name.
pub fn running(observed: &Observed) -> BTreeSet<(String, String)> {
    let hosts = observed.hosts.iter();
    let up = hosts.flat_map(|(host, state)| containers(state).iter().map(move |c| (host, c)));
    up.filter(|(_, c)| c.state.is_up()).map(|(host, c)| (host.clone(), c.name.clone())).collect()
}

pub fn containers(host: &HostState) -> &[Container] {
    match host {
        HostState::Seen(seen) => &seen.containers,
        HostState::Unseen(_) => &[],
    }
}

/// The containers that requests are led to, as far as they run: host, service, name.
pub fn routed(observed: &Observed) -> BTreeSet<(String, String, String)> {
    let mut found = BTreeSet::new();
    for (host, state) in &observed.hosts {
        let HostState::Seen(Observation { proxy: Some(proxy), containers, .. }) = state else { continue };
        let up = |name: &&String| containers.iter().any(|c| c.name == **name && c.state.is_up());
        for route in &proxy.routes {
            let names = route.containers.iter().filter(up);
            found.extend(names.map(|name| (host.clone(), route.service.clone(), name.clone())));
        }
    }
    found
}

fn hold_ports(host: &mut Observation, container: &Container) {
    for port in container.spec.iter().flat_map(|spec| &spec.ports) {
        let (published, protocol, host_ip) = (port.published, port.protocol, port.host_ip.clone());
        let held = PortHeld { published, protocol, host_ip, container: container.name.clone() };
        if !host.ports.contains(&held) {
            host.ports.push(held);
        }
    }
    host.ports.sort();
}

/// Ends a container's process behind everybody's back.
pub fn kill(host: &mut Observation, instance: &Instance) {
    for container in host.containers.iter_mut().filter(|c| c.instance == *instance) {
        container.state = State::Stopped;
        host.ports.retain(|held| held.container != container.name);
    }
}

fn exclusive(config: &Config) -> BTreeSet<String> {
    let mounts = config.services.values().flat_map(|service| &service.volumes);
    let exclusive = mounts.filter(|mount| mount.mode == MountMode::Exclusive);
    let source = exclusive.map(|mount| match &mount.source {
        MountSource::Volume(name) => config.project.own(name),
        MountSource::Path(path) => path.clone(),
    });
    source.collect()
}

fn check(fine: bool, why: &str) -> Result<(), String> {
    if fine { Ok(()) } else { Err(why.to_owned()) }
}

/// One of the orders in which the actions of a plan may be carried out; `choices` picks it.
pub fn interleaving(plan: &Plan, choices: &[u8]) -> Vec<u32> {
    let mut needed_by = vec![Vec::new(); plan.actions.len()];
    let mut waits_for: Vec<usize> = plan.actions.iter().map(|action| action.needs.len()).collect();
    for action in &plan.actions {
        action.needs.iter().for_each(|&need| needed_by[need as usize].push(action.id));
    }
    let mut ready: Vec<u32> = (0..).zip(&waits_for).filter(|(_, n)| **n == 0).map(|(id, _)| id).collect();
    let mut order = Vec::new();
    while !ready.is_empty() {
        let choice = choices.get(order.len() % choices.len().max(1)).copied().unwrap_or(0);
        let id = ready.remove(usize::from(choice) * ready.len() / 256);
        order.push(id);
        for &next in &needed_by[id as usize] {
            waits_for[next as usize] -= 1;
            if waits_for[next as usize] == 0 {
                ready.push(next);
            }
        }
    }
    order
}
