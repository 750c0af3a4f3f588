//! Containers that are replaced, stopped and removed only by a deploy that names their service. Pure.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use cloudpad_plugin_api::model::{Host, label};

use super::decide::Decide;
use super::sight::{self, HostSight, Sight, Sighted};
use super::spec::{Compared, Wanted};
use super::unit::{New, Rollout, Which};
use super::{ChangeKind, Note};
use crate::config::Config;
use crate::inventory::Inventory;
use crate::observed::Observed;

/// Whether a container is protected: by the config, or by its own label, which stays when the config changes.
pub(super) fn is_protected(container: &Sighted<'_>, config: &Config) -> bool {
    let by_label = container.spec.is_some_and(|spec| spec.labels.contains_key(label::PROTECTED));
    by_label || config.services.get(container.which.service).is_some_and(|service| service.protected)
}

/// A container that is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Where it is.
    pub host: String,
    /// Its name.
    pub container: String,
    /// Its service.
    pub service: String,
}

/// The containers that are protected on the hosts that were seen.
pub fn protected(config: &Config, inventory: &Inventory, observed: &Observed) -> Vec<Held> {
    let sight = Sight::new(inventory, observed);
    let hosts = inventory.hosts().iter().enumerate();
    let hosts = hosts.filter_map(|(index, host)| Some((host, sight.host(index)?)));
    let held = |(host, sight): (&Arc<Host>, &HostSight<'_>)| {
        let held = sight.containers.iter().filter(|container| is_protected(container, config));
        let held = held.map(|container| Held {
            host: host.name.clone(),
            container: container.name.clone(),
            service: container.which.service.to_owned(),
        });
        held.collect::<Vec<_>>()
    };
    hosts.flat_map(held).collect()
}

impl<'a> Decide<'a> {
    /// Whether nothing may be done to a container but to start it. A pattern or a group does not name a service.
    pub(super) fn holds(&self, container: &Sighted<'_>) -> bool {
        let service = container.which.service;
        is_protected(container, self.config) && !self.goal.select.services.iter().any(|name| name == service)
    }

    /// Takes what may not be stopped out of the containers to be stopped, and says whether there was any.
    pub(super) fn spare(
        &self,
        host: usize,
        stops: &mut Vec<&Sighted<'a>>,
        mut why: impl FnMut(&Sighted<'a>) -> Arc<[String]>,
        notes: &mut Vec<Note>,
    ) -> bool {
        let before = stops.len();
        stops.retain(|old| {
            let holds = self.holds(old);
            if holds {
                notes.push(self.differs(host, old, &why(old)));
            }
            !holds
        });
        stops.len() < before
    }

    /// The container that an instance starts, none of whose others keeps running. Where none runs at all and one is
    /// protected, it is that one, be it as it should be or not.
    pub(super) fn begin(
        &self,
        (host, which): (usize, Which<'a>),
        (copies, wanted, compared): (&'a [Sighted<'a>], &Rc<Wanted<'a>>, &mut Compared<'a>),
        none_runs: bool,
        notes: &mut Vec<Note>,
    ) -> Option<New<'a>> {
        if let Some(kept) = sight::made_as(copies, &wanted.spec_id) {
            if self.mends && kept.status.unproven && !self.holds(kept) {
                return Some(New { wanted: Rc::new(wanted.beside(copies)), kept: None });
            }
            let wanted = match kept.name == wanted.name {
                true => Rc::clone(wanted),
                false => Rc::new(wanted.named(kept.name.clone())),
            };
            return Some(New { wanted, kept: Some(kept) });
        }
        if !none_runs || !copies.iter().any(|old| self.holds(old)) {
            return Some(New { wanted: Rc::clone(wanted), kept: None });
        }
        if let [only] = copies
            && let Some(as_it_was) = Wanted::seen(only, self.config)
        {
            notes.push(self.differs(host, only, &compared.why(&[only], wanted)));
            return Some(New { wanted: Rc::new(as_it_was), kept: Some(only) });
        }
        notes.push(self.unclear(host, which, copies));
        None
    }

    /// A container stays, though another is wanted in its place.
    fn differs(&self, host: usize, old: &Sighted<'_>, why: &[String]) -> Note {
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(", ")) };
        let message =
            format!("{} stays as it is, though {} wants another{why}", self.held(host, old), self.wisher());
        self.note(message, old.which.service, "replaces it")
    }

    /// Containers stay, though none is wanted there.
    pub(super) fn unwanted(&self, host: usize, copies: &[Sighted<'_>]) -> impl Iterator<Item = Note> {
        let held = copies.iter().filter(|old| self.holds(old));
        held.map(move |old| {
            let message =
                format!("{} stays, though {} wants none there", self.held(host, old), self.wisher());
            self.note(message, old.which.service, "removes it")
        })
    }

    /// An instance does not run, and nobody can tell which of its containers ran last.
    fn unclear(&self, host: usize, which: Which<'_>, copies: &[Sighted<'_>]) -> Note {
        let names: Vec<_> = copies.iter().map(|old| format!("`{}`", old.name)).collect();
        let (host, names) = (&self.inventory.hosts()[host].name, names.join(" or "));
        let message = format!(
            "`{}` on `{host}` does not run, and is protected: nobody can tell whether {names} ran last",
            which.instance()
        );
        let note = self.note(message, which.service, "starts what is wanted");
        Note { incomplete: true, ..note }
    }

    /// Keeps what is protected from being moved: there is no new instance of a service while an old one stays where
    /// none is wanted, since it would begin with nothing.
    pub(super) fn keep_place(
        &self,
        rollout: &mut Rollout<'a>,
        places: &[(usize, u32)],
        notes: &mut Vec<Note>,
    ) {
        let mut elsewhere = self.sight.copies(rollout.service);
        let stays = elsewhere.any(|(host, number, copies)| {
            places.binary_search(&(host, number)).is_err() && copies.iter().any(|old| self.holds(old))
        });
        if !stays {
            return;
        }
        let mut dropped = BTreeSet::new();
        rollout.units.retain(|unit| {
            let creates = matches!(unit.told, Some((ChangeKind::Create, _)));
            if creates {
                let (instance, host) = (unit.which.instance(), &self.inventory.hosts()[unit.host].name);
                let service = rollout.service;
                let message = format!(
                    "`{instance}` is not created on `{host}`, since a protected container of `{service}` stays \
                     where {} wants none",
                    self.wisher()
                );
                notes.push(self.note(message, service, "does both"));
                dropped.insert((unit.host, unit.which));
            }
            !creates
        });
        rollout.wanted.retain(|(host, which, _)| !dropped.contains(&(*host, *which)));
    }

    /// What runs of an instance and goes on, since one of its containers may not be stopped.
    pub(super) fn stays(
        &self,
        (host, which): (usize, Which<'a>),
        copies: &[Sighted<'a>],
    ) -> Vec<(usize, Which<'a>, Rc<Wanted<'a>>)> {
        let seen = |old| Some((host, which, Rc::new(Wanted::seen(old, self.config)?)));
        sight::up(copies).filter_map(seen).collect()
    }

    /// The same of those that have none of these places, which are in order.
    pub(super) fn stays_elsewhere(
        &self,
        name: &'a str,
        places: &[(usize, u32)],
    ) -> Vec<(usize, Which<'a>, Rc<Wanted<'a>>)> {
        let elsewhere = self.sight.copies(name).filter(|(host, number, copies)| {
            self.hosts.contains(*host)
                && places.binary_search(&(*host, *number)).is_err()
                && copies.iter().any(|old| self.holds(old))
        });
        let stay = |(host, number, copies)| self.stays((host, Which { service: name, number }), copies);
        elsewhere.flat_map(stay).collect()
    }

    /// Who wants something else than there is.
    fn wisher(&self) -> &'static str {
        if self.goal.restore.is_none() { "the config" } else { "that release" }
    }

    fn held(&self, host: usize, old: &Sighted<'_>) -> String {
        format!("`{}` on `{}` is protected, and", old.name, self.inventory.hosts()[host].name)
    }

    /// That it is left out is what `protected` asks for, so nothing is incomplete.
    fn note(&self, message: String, service: &str, effect: &str) -> Note {
        let environment = self.config.project.environment.as_ref();
        let environment = environment.map(|name| format!("-e {name} ")).unwrap_or_default();
        let command = match &self.goal.restore {
            None => "deploy".to_owned(),
            Some(release) => format!("rollback {release}"),
        };
        let message = format!("{message}; `cloudpad {command} {environment}--service {service}` {effect}");
        Note { incomplete: false, message }
    }
}
