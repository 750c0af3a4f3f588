//! What is next on the way to what a service is to be: what was seen in, steps out. Pure.
//!
//! There are no states of its own but since when something is so: whoever was broken off begins again with a look.

use std::collections::BTreeMap;

use crate::judge::{Look, Standing, Target, is_stopped, standing};
use crate::unit::{Desired, values};
use crate::wire::Unit;

/// For how long a unit may end again and again until it is one that does not come up.
const RESTARTING: u64 = 12_000;
/// How long a unit takes to stop, on top of what it says itself, and when it says nothing.
const STOPPING: u64 = 30_000;
const STOPS_WITHIN: u64 = 90_000;

/// What is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// The units that are to run, by number.
    pub targets: Vec<Target>,
    /// Whether the new one starts before the old one of its number stops.
    pub is_start_first: bool,
    /// How many numbers are changed at a time.
    pub batch: usize,
    /// Milliseconds for which a unit has to run until it counts.
    pub settle: u64,
    /// Milliseconds that it may take until then.
    pub within: u64,
}

/// A unit of the service that is not to run any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Old<'a> {
    /// The number of its instance.
    pub number: u32,
    /// The unit.
    pub unit: &'a Unit,
}

/// Since when something is so, in milliseconds of whatever clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    begun: BTreeMap<String, u64>,
    active: BTreeMap<String, u64>,
    restarting: BTreeMap<String, u64>,
    stopping: BTreeMap<String, u64>,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Declare this unit, to run.
    Launch(String),
    /// Have this unit stop, and stay where it is.
    Stop(String),
    /// Destroy this unit, of which nothing runs.
    Destroy(String),
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This is to be done, and then to be looked again; where it is nothing, after a while.
    Do(Vec<Act>),
    /// All is as it is to be.
    Done,
    /// It does not come to that.
    Failed(Fault),
}

/// Which unit does not come up, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The unit.
    pub unit: String,
    /// Why: lower case, no full stop.
    pub why: String,
    /// Whether it has no machine.
    pub is_unplaced: bool,
}

/// What is next. `olds` are the service's units that are no targets; `now` is the time of `watch`.
pub fn next(goal: &Goal, olds: &[Old<'_>], look: &Look, watch: &mut Watch, now: u64) -> Step {
    let standings: Vec<Standing> = goal.targets.iter().map(|target| standing(target, look)).collect();
    for (target, standing) in goal.targets.iter().zip(&standings) {
        if let Some(fault) = watch.fault(goal, target, standing, now) {
            return Step::Failed(fault);
        }
    }
    if let Some(fault) = olds.iter().find_map(|old| watch.stuck(old, look, now)) {
        return Step::Failed(fault);
    }
    let serving: Vec<bool> = goal.targets.iter().map(|target| watch.serves(goal, target, now)).collect();
    let acts = Turn { goal, olds, look, standings: &standings, serving: &serving }.acts();
    if acts.is_empty() && olds.is_empty() && serving.iter().all(|serves| *serves) {
        return Step::Done;
    }
    Step::Do(acts)
}

impl Watch {
    /// Notes what is with a unit, and tells when it does not come up.
    fn fault(&mut self, goal: &Goal, target: &Target, standing: &Standing, now: u64) -> Option<Fault> {
        let name = &target.unit;
        let was_active = self.active.contains_key(name);
        if *standing == Standing::Missing {
            for since in [&mut self.begun, &mut self.active, &mut self.restarting] {
                since.remove(name);
            }
            return None;
        }
        let begun = *self.begun.entry(name.clone()).or_insert(now);
        if *standing == Standing::Active {
            self.active.entry(name.clone()).or_insert(now);
        } else {
            self.active.remove(name);
        }
        let restarting = match standing {
            Standing::Restarting => now - *self.restarting.entry(name.clone()).or_insert(now),
            _ => 0,
        };
        let is_late = now - begun >= goal.within && *standing != Standing::Active;
        let late = format!("not within {} s", goal.within / 1000);
        let why = match standing {
            Standing::Failed(why) => why.clone(),
            Standing::Idle if was_active => "it has ended".to_owned(),
            Standing::Restarting if restarting >= RESTARTING => "it ends again and again".to_owned(),
            Standing::Unplaced if is_late => format!("fleet has no machine for it, {late}"),
            Standing::Coming(word) if is_late && !word.is_empty() => {
                format!("it does not serve, {late}: {word}")
            }
            _ if is_late => format!("it does not serve, {late}"),
            _ => return None,
        };
        Some(Fault { unit: name.clone(), why, is_unplaced: *standing == Standing::Unplaced })
    }

    /// Whether a unit has run for long enough.
    fn serves(&self, goal: &Goal, target: &Target, now: u64) -> bool {
        self.active.get(&target.unit).is_some_and(|since| now - since >= goal.settle)
    }

    fn stuck(&mut self, old: &Old<'_>, look: &Look, now: u64) -> Option<Fault> {
        let name = &old.unit.name;
        if old.unit.desired_state == Desired::Launched || is_stopped(old.unit, look) {
            self.stopping.remove(name);
            return None;
        }
        let since = now - *self.stopping.entry(name.clone()).or_insert(now);
        let told = values(&old.unit.options, "Service", "TimeoutStopSec");
        let told = told.first().and_then(|seconds| seconds.parse::<u64>().ok());
        let within = told.map_or(STOPS_WITHIN, |seconds| seconds.saturating_mul(1000)) + STOPPING;
        let why = format!("it does not stop, not within {} s", within / 1000);
        (since >= within).then(|| Fault { unit: name.clone(), why, is_unplaced: false })
    }
}

/// All that the next steps depend on.
struct Turn<'a> {
    goal: &'a Goal,
    olds: &'a [Old<'a>],
    look: &'a Look,
    standings: &'a [Standing],
    serving: &'a [bool],
}

impl Turn<'_> {
    fn acts(&self) -> Vec<Act> {
        let mut acts = Vec::new();
        let is_first = !self.olds.iter().any(|old| old.unit.desired_state == Desired::Launched);
        let mut room = if is_first { usize::MAX } else { self.goal.batch.max(1) };
        let is_under_way = |at: &usize| self.is_under_way(*at);
        room = room.saturating_sub((0..self.goal.targets.len()).filter(is_under_way).count());
        for (at, target) in self.goal.targets.iter().enumerate() {
            let is_under_way = self.is_under_way(at);
            if self.serving[at] {
                acts.extend(self.retire(target.number));
            } else if self.standings[at] == Standing::Missing && (is_under_way || room > 0) {
                room = if is_under_way { room } else { room - 1 };
                let in_the_way = if self.goal.is_start_first { Vec::new() } else { self.of(target.number) };
                match in_the_way.is_empty() {
                    true => acts.push(Act::Launch(target.unit.clone())),
                    false => acts.extend(self.retire(target.number)),
                }
            }
        }
        // Those of numbers that there are to be no more go last.
        if self.serving.iter().all(|serves| *serves) {
            let is_wanted = |number| self.goal.targets.iter().any(|target| target.number == number);
            let surplus = self.olds.iter().filter(|old| !is_wanted(old.number));
            acts.extend(surplus.filter_map(|old| self.retire_one(old)));
        }
        acts
    }

    /// Whether a number is being changed: the new unit does not serve yet, or the old one is not gone.
    fn is_under_way(&self, at: usize) -> bool {
        let number = self.goal.targets[at].number;
        let is_coming = self.standings[at] != Standing::Missing && !self.serving[at];
        let is_going = |old: &&Old<'_>| self.serving[at] || old.unit.desired_state != Desired::Launched;
        is_coming || self.of(number).iter().any(is_going)
    }

    fn of(&self, number: u32) -> Vec<&Old<'_>> {
        self.olds.iter().filter(|old| old.number == number).collect()
    }

    fn retire(&self, number: u32) -> Vec<Act> {
        self.of(number).into_iter().filter_map(|old| self.retire_one(old)).collect()
    }

    /// A unit is destroyed only once it has stopped: else its container is killed after it is gone, and nobody sees it.
    fn retire_one(&self, old: &Old<'_>) -> Option<Act> {
        let name = old.unit.name.clone();
        match old.unit.desired_state {
            Desired::Launched => Some(Act::Stop(name)),
            _ => is_stopped(old.unit, self.look).then_some(Act::Destroy(name)),
        }
    }
}

#[cfg(test)]
#[path = "rollout_tests.rs"]
mod tests;
