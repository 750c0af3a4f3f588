//! Which values of its secrets a service comes back with, where they are others by now. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::model::{ContainerSpec, SecretRef};

use super::Note;
use super::decide::Decide;
use super::past;
use super::unit::{Rollout, Which};
use crate::config::Secret;
use crate::inventory::list;

/// Where a service has the value of then, and where that of now.
#[derive(Default)]
struct Places {
    then: BTreeSet<usize>,
    now: BTreeSet<usize>,
}

/// A service and a secret of its.
type Of<'a> = (&'a str, String);

/// Those of all services, by their names and those of secrets.
#[derive(Default)]
pub(super) struct Values<'a> {
    places: BTreeMap<Of<'a>, Places>,
    /// What tells the values in effect: all hosts are looked through for each.
    in_effect: BTreeMap<Of<'a>, Option<&'a str>>,
}

impl<'a> Values<'a> {
    /// That what is made on a host gets the value of now.
    pub(super) fn now(&mut self, service: &'a str, secret: &str, host: usize) {
        self.places.entry((service, secret.to_owned())).or_default().now.insert(host);
    }

    /// That a container which was kept is started again: its variables are those of then, its files are written anew.
    pub(super) fn kept(
        &mut self,
        decide: &Decide<'a>,
        (which, host): (Which<'a>, usize),
        was: &ContainerSpec,
    ) {
        for (target, SecretRef { name, mark, .. }) in &was.secrets {
            let of = (which.service, name.clone());
            let asked = decide.secrets.get(name).map(String::as_str);
            let in_effect =
                || *self.in_effect.entry(of.clone()).or_insert_with(|| in_effect(decide, of.0, name));
            let now = asked.or_else(in_effect);
            if now.is_none_or(|now| now == mark) {
                continue;
            }
            if Secret::is_file(target) {
                self.now(which.service, name, host);
            } else {
                self.places.entry(of).or_default().then.insert(host);
            }
        }
    }

    /// Says it of what these rollouts start.
    pub(super) fn notes(self, decide: &Decide<'_>, rollouts: &[Rollout<'_>]) -> Vec<Note> {
        let note = |((service, secret), places): ((&str, String), Places)| {
            let starts = |host: &usize| {
                let of_service = rollouts.iter().filter(|rollout| rollout.service == service);
                of_service
                    .flat_map(|rollout| &rollout.units)
                    .any(|unit| unit.host == *host && unit.start.is_some())
            };
            let on = |hosts: &BTreeSet<usize>| {
                let names: Vec<_> =
                    hosts.iter().filter(|host| starts(host)).map(|host| decide.host_name(*host)).collect();
                (!names.is_empty()).then(|| list(names))
            };
            let of = format!("`{service}` comes back with the value that the secret `{secret}`");
            let message = match (on(&places.then), on(&places.now)) {
                (None, None) => return None,
                (Some(_), None) => format!("{of} had then"),
                (None, Some(_)) => format!("{of} has now"),
                (Some(then), Some(now)) => {
                    format!("{of} had then on {then}, and with the one that it has now on {now}")
                }
            };
            Some(Note { incomplete: false, message })
        };
        self.places.into_iter().filter_map(note).collect()
    }
}

/// What tells the value that a secret has in what is to run of a service, by the newest record that has it.
fn in_effect<'a>(decide: &Decide<'a>, service: &str, secret: &str) -> Option<&'a str> {
    let seen = (0..decide.inventory.hosts().len()).filter_map(|host| Some(decide.sight.host(host)?.seen));
    let marks = seen.filter_map(past::current).filter_map(|release| {
        let containers = release.containers.iter().filter(|old| old.instance.service == service);
        let mut specs = containers.filter_map(|old| past::spec(release, old));
        let mark = specs.find_map(|spec| spec.secrets.values().find(|of| of.name == secret))?;
        Some((&release.id, mark.mark.as_str()))
    });
    marks.max().map(|(_, mark)| mark)
}
