//! What was to run at the time of a release, as what a plan brings back. Pure.

mod routes;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use cloudpad_plugin_api::model::{ContainerSpec, SecretRef};
use cloudpad_plugin_api::stage::deploy::{Recorded, Release};

use super::Note;
use super::contest::Contest;
use super::decide::Decide;
use super::past::{self, At};
use super::sight::{self, Sighted};
use super::spec::{self, Wanted};
use super::supply::Supply;
use super::unit::{Rollout, Which};
use super::values::Values;
use crate::config::{Problem, Secret};
use crate::inventory::list;

/// Goes back to the release `id` on the hosts of a plan.
pub(super) struct Restore<'d, 'a> {
    pub(super) decide: &'d Decide<'a>,
    pub(super) id: &'a str,
}

/// A container of a release on a host.
pub(super) struct Old<'a> {
    pub(super) host: usize,
    pub(super) release: &'a Release,
    pub(super) recorded: &'a Recorded,
}

impl<'a> Old<'a> {
    pub(super) fn which(&self) -> Which<'a> {
        let instance = &self.recorded.instance;
        Which { service: &instance.service, number: instance.number }
    }
}

/// What is wanted of a service.
#[derive(Default)]
struct Wish<'a> {
    /// By host and number, on hosts that may be changed.
    wanted: BTreeMap<(usize, u32), Rc<Wanted<'a>>>,
    /// And where it runs on the others.
    elsewhere: Vec<(usize, u32)>,
}

impl<'d, 'a> Restore<'d, 'a> {
    /// All that was to run there of the services that are meant. On hosts that are looked at only it is what is to run now.
    pub(super) fn containers(&self) -> Vec<Old<'a>> {
        let decide = self.decide;
        let release = |host: usize| {
            let seen = decide.sight.host(host)?.seen;
            match decide.hosts.contains(host) {
                true => match past::at(seen, self.id) {
                    At::Recorded(release) => Some(release),
                    At::Nothing | At::Forgotten => None,
                },
                false => past::current(seen),
            }
        };
        let all = (0..decide.inventory.hosts().len()).filter_map(|host| Some((host, release(host)?)));
        let all = all.flat_map(|(host, release)| {
            release.containers.iter().map(move |recorded| Old { host, release, recorded })
        });
        all.filter(|old| decide.scope.covers(&old.recorded.instance.service, decide.config)).collect()
    }

    /// The host's container that is what `old` was, running or kept.
    pub(super) fn there(&self, old: &Old<'a>) -> Option<&'d Sighted<'a>> {
        let (copies, spec_id) = (self.decide.sight.of(old.host, old.which()), &old.recorded.spec_id);
        let runs = sight::up(copies).find(|c| c.spec_id == spec_id);
        runs.or_else(|| sight::made_as(copies, spec_id))
    }

    /// The spec of `old`; none when neither its record nor its container is understood.
    pub(super) fn spec(&self, old: &Old<'a>) -> Option<&'a Arc<ContainerSpec>> {
        let kept = || self.there(old)?.container.spec.as_ref();
        past::spec(old.release, old.recorded).or_else(kept)
    }

    /// What happens to each service.
    pub(super) fn rollouts(
        &self,
        supply: &Supply<'a>,
        notes: &mut Vec<Note>,
    ) -> Result<Vec<Rollout<'a>>, Vec<Problem>> {
        let mut problems = super::obstacle::obstacles(self, supply);
        let mut wishes = BTreeMap::<&'a str, Wish<'a>>::new();
        let mut values = Values::default();
        for old in self.containers() {
            let Which { service, number } = old.which();
            let place = (old.host, number);
            if !self.decide.hosts.contains(old.host) {
                wishes.entry(service).or_default().elsewhere.push(place);
                continue;
            }
            match self.wanted(&old, &mut values) {
                Some(Ok(wanted)) => _ = wishes.entry(service).or_default().wanted.insert(place, wanted),
                Some(Err(problem)) => problems.push(problem),
                // Which is one of the obstacles.
                None => {}
            }
        }
        let seen = self.decide.sight.services();
        let meant = seen.filter(|name| self.decide.scope.covers(name, self.decide.config));
        let names: BTreeSet<&'a str> = wishes.keys().copied().chain(meant).collect();
        notes.extend(self.unfinished());
        notes.extend(self.came_later());
        let (mut rollouts, mut contest) = (Vec::new(), Contest::default());
        for name in names {
            let Wish { wanted, elsewhere } = wishes.remove(name).unwrap_or_default();
            if wanted.is_empty() {
                notes.extend(self.later(name));
            }
            let mut places: Vec<_> = wanted.keys().copied().chain(elsewhere).collect();
            places.sort_unstable();
            let wanted = |host, number| Ok(Rc::clone(&wanted[&(host, number)]));
            rollouts.extend(
                self.decide.bring(name, &places, wanted, (&mut contest, notes)).map_err(|p| problems.push(p)),
            );
        }
        notes.extend(values.notes(self.decide, &rollouts));
        problems.extend(contest.problems(self.decide.inventory));
        if problems.is_empty() { Ok(rollouts) } else { Err(problems) }
    }

    /// That releases were begun after the last one, and have not come to their end: that is what is taken back, where one goes
    /// back to the last one.
    fn unfinished(&self) -> Option<Note> {
        let seen = self.decide.hosts.iter().filter_map(|host| Some(self.decide.sight.host(host)?.seen));
        let is_last = past::last(seen) == Some(self.id);
        let begun: BTreeSet<&str> = self.decide.unfinished().map(|old| &*old.container.release).collect();
        let (is, it) = if begun.len() == 1 { ("is", "it") } else { ("are", "they") };
        let message = format!(
            "release {} {is} not complete: what ran before {it} began is brought back; `cloudpad rollback RELEASE` goes further back",
            list(begun.iter().copied())
        );
        (is_last && !begun.is_empty()).then_some(Note { incomplete: false, message })
    }

    /// That a service has come since.
    fn later(&self, name: &str) -> Option<Note> {
        let mut copies = self.decide.sight.copies(name);
        copies.find(|(host, ..)| self.decide.hosts.contains(*host))?;
        let message = format!("`{name}` was not there at release `{}`, and is stopped", self.id);
        Some(Note { incomplete: false, message })
    }

    /// That hosts have come since: what runs there goes, and the others have to do its work.
    fn came_later(&self) -> Vec<Note> {
        let decide = self.decide;
        let had_nothing = |host: &usize| {
            let seen = decide.sight.host(*host).map(|sight| sight.seen);
            seen.is_some_and(|seen| past::at(seen, self.id) == At::Nothing)
        };
        let note = |host: usize| {
            let all = decide
                .instances()
                .filter(|(at, _, copies)| *at == host && sight::up(copies).next().is_some());
            let names: Vec<String> = all.map(|(_, which, _)| which.instance().to_string()).collect();
            let (host, id) = (decide.host_name(host), self.id);
            let names = (!names.is_empty()).then(|| list(names.iter().map(String::as_str)))?;
            let message = format!(
                "`{host}` had nothing of the project at release `{id}`: {names} there is stopped, and only others serve"
            );
            Some(Note { incomplete: false, message })
        };
        decide.hosts.iter().filter(had_nothing).filter_map(note).collect()
    }

    /// What `old` is to be now: as it was, but that one which has to be made again gets the secrets of now.
    fn wanted(&self, old: &Old<'a>, values: &mut Values<'a>) -> Option<Result<Rc<Wanted<'a>>, Problem>> {
        let was = self.spec(old)?;
        let (spec_id, spec) = match self.there(old) {
            Some(there) => {
                if !there.state.is_up() {
                    values.kept(self.decide, (old.which(), old.host), was);
                }
                (old.recorded.spec_id.clone(), Arc::clone(was))
            }
            None => match self.renewed(old, was, values) {
                Ok(spec) if *spec == **was => (old.recorded.spec_id.clone(), Arc::clone(was)),
                Ok(spec) => (spec::spec_id(&spec), spec),
                Err(problem) => return Some(Err(problem)),
            },
        };
        let config = self.decide.config;
        let exclusive = spec::exclusive_of(config, old.which().service, was);
        let wanted = Wanted {
            name: spec::container_name(&config.project, old.which(), &spec_id),
            stop_first: spec::restored_stops_first(config, old.which().service, was, &exclusive),
            spec_id: spec_id.into(),
            spec,
            release: &self.decide.goal.release,
            exclusive: exclusive.into(),
            image: Some(&was.image),
        };
        Some(Ok(Rc::new(wanted)))
    }

    /// The spec with the marks that secrets have now.
    fn renewed(
        &self,
        old: &Old<'a>,
        was: &ContainerSpec,
        values: &mut Values<'a>,
    ) -> Result<Arc<ContainerSpec>, Problem> {
        let mut spec = was.clone();
        let host = &self.decide.inventory.hosts()[old.host].name;
        let instance = &old.recorded.instance;
        for SecretRef { name, mark, .. } in spec.secrets.values_mut() {
            let Some(now) = self.decide.secrets.get(name) else {
                let message = format!("nobody knows the secret `{name}`, which {instance} on `{host}` had");
                return Err(Problem::new(message).hint(format!("release `{}` cannot do without it", self.id)));
            };
            if mark != now {
                mark.clone_from(now);
                values.now(old.which().service, name, old.host);
            }
        }
        Ok(spec.into())
    }

    /// The secrets of all that has to be made again, and those that what is started again has as files, which may be gone.
    pub(super) fn secrets(&self) -> BTreeSet<String> {
        let all = self.containers();
        let changed = all.iter().filter(|old| self.decide.hosts.contains(old.host));
        let needed = changed.filter_map(|old| Some((self.there(old), self.spec(old)?)));
        let secrets = needed.flat_map(|(there, spec)| {
            let is_needed = move |target: &str| match there {
                None => true,
                Some(there) => !there.state.is_up() && Secret::is_file(target),
            };
            spec.secrets.iter().filter(move |(target, _)| is_needed(target)).map(|(_, secret)| secret)
        });
        secrets.map(|secret| secret.name.clone()).collect()
    }
}

impl<'a> Decide<'a> {
    /// The containers of what is meant that are of a release which was begun after the last one, and has not come to its end.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = &'a Sighted<'a>> {
        let seen = |host| self.sight.host(host).map(|host| host.seen);
        let last = past::last(self.hosts.iter().filter_map(seen));
        let all = self.instances().flat_map(|(host, _, copies)| copies.iter().map(move |old| (host, old)));
        let unfinished = all.filter(move |(host, old)| {
            seen(*host).zip(last).is_some_and(|(seen, last)| past::is_unfinished(seen, old, last))
        });
        unfinished.map(|(_, old)| old)
    }
}
