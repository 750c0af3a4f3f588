//! What has to happen to each instance so that it becomes as it should be. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use cloudpad_plugin_api::model::Instance;
use cloudpad_plugin_api::stage::deploy::{Container, State};

use super::claims::Claims;
use super::place::place;
use super::sight::{self, Sight, serves};
use super::spec::{self, Wanted, differences};
use super::unit::{Loss, New, Pace, Rollout, Unit};
use super::{ChangeKind, Goal, Scope};
use crate::config::{Config, MountMode, Problem, Service};
use crate::inventory::Inventory;
use crate::observed::Observed;

/// What a deploy is decided from.
pub(super) struct Decide<'a, 's> {
    pub(super) config: &'a Config,
    pub(super) inventory: &'a Inventory,
    pub(super) goal: &'a Goal,
    pub(super) observed: &'a Observed,
    pub(super) scope: &'s Scope,
    pub(super) sight: &'s Sight<'a>,
    /// Hosts that may be changed and were seen, by their place in the inventory.
    pub(super) hosts: BTreeSet<usize>,
}

impl<'a> Decide<'a, '_> {
    /// What happens to a service of the config whose image has that reference.
    pub(super) fn service(
        &self,
        name: &'a str,
        reference: &str,
        claims: &mut Claims,
    ) -> Result<Rollout<'a>, Problem> {
        let service = &self.config.services[name];
        let places = self.places(name, service);
        let mut rollout = self.empty(name, places.len());
        let mut wanted = BTreeMap::new();
        let exclusive = exclusive(self.config, service);
        for &(host, number) in places.iter().filter(|(host, _)| self.hosts.contains(host)) {
            let instance = Instance { service: name.to_owned(), number };
            let wanted = match wanted.get(&number) {
                Some(wanted) => Rc::clone(wanted),
                None => {
                    let new = spec::wanted(&self.config.project, &instance, service, reference)?;
                    Rc::clone(wanted.entry(number).or_insert(Rc::new(new)))
                }
            };
            let host_name = self.inventory.hosts()[host].name.as_str();
            claims.add((host, host_name), &instance, &wanted.spec.ports, &exclusive);
            let copies = self.sight.host(host).map_or(&[][..], |host| host.of(name, number));
            self.instance((host, instance), copies, &wanted, &exclusive, &mut rollout);
        }
        rollout.losses = self.losses(name, &places.into_iter().collect());
        Ok(rollout)
    }

    /// Where a service's instances belong.
    pub(super) fn places(&self, name: &str, service: &Service) -> Vec<(usize, u32)> {
        match self.scope.services.get(name) {
            Some(eligible) => place(name, service, eligible, self.sight),
            None => Vec::new(),
        }
    }

    fn empty(&self, service: &'a str, whole: usize) -> Rollout<'a> {
        let policy = &self.config.deploy;
        let of = |amount: crate::config::Amount| amount.of(u32::try_from(whole).unwrap_or(u32::MAX)) as usize;
        let pace = Pace {
            batch: of(policy.batch).max(1),
            min: of(policy.min_healthy).min(whole),
            serving: self.sight.serving(service),
        };
        let (units, starting, waits, losses) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Rollout { service, units, starting, waits, losses, pace }
    }

    fn instance(
        &self,
        (host, instance): (usize, Instance),
        copies: &[&'a Container],
        wanted: &Rc<Wanted>,
        exclusive: &[String],
        rollout: &mut Rollout<'a>,
    ) {
        let up = sight::up(copies);
        let right = up.iter().copied().filter(|c| c.spec_id == wanted.spec_id);
        let right = right.min_by_key(|c| (c.state != State::Running, &c.name));
        let stops: Vec<_> =
            up.into_iter().filter(|c| right.is_none_or(|right| right.name != c.name)).collect();
        let service = &self.config.services[rollout.service];
        let mut unit = Unit {
            host,
            instance,
            start: None,
            ready: Some((wanted.name.clone(), wanted.spec.health.clone())),
            stops,
            stop_first: spec::stops_first(service),
            serves: serves(copies),
            told: None,
            blockers: Vec::new(),
        };
        if let Some(right) = right {
            unit.ready = Some((right.name.clone(), wanted.spec.health.clone()));
            if !unit.stops.is_empty() {
                unit.told = Some((ChangeKind::ReplaceStartFirst, why(&unit.stops, wanted)));
                rollout.units.push(unit);
            } else if right.state == State::Starting {
                unit.told = Some((ChangeKind::Await, Vec::new()));
                rollout.starting.push(unit);
            } else if right.state != State::Running {
                rollout.waits.push(unit);
            }
            return;
        }
        let kept = copies.iter().any(|c| c.name == wanted.name);
        unit.told = Some(match (unit.stops.is_empty(), kept) {
            (false, _) => (ChangeKind::ReplaceStartFirst, why(&unit.stops, wanted)),
            (true, true) => (ChangeKind::Start, Vec::new()),
            (true, false) => (ChangeKind::Create, Vec::new()),
        });
        unit.start = Some(New {
            name: wanted.name.clone(),
            spec_id: wanted.spec_id.clone(),
            release: self.goal.release.clone(),
            spec: Rc::clone(&wanted.spec),
            exclusive: exclusive.to_vec(),
            image: (!kept).then_some(service.image.as_str()),
        });
        rollout.units.push(unit);
    }

    /// A service that the config does not have any more.
    pub(super) fn gone(&self, name: &'a str) -> Rollout<'a> {
        let mut rollout = self.empty(name, 0);
        rollout.losses = self.losses(name, &BTreeSet::new());
        rollout
    }

    /// The services that have containers somewhere, and that the config does not have any more.
    pub(super) fn gone_services(&self) -> BTreeSet<&'a str> {
        let seen = self.hosts.iter().filter_map(|&host| self.sight.host(host));
        let services: BTreeSet<&str> =
            seen.flat_map(|host| host.copies.keys().map(|(name, _)| *name)).collect();
        let gone =
            |name: &&str| !self.config.services.contains_key(*name) && self.scope.covers(name, self.config);
        services.into_iter().filter(gone).collect()
    }

    /// Whether `reference` is what an image of the config stands for now.
    pub(super) fn is_current(&self, reference: &str) -> bool {
        self.observed.images.values().any(|image| image.reference == reference)
    }

    fn losses(&self, name: &'a str, places: &BTreeSet<(usize, u32)>) -> Vec<Loss<'a>> {
        let copies = self.sight.copies(name);
        let lost = copies
            .filter(|(host, number, _)| self.hosts.contains(host) && !places.contains(&(*host, *number)));
        let loss = |(host, number, copies): (usize, u32, &[&'a Container])| Loss {
            host,
            instance: Instance { service: name.to_owned(), number },
            stops: sight::up(copies),
            serves: serves(copies),
            early: false,
        };
        lost.map(loss).collect()
    }
}

/// What differs between the containers that run and the one that should.
fn why(old: &[&Container], wanted: &Wanted) -> Vec<String> {
    let mut why = Vec::new();
    for difference in old.iter().flat_map(|old| differences(old.spec.as_ref(), &wanted.spec)) {
        if !why.contains(&difference) {
            why.push(difference);
        }
    }
    why
}

/// The volumes and directories that no other container may use beside one of the service.
pub(super) fn exclusive(config: &Config, service: &Service) -> Vec<String> {
    let mounts = service.volumes.iter().filter(|mount| mount.mode == MountMode::Exclusive);
    mounts.map(|mount| spec::source(&mount.source, &config.project)).collect()
}
