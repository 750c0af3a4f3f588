//! What hosts remember of a service: where its instances are, and what another one is made from. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use cloudpad_plugin_api::model::{ContainerSpec, Port, SecretRef};
use cloudpad_plugin_api::stage::deploy::{Recorded, Release, State};

use super::Note;
use super::decide::Decide;
use super::past;
use super::sight;
use super::spec::{self, Wanted};
use super::supply::Supply;
use super::unit::Which;
use crate::config::{Config, Count, Problem};

/// A service as it was deployed.
pub(super) struct Deployed<'a> {
    pub(super) service: &'a str,
    /// By host and number, on all hosts that were seen.
    pub(super) recorded: BTreeMap<(usize, u32), Old<'a>>,
    /// Whether each host has so many instances, or all hosts together.
    pub(super) per_host: bool,
}

/// A container that is to run.
#[derive(Clone, Copy)]
pub(super) struct Old<'a> {
    release: &'a Release,
    recorded: &'a Recorded,
}

impl<'a> Old<'a> {
    fn spec(&self) -> Option<&'a Arc<ContainerSpec>> {
        past::spec(self.release, self.recorded)
    }

    /// The image that it is made from, where that is known.
    pub(super) fn image(&self) -> Option<&'a str> {
        self.spec().map(|spec| spec.image.as_str())
    }
}

impl<'a> Deployed<'a> {
    /// None where no host that was seen remembers an instance of it.
    pub(super) fn of(decide: &Decide<'a>, name: &str) -> Option<Self> {
        let hosts = 0..decide.inventory.hosts().len();
        let seen = hosts.filter_map(|host| Some((host, past::current(decide.sight.host(host)?.seen)?)));
        let mut recorded = BTreeMap::new();
        let mut service = None;
        for (host, release) in seen {
            for one in release.containers.iter().filter(|one| one.instance.service == name) {
                service = Some(one.instance.service.as_str());
                recorded.insert((host, one.instance.number), Old { release, recorded: one });
            }
        }
        let per_host = is_per_host(recorded.keys(), name, decide.config);
        Some(Self { service: service?, recorded, per_host })
    }

    /// What an instance is to be on a host: as it runs, unless that is ill, or as it was deployed, or like another one that was.
    ///
    /// # Errors
    /// It cannot be made, and why.
    pub(super) fn wanted(
        &self,
        (decide, supply): (&Decide<'a>, &Supply<'a>),
        (host, number): (usize, u32),
        notes: &mut Vec<Note>,
    ) -> Result<Rc<Wanted<'a>>, Problem> {
        let which = Which { service: self.service, number };
        let up = sight::up(decide.sight.of(host, which));
        let runs = up.min_by_key(|c| (c.state != State::Running, c.state == State::Unhealthy));
        let is_ill = runs.is_some_and(|runs| decide.is_ill(runs));
        if let Some(runs) = runs.filter(|_| !is_ill) {
            return Wanted::seen(runs, decide.config).map(Rc::new).ok_or_else(|| not_understood(which));
        }
        let own = self.recorded.get(&(host, number));
        let old = own.or_else(|| self.like(host)).ok_or_else(|| not_understood(which))?;
        let was = old.spec().ok_or_else(|| not_understood(which))?;
        let mut spec = Arc::clone(was);
        if own.is_none() && !was.ports.is_empty() {
            Arc::make_mut(&mut spec).ports = self.ports(number, decide.config)?;
        }
        if is_ill || !is_kept(decide, (host, which), &spec) {
            renew(decide, (host, which), &mut spec, notes);
            can_bring((decide, supply), (host, which), &spec.image)?;
        }
        let (config, spec_id) = (decide.config, spec::spec_id(&spec));
        let exclusive = spec::exclusive_of(config, self.service, &spec);
        Ok(Rc::new(Wanted {
            name: spec::container_name(&config.project, which, &spec_id),
            stop_first: spec::restored_stops_first(config, self.service, &spec, &exclusive),
            spec_id: spec_id.into(),
            spec,
            release: &old.release.id,
            exclusive: exclusive.into(),
            image: Some(&was.image),
        }))
    }

    /// One that was deployed and another on this host is to be like: one of the same host, or of the newest release.
    pub(super) fn like(&self, host: usize) -> Option<&Old<'a>> {
        let here = self.recorded.range((host, 0)..=(host, u32::MAX)).next().map(|(_, old)| old);
        here.or_else(|| self.recorded.values().max_by_key(|old| &old.release.id))
    }

    /// The ports of an instance that was never deployed. Only the config knows which there are, as long as it is still that
    /// of what was deployed.
    fn ports(&self, number: u32, config: &Config) -> Result<Vec<Port>, Problem> {
        let service = self.service;
        let ranges = config.services.get(service).map_or(&[][..], |service| &service.ports);
        let of = |number| {
            ranges.iter().map(|range| spec::port(range, service, number)).collect::<Result<Vec<_>, _>>()
        };
        let is_so = |(&(_, number), old): (&(usize, u32), &Old<'_>)| {
            old.spec().is_some_and(|spec| of(number).is_ok_and(|ports| ports == spec.ports))
        };
        if self.recorded.iter().all(is_so) {
            return of(number);
        }
        let message = format!(
            "which ports `{service}.{number}` would have is not known: those of `{service}` have changed"
        );
        Err(Problem::at_key(format!("services.{service}.ports"), message)
            .hint("deploy `web` as the config has it now, and then scale it".replace("web", service)))
    }
}

/// An instance on each of several hosts has the same number only where each host counts for itself.
fn is_per_host<'k>(places: impl Iterator<Item = &'k (usize, u32)>, service: &str, config: &Config) -> bool {
    let (mut hosts, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let mut is_twice = false;
    for (host, number) in places {
        hosts.insert(host);
        is_twice |= !numbers.insert(number);
    }
    match config.services.get(service).map(|service| service.count) {
        // One host alone does not tell.
        Some(Count::Replicas(_)) if hosts.len() < 2 => false,
        _ => is_twice || hosts.len() < 2,
    }
}

/// Whether a container of that spec is there, to be started again.
fn is_kept(decide: &Decide<'_>, (host, which): (usize, Which<'_>), spec: &ContainerSpec) -> bool {
    sight::made_as(decide.sight.of(host, which), &spec::spec_id(spec)).is_some()
}

/// Gives a container that is made the secrets of now.
fn renew(
    decide: &Decide<'_>,
    (host, which): (usize, Which<'_>),
    spec: &mut Arc<ContainerSpec>,
    notes: &mut Vec<Note>,
) {
    let is_other =
        |secret: &SecretRef| decide.secrets.get(&secret.name).is_some_and(|now| *now != secret.mark);
    if !spec.secrets.values().any(is_other) {
        return;
    }
    for secret in Arc::make_mut(spec).secrets.values_mut() {
        let Some(now) = decide.secrets.get(&secret.name).filter(|now| **now != secret.mark) else { continue };
        secret.mark.clone_from(now);
        let message = format!(
            "`{}` on `{}` gets the value that the secret `{}` has now, which is not that of the others",
            which.instance(),
            decide.host_name(host),
            secret.name
        );
        notes.push(Note { incomplete: false, message });
    }
}

fn can_bring(
    (decide, supply): (&Decide<'_>, &Supply<'_>),
    (host, which): (usize, Which<'_>),
    image: &str,
) -> Result<(), Problem> {
    if decide.sight.host(host).is_some_and(|host| supply.can_bring(image, host)) {
        return Ok(());
    }
    let on = decide.host_name(host);
    let message =
        format!("`{}` cannot be made on `{on}`: its image `{image}` is not there", which.instance());
    Err(Problem::new(message).hint("`cloudpad deploy` brings it"))
}

fn not_understood(which: Which<'_>) -> Problem {
    let message = format!("what `{}` is made from is not understood", which.instance());
    Problem::new(message).hint("use the version of Cloudpad that has deployed it, or a newer one")
}
