//! What was seen, indexed once. Pure.
//!
//! Plans are about very many containers, which lie all over memory, and to read them takes longer than to
//! decide: what is asked of each of them more than once is in the index.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, Range};

use cloudpad_plugin_api::model::{ContainerSpec, Instance};
use cloudpad_plugin_api::stage::deploy::{Container, Observation, State};

use super::unit::Which;
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

/// A container that was seen, and what is most often asked of it.
pub(super) struct Sighted<'a> {
    pub(super) container: &'a Container,
    /// Its place among the containers of all hosts, from 0.
    pub(super) place: usize,
    pub(super) which: Which<'a>,
    pub(super) spec_id: &'a str,
    pub(super) spec: Option<&'a ContainerSpec>,
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
    /// Whether one of them serves.
    serves: bool,
}

impl<'a> Sight<'a> {
    pub(super) fn new(inventory: &Inventory, observed: &'a Observed) -> Self {
        Self::later(inventory, observed, observed)
    }

    /// What was seen `now`, and where nobody has looked again, `before`.
    pub(super) fn later(inventory: &Inventory, now: &'a Observed, before: &'a Observed) -> Self {
        let hosts = Vec::with_capacity(inventory.hosts().len());
        let mut sight = Self { hosts, services: BTreeMap::new(), containers: 0 };
        let mut common = Common::default();
        for host in inventory.hosts() {
            let seen = match now.hosts.get(&host.name).or_else(|| before.hosts.get(&host.name)) {
                Some(HostState::Seen(seen)) => Some(sight.look(seen, &mut common)),
                _ => None,
            };
            sight.hosts.push(seen);
        }
        sight
    }

    fn look(&mut self, seen: &'a Observation, common: &mut Common<'a>) -> HostSight<'a> {
        let mut containers: Vec<&Container> = seen.containers.iter().collect();
        containers.sort_unstable_by_key(|c| (&c.instance, &c.name));
        let places = self.containers..;
        self.containers += containers.len();
        let sighted = |(place, container): (usize, &'a Container)| {
            let Instance { service, number } = &container.instance;
            let which = Which { service: common.service(service), number: *number };
            let (spec_id, spec) = common.spec(container);
            Sighted { container, place, which, spec_id, spec, state: container.state }
        };
        let containers: Vec<_> = places.zip(containers).map(sighted).collect();
        let mut start = 0;
        for copies in containers.chunk_by(|a, b| a.which == b.which) {
            let Which { service, number } = copies[0].which;
            let range = start..start + copies.len();
            start = range.end;
            let copies = Copies { host: self.hosts.len(), number, range, serves: serves(copies) };
            self.services.entry(service).or_default().push(copies);
        }
        HostSight { seen, containers }
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
    pub(super) fn of(&self, host: usize, which: Which<'_>) -> &[Sighted<'a>] {
        let Some(copies) = self.services.get(which.service) else { return &[] };
        let found = copies.binary_search_by_key(&(host, which.number), |copies| (copies.host, copies.number));
        found.map_or(&[], |found| self.range(&copies[found]))
    }

    fn range(&self, copies: &Copies) -> &[Sighted<'a>] {
        let host = self.hosts[copies.host].as_ref();
        host.map_or(&[], |host| &host.containers[copies.range.clone()])
    }

    /// On how many hosts and numbers a service serves.
    pub(super) fn serving(&self, service: &str) -> usize {
        self.services.get(service).map_or(0, |all| all.iter().filter(|copies| copies.serves).count())
    }
}

impl<'a> HostSight<'a> {
    /// The project's container of that name.
    pub(super) fn named(&self, name: &str) -> Option<&Sighted<'a>> {
        self.containers.iter().find(|container| container.name == name)
    }
}

/// What very many containers have in common: one place in memory is enough for all that are equal.
#[derive(Default)]
struct Common<'a> {
    services: BTreeSet<&'a str>,
    /// By their identity.
    specs: BTreeMap<&'a str, &'a ContainerSpec>,
}

impl<'a> Common<'a> {
    fn service(&mut self, name: &'a str) -> &'a str {
        if let Some(known) = self.services.get(name) {
            return known;
        }
        self.services.insert(name);
        name
    }

    /// The identity of a container's spec, and the spec where it is understood. One whose identity is not told
    /// stands for itself.
    fn spec(&mut self, container: &'a Container) -> (&'a str, Option<&'a ContainerSpec>) {
        let (id, own) = (container.spec_id.as_str(), container.spec.as_deref());
        if let Some((id, known)) = self.specs.get_key_value(id) {
            return (id, own.and(Some(*known)));
        }
        let shared = own.filter(|_| !id.is_empty());
        self.specs.extend(shared.map(|spec| (id, spec)));
        (id, own)
    }
}

/// Whether one of an instance's containers serves.
pub(super) fn serves(containers: &[Sighted<'_>]) -> bool {
    containers.iter().any(|container| container.state == State::Running)
}

/// An instance's containers whose process is there.
pub(super) fn up<'s, 'a>(
    containers: &'s [Sighted<'a>],
) -> impl Iterator<Item = &'s Sighted<'a>> + Clone + use<'s, 'a> {
    containers.iter().filter(|container| container.state.is_up())
}

/// The newest of an instance's containers that is made from the spec with that identity, by its name too: another one it has from
/// somebody else.
pub(super) fn made_as<'s, 'a>(copies: &'s [Sighted<'a>], spec_id: &str) -> Option<&'s Sighted<'a>> {
    let end = spec_id.get(..8).unwrap_or(spec_id);
    let same = copies.iter().filter(|old| old.spec_id == spec_id && old.name.ends_with(end));
    same.max_by_key(|old| (old.created, &old.container.name))
}

/// Seconds between the stop signal and the kill signal of a container that is there.
pub(super) fn stop_timeout(spec: Option<&ContainerSpec>) -> u32 {
    /// Docker's own, for a container whose spec is not understood.
    const DEFAULT: u32 = 10;
    spec.map_or(DEFAULT, |spec| spec.stop_timeout)
}
