//! The sliding window of a service's updates: in which order they come, and what each waits for. Pure.

use std::collections::BTreeMap;

use super::graph::{Graph, Node};
use super::pace::{Effect, Schedule};
use super::unit::{Rollout, Unit};

impl Rollout<'_> {
    /// What it would do, in numbers.
    pub(super) fn effect(&self) -> Effect {
        let holders = holders(&self.units);
        let gains = || self.units.iter().filter(|unit| unit.gains());
        let blocked = gains().filter(|unit| is_blocked(unit, &holders)).count();
        let lost = |early| self.losses.iter().filter(|loss| loss.serves && loss.early == early).count();
        Effect {
            gains: gains().count() - blocked,
            blocked,
            starting: self.starting.len(),
            waits: self.waits.len(),
            dips: self.units.iter().filter(|unit| unit.dips()).count(),
            early: lost(true),
            late: lost(false),
        }
    }
}

/// A unit's actions.
pub(super) struct Done {
    pub(super) first: Node,
    pub(super) last: Vec<Node>,
}

/// What each update has to wait for.
pub(super) struct Window {
    batch: usize,
    schedule: Schedule,
    all: Vec<Done>,
    /// Places in `all`.
    dips: Vec<usize>,
    gains: Vec<usize>,
    /// How many dips at once on a host, and those that there are, by their places in `all`.
    by_host: BTreeMap<usize, (usize, Vec<usize>)>,
}

impl Window {
    pub(super) fn new(batch: usize, schedule: Schedule, at_once_on: BTreeMap<usize, usize>) -> Self {
        let by_host = at_once_on.into_iter().map(|(host, most)| (host, (most, Vec::new()))).collect();
        Self { batch, schedule, all: Vec::new(), dips: Vec::new(), gains: Vec::new(), by_host }
    }

    /// What the first action of `unit` waits for.
    pub(super) fn needs(&self, unit: &Unit<'_>, graph: &Graph) -> Vec<Node> {
        let mut needs = Vec::new();
        if let Some(before) = self.all.len().checked_sub(self.batch) {
            needs.extend(&self.all[before].last);
        }
        if !unit.dips() {
            return needs;
        }
        if let Some((most, dips)) = self.by_host.get(&unit.host)
            && let Some(before) = dips.len().checked_sub(*most)
        {
            needs.extend(&self.all[dips[before]].last);
        }
        if let Some(before) = self.dips.len().checked_sub(self.schedule.at_once) {
            needs.extend(&self.all[self.dips[before]].last);
        } else if let Some(&first) = self.dips.first() {
            // The first dip has waited for the gains on behalf of these.
            needs.extend((self.schedule.gains_first > 0).then_some(self.all[first].first));
        } else {
            let gains = self.gains.iter().take(self.schedule.gains_first);
            let last = gains.flat_map(|&gain| &self.all[gain].last).copied();
            needs.extend(last.filter(|&node| graph.is_leaf(node)));
        }
        needs
    }

    pub(super) fn record(&mut self, done: Done, host: usize, dips: bool, gains: bool) {
        let place = self.all.len();
        self.all.push(done);
        if dips {
            self.dips.push(place);
            if let Some((_, dips)) = self.by_host.get_mut(&host) {
                dips.push(place);
            }
        }
        if gains {
            self.gains.push(place);
        }
    }

    /// The actions after which all updates are done.
    pub(super) fn last(&self, graph: &Graph) -> Vec<Node> {
        let last = self.all.iter().flat_map(|done| &done.last).copied();
        last.filter(|&node| graph.is_leaf(node)).collect()
    }
}

/// Which unit stops a container, by the container's place.
type Holders = BTreeMap<usize, usize>;

fn holders(units: &[Unit<'_>]) -> Holders {
    let mut holders = BTreeMap::new();
    if units.iter().all(|unit| unit.blockers.is_empty()) {
        return holders;
    }
    for (nth, unit) in units.iter().enumerate() {
        holders.extend(unit.stops.iter().map(|old| (old.place, nth)));
    }
    holders
}

fn is_blocked(unit: &Unit<'_>, holders: &Holders) -> bool {
    unit.blockers.iter().any(|by| holders.contains_key(&by.place))
}

/// Updates that take nothing away come first, and what holds something comes before who needs it.
pub(super) fn in_order(mut units: Vec<Unit<'_>>) -> Vec<Unit<'_>> {
    let before = holders(&units);
    units.sort_by_cached_key(|unit| unit.dips() || is_blocked(unit, &before));
    if before.is_empty() {
        return units;
    }
    let holders = holders(&units);
    let before = |unit: &Unit<'_>| -> Vec<usize> {
        unit.blockers.iter().filter_map(|by| holders.get(&by.place).copied()).collect()
    };
    let before: Vec<Vec<usize>> = units.iter().map(before).collect();
    let mut order = Vec::new();
    let mut visited = vec![false; units.len()];
    for place in 0..units.len() {
        visit(place, &before, &mut visited, &mut order);
    }
    let mut units: Vec<Option<Unit<'_>>> = units.into_iter().map(Some).collect();
    order.into_iter().filter_map(|place| units[place].take()).collect()
}

fn visit(place: usize, before: &[Vec<usize>], visited: &mut [bool], order: &mut Vec<usize>) {
    if std::mem::replace(&mut visited[place], true) {
        return;
    }
    for &first in &before[place] {
        visit(first, before, visited, order);
    }
    order.push(place);
}
