//! What has to happen to each instance so that it becomes as it should be. Pure.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use cloudpad_plugin_api::stage::deploy::State;

use super::contest::Contest;
use super::hosts::HostSet;
use super::place::place;
use super::sight::{self, Sight, Sighted, serves};
use super::spec::{Blueprint, Compared, Wanted};
use super::unit::{Loss, New, Pace, Rollout, Unit, Which};
use super::{ChangeKind, Goal, Note, Scope, ailment};
use crate::config::{Config, Problem, Service};
use crate::inventory::Inventory;

/// What a deploy is decided from.
pub(super) struct Decide<'a> {
    pub(super) config: &'a Config,
    pub(super) inventory: &'a Inventory,
    pub(super) goal: &'a Goal,
    /// What tells the values of secrets from others, by name.
    pub(super) secrets: &'a BTreeMap<String, String>,
    pub(super) scope: &'a Scope,
    pub(super) sight: &'a Sight<'a>,
    /// Whether what fails its health check is replaced.
    pub(super) mends: bool,
    /// Hosts that may be changed and were seen, by their place in the inventory.
    pub(super) hosts: HostSet,
}

impl<'a> Decide<'a> {
    /// What happens to a service of the config whose image has that reference.
    pub(super) fn service(
        &self,
        name: &'a str,
        reference: &'a str,
        (contest, notes): (&mut Contest<'a>, &mut Vec<Note>),
    ) -> Result<Rollout<'a>, Problem> {
        let service = &self.config.services[name];
        let places = self.places(name, service);
        let basis = (self.goal.release.as_str(), self.secrets);
        let mut blueprint = Blueprint::new(self.config, (name, service), reference, basis);
        self.bring(name, &places, |_, number| blueprint.wanted(number), (contest, notes))
    }

    /// What happens to a service of which at each of these places, which are in order, `wanted` is to run.
    pub(super) fn bring(
        &self,
        name: &'a str,
        places: &[(usize, u32)],
        mut wanted: impl FnMut(usize, u32) -> Result<Rc<Wanted<'a>>, Problem>,
        (contest, notes): (&mut Contest<'a>, &mut Vec<Note>),
    ) -> Result<Rollout<'a>, Problem> {
        let mut rollout = self.empty(name, places.len());
        let mut compared = Compared::default();
        let mut there = self.sight.copies(name).peekable();
        for &(host, number) in places.iter().filter(|(host, _)| self.hosts.contains(*host)) {
            let which = Which { service: name, number };
            let wanted = wanted(host, number)?;
            // Both are in the same order.
            while there.next_if(|(h, n, _)| (*h, *n) < (host, number)).is_some() {}
            let copies = there.next_if(|(h, n, _)| (*h, *n) == (host, number));
            let copies = copies.map_or(&[][..], |(_, _, copies)| copies);
            let wanted = (&wanted, &mut compared);
            match self.instance((host, which), copies, wanted, (&mut rollout, notes)) {
                Some(claims) => {
                    contest.add(host, which, &claims);
                    rollout.wanted.push((host, which, claims));
                }
                None => rollout.wanted.extend(self.stays((host, which), copies)),
            }
        }
        self.keep_place(&mut rollout, places, notes);
        rollout.wanted.extend(self.stays_elsewhere(name, places));
        rollout.losses = self.losses(name, places, notes);
        Ok(rollout)
    }

    /// Where a service's instances belong.
    pub(super) fn places(&self, name: &str, service: &Service) -> Vec<(usize, u32)> {
        match self.scope.services.get(name) {
            Some(eligible) => place(name, service, eligible, self.sight),
            None => Vec::new(),
        }
    }

    /// A rollout in which nothing happens so far, of a service that has so many instances in the end.
    pub(super) fn empty(&self, service: &'a str, whole: usize) -> Rollout<'a> {
        let policy = &self.config.deploy;
        let of = |amount: crate::config::Amount| amount.of(u32::try_from(whole).unwrap_or(u32::MAX)) as usize;
        let pace = Pace {
            batch: of(policy.batch).max(1),
            min: of(policy.min_healthy).min(whole),
            serving: self.sight.serving(service),
        };
        Rollout::new(service, pace)
    }

    /// Says also which container claims what it needs; none where one stays that is there.
    fn instance(
        &self,
        (host, which): (usize, Which<'a>),
        copies: &'a [Sighted<'a>],
        (wanted, compared): (&Rc<Wanted<'a>>, &mut Compared<'a>),
        (rollout, notes): (&mut Rollout<'a>, &mut Vec<Note>),
    ) -> Option<Rc<Wanted<'a>>> {
        let up = sight::up(copies);
        let right = up.clone().filter(|c| *c.spec_id == *wanted.spec_id);
        let right =
            right.min_by_key(|c| (c.state != State::Running, c.state == State::Unhealthy, &c.container.name));
        let ill = right.filter(|c| self.is_ill(c));
        let right = right.filter(|_| ill.is_none());
        let mut stops: Vec<_> = up.filter(|c| right.is_none_or(|right| right.place != c.place)).collect();
        let others = stops.clone();
        if self.spare(host, &mut stops, |old| compared.why(&[old], wanted), notes) && right.is_none() {
            let stay = others.into_iter().filter(|old| self.holds(old) && old.state == State::Running);
            rollout.steady.extend(stay.map(|old| (host, old.container.name.as_str())));
            return None;
        }
        if let Some(right) = right.filter(|c| c.state == State::Running && stops.is_empty()) {
            rollout.steady.push((host, &right.container.name));
            return Some(Rc::clone(wanted));
        }
        let container = right.map_or(&wanted.name, |right| &right.container.name);
        let mut unit = Unit {
            host,
            which,
            start: None,
            ready: Some((container.clone(), Arc::clone(&wanted.spec))),
            stops,
            stop_first: wanted.stop_first,
            serves: serves(copies),
            told: None,
            blockers: Vec::new(),
        };
        if let Some(right) = right {
            if !unit.stops.is_empty() {
                unit.told = Some((ChangeKind::ReplaceStartFirst, compared.why(&unit.stops, wanted)));
                rollout.units.push(unit);
            } else if right.state == State::Starting {
                unit.told = Some((ChangeKind::Await, Arc::default()));
                rollout.starting.push(unit);
            } else if right.state != State::Running {
                rollout.waits.push(unit);
            }
            return Some(Rc::clone(wanted));
        }
        let basis = (copies, wanted, &mut *compared);
        let new = match ill {
            Some(_) => New { wanted: Rc::new(wanted.beside(copies)), kept: None },
            None => self.begin((host, which), basis, unit.stops.is_empty(), notes)?,
        };
        let claims = Rc::clone(&new.wanted);
        unit.told = Some(match (unit.stops.is_empty(), new.kept) {
            (false, _) => (ChangeKind::ReplaceStartFirst, why(ill, compared.why(&unit.stops, wanted))),
            (true, Some(_)) => (ChangeKind::Start, Arc::default()),
            (true, None) => (ChangeKind::Create, in_place_of(copies, wanted)),
        });
        if !Rc::ptr_eq(&new.wanted, wanted) {
            unit.ready = Some((new.wanted.name.clone(), Arc::clone(&new.wanted.spec)));
        }
        unit.start = Some(new);
        rollout.units.push(unit);
        Some(claims)
    }

    /// The same, for a plan that replaces what fails its health check or is paused.
    pub(super) fn mending(&self) -> Self {
        Self { mends: true, hosts: self.hosts.clone(), ..*self }
    }

    /// Whether another container is made in the place of one that runs, since it fails its health check or is paused.
    pub(super) fn is_ill(&self, container: &Sighted<'_>) -> bool {
        let is_ill = matches!(container.state, State::Unhealthy | State::Paused);
        self.mends && is_ill && !self.holds(container)
    }

    /// A service that the config does not have any more.
    pub(super) fn gone(&self, name: &'a str, notes: &mut Vec<Note>) -> Rollout<'a> {
        let mut rollout = self.empty(name, 0);
        rollout.wanted.extend(self.stays_elsewhere(name, &[]));
        rollout.losses = self.losses(name, &[], notes);
        rollout
    }

    /// The services that have containers somewhere, and that the config does not have any more.
    pub(super) fn gone_services(&self) -> impl Iterator<Item = &'a str> {
        self.sight.services().filter(|name| {
            !self.config.services.contains_key(*name)
                && self.scope.covers(name, self.config)
                && self.sight.copies(name).any(|(host, _, _)| self.hosts.contains(host))
        })
    }

    /// What is there of a service and has none of these places, which are in order.
    fn losses(&self, name: &'a str, places: &[(usize, u32)], notes: &mut Vec<Note>) -> Vec<Loss<'a>> {
        let copies = self.sight.copies(name);
        let lost = copies.filter(|(host, number, copies)| {
            if !self.hosts.contains(*host) || places.binary_search(&(*host, *number)).is_ok() {
                return false;
            }
            let before = notes.len();
            notes.extend(self.unwanted(*host, copies));
            notes.len() == before
        });
        lost.map(|(host, number, copies)| Loss::of(host, Which { service: name, number }, copies)).collect()
    }
}

/// Why another container is made than the one that is kept and is the same.
fn in_place_of(copies: &[Sighted<'_>], wanted: &Wanted<'_>) -> Arc<[String]> {
    const WHY: &str = "the one that is kept did not pass its health check when it was started last";
    let is_kept = |old: &Sighted<'_>| old.status.unproven && *old.spec_id == *wanted.spec_id;
    // What has no reason takes no memory, for there are very many of these.
    if copies.iter().any(is_kept) { [WHY.to_owned()].into() } else { Arc::default() }
}

/// Why what runs is replaced: the container is not well where it is `ill`, and this differs.
fn why(ill: Option<&Sighted<'_>>, differs: Arc<[String]>) -> Arc<[String]> {
    match ill {
        None => differs,
        Some(ill) => std::iter::once(ailment(ill)).chain(differs.iter().cloned()).collect(),
    }
}
