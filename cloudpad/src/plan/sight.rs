//! What was seen, indexed once. Pure.
//!
//! Plans are about very many containers, which lie all over memory: whatever is asked of each of them more
//! than once is asked of the index.

use std::collections::BTreeMap;
use std::ops::{Deref, Range};

use cloudpad_plugin_api::model::{ContainerSpec, Instance};
use cloudpad_plugin_api::stage::deploy::{Container, Observation, State};

use crate::inventory::Inventory;
use crate::observed::{HostState, Observed};

/// Every host of the inventory that was seen, by its place there.
pub(super) struct Sight<'a> {
    hosts: Vec<Option<HostSight<'a>>>,
    /// The instances of each service that have a container anywhere, by host and number.
    services: BTreeMap<&'a str, Vec<Copies>>,
    containers: usize,
}

/// A host that was seen.
pub(super) struct HostSight<'a> {
    pub(super) seen: &'a Observation,
    /// The project's containers by service, number and name.
    pub(super) containers: Vec<Sighted<'a>>,
}

/// A container that was seen.
#[derive(Clone, Copy)]
pub(super) struct Sighted<'a> {
    pub(super) container: &'a Container,
    /// Its place among the containers of all hosts, from 0.
    pub(super) place: usize,
    pub(super) state: State,
}

impl Deref for Sighted<'_> {
    type Target = Container;

    fn deref(&self) -> &Container {
        self.container
    }
}

/// An instance's containers on a host.
struct Copies {
    host: usize,
    number: u32,
    /// Which of the host's containers they are.
    range: Range<usize>,
}

impl<'a> Sight<'a> {
    pub(super) fn new(inventory: &Inventory, observed: &'a Observed) -> Self {
        Self::later(inventory, observed, observed)
    }

    /// What was seen `now`, and where nobody has looked again, `before`.
    pub(super) fn later(inventory: &Inventory, now: &'a Observed, before: &'a Observed) -> Self {
        let hosts = Vec::with_capacity(inventory.hosts().len());
        let mut sight = Self { hosts, services: BTreeMap::new(), containers: 0 };
        for host in inventory.hosts() {
            let seen = match now.hosts.get(&host.name).or_else(|| before.hosts.get(&host.name)) {
                Some(HostState::Seen(seen)) => Some(sight.look(seen)),
                _ => None,
            };
            sight.hosts.push(seen);
        }
        sight
    }

    fn look(&mut self, seen: &'a Observation) -> HostSight<'a> {
        let mut containers: Vec<&Container> = seen.containers.iter().collect();
        containers.sort_unstable_by_key(|c| (&c.instance, &c.name));
        let places = self.containers..;
        self.containers += containers.len();
        let containers = places.zip(containers);
        let containers =
            containers.map(|(place, container)| Sighted { container, place, state: container.state });
        let sight = HostSight { seen, containers: containers.collect() };
        let mut start = 0;
        for copies in sight.containers.chunk_by(|a, b| a.instance == b.instance) {
            let Instance { service, number } = &copies[0].container.instance;
            let range = start..start + copies.len();
            start = range.end;
            let copies = Copies { host: self.hosts.len(), number: *number, range };
            self.services.entry(service).or_default().push(copies);
        }
        sight
    }

    /// The host at that place of the inventory, where it was seen.
    pub(super) fn host(&self, index: usize) -> Option<&HostSight<'a>> {
        self.hosts.get(index)?.as_ref()
    }

    /// How many containers were seen in all: each has a place below that.
    pub(super) fn containers(&self) -> usize {
        self.containers
    }

    /// Every service that has a container anywhere.
    pub(super) fn services(&self) -> impl Iterator<Item = &'a str> {
        self.services.keys().copied()
    }

    /// Every instance of a service that has a container anywhere: host, number, containers by name.
    pub(super) fn copies(&self, service: &str) -> impl Iterator<Item = (usize, u32, &[Sighted<'a>])> {
        let copies = self.services.get(service).map_or(&[][..], Vec::as_slice);
        copies.iter().map(|copies| (copies.host, copies.number, self.range(copies)))
    }

    /// The containers of an instance on a host, by name.
    pub(super) fn of(&self, host: usize, service: &str, number: u32) -> &[Sighted<'a>] {
        let Some(copies) = self.services.get(service) else { return &[] };
        let found = copies.binary_search_by_key(&(host, number), |copies| (copies.host, copies.number));
        found.map_or(&[], |found| self.range(&copies[found]))
    }

    fn range(&self, copies: &Copies) -> &[Sighted<'a>] {
        let host = self.hosts[copies.host].as_ref();
        host.map_or(&[], |host| &host.containers[copies.range.clone()])
    }

    /// On how many hosts and numbers a service serves.
    pub(super) fn serving(&self, service: &str) -> usize {
        self.copies(service).filter(|(_, _, containers)| serves(containers)).count()
    }
}

impl<'a> HostSight<'a> {
    /// The project's container of that name.
    pub(super) fn named(&self, name: &str) -> Option<Sighted<'a>> {
        self.containers.iter().find(|container| container.name == name).copied()
    }
}

/// Whether one of an instance's containers serves.
pub(super) fn serves(containers: &[Sighted<'_>]) -> bool {
    containers.iter().any(|container| container.state == State::Running)
}

/// An instance's containers whose process is there.
pub(super) fn up<'a>(containers: &[Sighted<'a>]) -> impl Iterator<Item = Sighted<'a>> + Clone {
    containers.iter().copied().filter(|container| container.state.is_up())
}

/// Seconds between the stop signal and the kill signal of a container that is there.
pub(super) fn stop_timeout(spec: Option<&ContainerSpec>) -> u32 {
    /// Docker's own, for a container whose spec is not understood.
    const DEFAULT: u32 = 10;
    spec.map_or(DEFAULT, |spec| spec.stop_timeout)
}
