//! What was seen, indexed once. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::model::ContainerSpec;
use cloudpad_plugin_api::stage::deploy::{Container, Observation, State};

use crate::inventory::Inventory;
use crate::observed::{HostState, Observed};

/// Every host of the inventory that was seen, by its place there.
pub(super) struct Sight<'a> {
    hosts: Vec<Option<HostSight<'a>>>,
}

/// A host that was seen.
pub(super) struct HostSight<'a> {
    pub(super) seen: &'a Observation,
    /// The project's containers by service and number.
    pub(super) copies: BTreeMap<(&'a str, u32), Vec<&'a Container>>,
}

impl<'a> Sight<'a> {
    pub(super) fn new(inventory: &Inventory, observed: &'a Observed) -> Self {
        Self::later(inventory, observed, observed)
    }

    /// What was seen `now`, and where nobody has looked again, `before`.
    pub(super) fn later(inventory: &Inventory, now: &'a Observed, before: &'a Observed) -> Self {
        let look = |name: &str| match now.hosts.get(name).or_else(|| before.hosts.get(name)) {
            Some(HostState::Seen(seen)) => Some(HostSight::new(seen)),
            _ => None,
        };
        Self { hosts: inventory.hosts().iter().map(|host| look(&host.name)).collect() }
    }

    /// The host at that place of the inventory, where it was seen.
    pub(super) fn host(&self, index: usize) -> Option<&HostSight<'a>> {
        self.hosts.get(index)?.as_ref()
    }

    /// Every instance of a service that has a container anywhere: host, number, containers.
    pub(super) fn copies<'s>(
        &'s self,
        service: &'s str,
    ) -> impl Iterator<Item = (usize, u32, &'s [&'a Container])> {
        self.hosts.iter().enumerate().flat_map(move |(index, host)| {
            let copies = host.iter().flat_map(move |host| host.copies(service));
            copies.map(move |(number, containers)| (index, number, containers))
        })
    }

    /// On how many hosts and numbers a service serves.
    pub(super) fn serving(&self, service: &str) -> usize {
        self.copies(service).filter(|(_, _, containers)| serves(containers)).count()
    }
}

impl<'a> HostSight<'a> {
    fn new(seen: &'a Observation) -> Self {
        let mut copies: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for container in &seen.containers {
            let instance = &container.instance;
            copies.entry((instance.service.as_str(), instance.number)).or_default().push(container);
        }
        for containers in copies.values_mut() {
            containers.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Self { seen, copies }
    }

    /// The containers of an instance, by name.
    pub(super) fn of<'s>(&'s self, service: &'s str, number: u32) -> &'s [&'a Container] {
        self.copies.get(&(service, number)).map_or(&[], Vec::as_slice)
    }

    /// The project's container of that name.
    pub(super) fn named(&self, name: &str) -> Option<&'a Container> {
        self.seen.containers.iter().find(|container| container.name == name)
    }

    fn copies<'s>(&'s self, service: &'s str) -> impl Iterator<Item = (u32, &'s [&'a Container])> {
        let range = (service, 0)..=(service, u32::MAX);
        self.copies.range(range).map(|((_, number), containers)| (*number, containers.as_slice()))
    }
}

/// Whether one of an instance's containers serves.
pub(super) fn serves(containers: &[&Container]) -> bool {
    containers.iter().any(|container| container.state == State::Running)
}

/// An instance's containers whose process is there.
pub(super) fn up<'a>(containers: &[&'a Container]) -> Vec<&'a Container> {
    containers.iter().copied().filter(|container| container.state.is_up()).collect()
}

/// Seconds between the stop signal and the kill signal of a container that is there.
pub(super) fn stop_timeout(spec: Option<&ContainerSpec>) -> u32 {
    /// Docker's own, for a container whose spec is not understood.
    const DEFAULT: u32 = 10;
    spec.map_or(DEFAULT, |spec| spec.stop_timeout)
}
