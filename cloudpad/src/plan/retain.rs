//! What stays on a host after a deploy, and what is removed. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{Named, OneOff, Release, Remove};

use super::Note;
use super::decide::Decide;
use super::deploy::{stays, stopped};
use super::graph::{Graph, Node};
use super::look::is_of;
use super::record::Memory;
use super::rollout::named;
use super::sight::{HostSight, Sighted};
use super::supply::Supply;
use super::unit::{Rollout, Which};
use crate::inventory::Inventory;

/// What a deploy leaves on each host.
pub(super) struct Retain<'a, 's> {
    decide: &'s Decide<'a>,
    /// Instances that are not wanted any more, by host, service and number.
    lost: BTreeSet<(usize, &'a str, u32)>,
    /// Whether a container that was stopped is started again, by its place.
    kept: Vec<bool>,
    /// Whether another one is made from the same and runs in its place, so that there is nothing to go back to.
    spent: Vec<bool>,
    /// What the images of the config stand for now.
    current: BTreeSet<&'a str>,
}

impl<'a, 's> Retain<'a, 's> {
    pub(super) fn new(decide: &'s Decide<'a>, rollouts: &[Rollout<'a>], supply: &Supply<'a>) -> Self {
        let losses = rollouts.iter().flat_map(|rollout| {
            rollout.losses.iter().map(|loss| (loss.host, rollout.service, loss.which.number))
        });
        let units = rollouts.iter().flat_map(|rollout| &rollout.units);
        let starts = units.filter_map(|unit| unit.start.as_ref());
        let mut kept = vec![false; decide.sight.containers()];
        starts.filter_map(|new| new.kept).for_each(|old| kept[old.place] = true);
        Self {
            decide,
            lost: losses.collect(),
            spent: spent(decide, rollouts, &kept),
            kept,
            current: decide.config.images.keys().filter_map(|image| supply.reference(image)).collect(),
        }
    }

    /// Keeps what has to stay since only `late` of a service's unwanted instances may be stopped.
    pub(super) fn spare(
        &mut self,
        rollout: &Rollout<'a>,
        late: usize,
        notes: &mut Vec<Note>,
        inventory: &Inventory,
    ) {
        let late_ones = rollout.losses.iter().filter(|loss| loss.serves && !loss.early);
        for loss in late_ones.skip(late) {
            self.lost.remove(&(loss.host, rollout.service, loss.which.number));
            for container in &loss.stops {
                notes.push(stays(&container.name, &inventory.hosts()[loss.host].name));
            }
        }
    }

    /// Adds one action for each host on which something is left over. The first of them waits for
    /// everything else and the others for it: what a rollback would need is there until nothing can
    /// fail any more. `stops` are the actions that stop containers, by the containers' places; `ended` are containers of
    /// jobs by host.
    pub(super) fn remove(
        &self,
        graph: &mut Graph,
        stops: &[Option<Node>],
        ended: &BTreeMap<usize, Vec<Named>>,
        memories: &BTreeMap<usize, Memory<'a>>,
    ) {
        let mut gate: Option<Vec<Node>> = None;
        let is_idle = graph.leaves().is_empty();
        for index in self.decide.hosts.iter() {
            let Some(sight) = self.decide.sight.host(index) else { continue };
            let containers = self.surplus(index, sight, stops, memories.get(&index));
            // That of jobs alone is no reason to do anything.
            let jobs = ended.get(&index).filter(|_| !is_idle).map_or(&[][..], Vec::as_slice);
            let images = self.unused(sight, (&containers, jobs), memories.get(&index));
            if containers.is_empty() && images.is_empty() && jobs.is_empty() {
                continue;
            }
            let host = self.decide.inventory.hosts()[index].clone();
            let key = format!("remove/{}", host.name);
            let containers = containers.iter().map(|old| named(old)).chain(jobs.iter().cloned()).collect();
            let project = self.decide.config.project.clone();
            let request = Request::DeployRemove(Remove { host, project, containers, images });
            let needs = gate.clone().unwrap_or_else(|| graph.leaves());
            let node = graph.add(key, None, needs, request);
            gate.get_or_insert_with(|| vec![node]);
        }
    }

    /// The containers of a host that are not kept, by name.
    pub(super) fn surplus(
        &self,
        index: usize,
        sight: &'a HostSight<'a>,
        stops: &[Option<Node>],
        memory: Option<&Memory<'_>>,
    ) -> Vec<&'a Sighted<'a>> {
        let stopping = |old: &Sighted<'_>| stops[old.place].is_some();
        let idle = sight.containers.iter();
        let mut idle: Vec<_> = idle
            .filter(|c| (!c.state.is_up() || stopping(c)) && !self.kept[c.place] && !self.decide.holds(c))
            .collect();
        let mut surplus: Vec<&'a Sighted<'a>> = Vec::new();
        for copies in idle.chunk_by_mut(|a, b| a.which == b.which) {
            let Which { service, number } = copies[0].which;
            if !self.decide.scope.covers(service, self.decide.config) {
                continue;
            }
            let is_lost = self.lost.contains(&(index, service, number));
            let keep = if is_lost { 0 } else { self.decide.config.deploy.keep as usize };
            // What ran until now is what a rollback goes back to, however old it is; what no release has goes first.
            let rank = |c: &Sighted<'_>| (stopping(c), memory.is_some_and(|memory| memory.has(c)), c.created);
            copies.sort_by(|a, b| (rank(b), &b.name).cmp(&(rank(a), &a.name)));
            let mut room = keep;
            surplus.extend(copies.iter().copied().filter(|old| {
                let goes = self.spent[old.place] || room == 0;
                room -= usize::from(!goes);
                goes
            }));
        }
        surplus.sort_by(|a, b| a.name.cmp(&b.name));
        surplus
    }

    /// The images that the removed containers, those of jobs among them, and the forgotten releases were made from and that nothing needs any
    /// more. Others of the project may be what another environment runs, or is to run.
    fn unused(
        &self,
        sight: &HostSight<'a>,
        (removed, jobs): (&[&Sighted<'_>], &[Named]),
        memory: Option<&Memory<'_>>,
    ) -> Vec<String> {
        let Some(needed) = self.needed(sight, (removed, jobs), memory) else { return Vec::new() };
        let old = removed.iter().filter_map(|container| Some(container.spec?.image.as_str()));
        let of_jobs = sight.seen.one_offs.iter().filter(|one_off| is_one_of(jobs, one_off));
        let old = old.chain(of_jobs.map(|one_off| one_off.image.as_str()));
        let forgotten = memory.iter().flat_map(|memory| memory.forgotten.iter().copied()).flat_map(images_of);
        let old: BTreeSet<&str> = old.chain(forgotten).collect();
        old.into_iter()
            .filter(|image| self.is_ours(image, sight) && !needed.contains(image))
            .map(str::to_owned)
            .collect()
    }

    /// All images of the project that nothing needs any more, where the host remembers what it needs.
    pub(super) fn unneeded(
        &self,
        sight: &HostSight<'a>,
        removed: &[&Sighted<'_>],
        memory: &Memory<'_>,
    ) -> Vec<String> {
        let needed = match sight.seen.releases {
            Some(_) => self.needed(sight, (removed, &[]), Some(memory)),
            None => None,
        };
        let Some(needed) = needed else { return Vec::new() };
        let all = sight.seen.images.iter().filter(|image| self.is_ours(image, sight));
        all.filter(|image| !needed.contains(image.as_str())).cloned().collect()
    }

    fn is_ours(&self, image: &str, sight: &HostSight<'_>) -> bool {
        is_of(&self.decide.config.project, image) && sight.seen.has_built(image)
    }

    /// The images that something needs: a container that stays, a release, another environment, the config; none when
    /// that cannot be told.
    fn needed<'n>(
        &'n self,
        sight: &'n HostSight<'a>,
        (removed, jobs): (&[&Sighted<'_>], &[Named]),
        memory: Option<&'n Memory<'_>>,
    ) -> Option<BTreeSet<&'n str>> {
        let places: BTreeSet<usize> = removed.iter().map(|container| container.place).collect();
        let mut needed: BTreeSet<&str> = self.current.clone();
        needed.extend(sight.seen.needed_elsewhere.iter().map(String::as_str));
        let one_offs = sight.seen.one_offs.iter().filter(|one_off| !is_one_of(jobs, one_off));
        needed.extend(one_offs.map(|one_off| one_off.image.as_str()));
        for container in sight.containers.iter().filter(|container| !places.contains(&container.place)) {
            // One that is not understood may be made from any of them.
            needed.insert(&container.spec?.image);
        }
        let kept = memory.iter().flat_map(|memory| memory.kept.iter().copied().chain(memory.new.as_deref()));
        needed.extend(kept.flat_map(images_of));
        Some(needed)
    }
}

/// The containers whose like runs when all is done: a deploy that was broken off, or another container in the place of one that
/// was ill, leaves them.
fn spent(decide: &Decide<'_>, rollouts: &[Rollout<'_>], kept: &[bool]) -> Vec<bool> {
    let mut spent = vec![false; decide.sight.containers()];
    let stopped = stopped(rollouts, decide.sight);
    for host in decide.hosts.iter().filter_map(|host| decide.sight.host(host)) {
        for copies in host.containers.chunk_by(|a, b| a.which == b.which).filter(|copies| copies.len() > 1) {
            let stays = |old: &Sighted<'_>| old.state.is_up() && !stopped[old.place];
            for old in copies.iter().filter(|old| !stays(old) && has_own_name(old)) {
                let is_like = |other: &Sighted<'_>| stays(other) && other.spec_id == old.spec_id;
                spent[old.place] = copies.iter().any(is_like);
            }
        }
    }
    for unit in rollouts.iter().flat_map(|rollout| &rollout.units) {
        let Some(new) = &unit.start else { continue };
        let is_stopped = |old: &Sighted<'_>| unit.stops.iter().any(|stop| stop.place == old.place);
        let copies = decide.sight.of(unit.host, unit.which).iter();
        let same = copies.filter(|old| *old.spec_id == *new.wanted.spec_id && !kept[old.place]);
        let goes = |old: &&Sighted<'_>| is_stopped(old) || has_own_name(old) || old.status.unproven;
        same.filter(goes).for_each(|old| spent[old.place] = true);
    }
    // Nor to what never was a release.
    if decide.goal.restore.is_some() {
        decide.unfinished().for_each(|old| spent[old.place] = true);
    }
    spent
}

/// Another name it has from somebody else, who may mean something by it.
fn has_own_name(old: &Sighted<'_>) -> bool {
    old.spec_id.get(..8).is_some_and(|end| old.name.ends_with(end))
}

fn is_one_of(removed: &[Named], one_off: &OneOff) -> bool {
    removed.iter().any(|named| named.id.as_ref() == Some(&one_off.id))
}

/// The images that a release's containers are made from.
fn images_of(release: &Release) -> impl Iterator<Item = &str> {
    release.specs.values().map(|spec| spec.image.as_str())
}
