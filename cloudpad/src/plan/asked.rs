//! What plans about containers that are there have in common, whatever the config says by now: which of them are meant, and
//! from rollouts to actions. Pure.

use std::collections::BTreeSet;

use cloudpad_plugin_api::stage::deploy::State;

use super::about::about;
use super::decide::Decide;
use super::deploy::{knotted, settle_claims};
use super::graph::Graph;
use super::hosts::HostSet;
use super::pace::schedule_anyway;
use super::protect::is_protected;
use super::rollout::Roll;
use super::rule::Rules;
use super::sight::{self, Sighted};
use super::unit::{Rollout, Which};
use super::{Goal, Note, Plan, Scope, ailment};
use crate::config::{Config, Problem};
use crate::instances::{Target, where_else};
use crate::inventory::{Inventory, list};
use crate::observed::Observed;

/// What such a plan is made from.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What the project is.
    pub config: &'a Config,
    /// Every host.
    pub inventory: &'a Inventory,
    /// What was seen.
    pub observed: &'a Observed,
    /// Which services and hosts are meant.
    pub goal: &'a Goal,
    /// Which instances of them; all where there are none.
    pub targets: &'a [Target],
}

impl Asked<'_> {
    /// Makes a plan of what `make` decides, with what there is to say of hosts that were not seen.
    pub(super) fn plan(
        &self,
        make: impl FnOnce(&Decide<'_>, &mut Vec<Note>) -> Result<Plan, Vec<Problem>>,
    ) -> Result<Plan, Vec<Problem>> {
        let Self { config, inventory, observed, goal, .. } = *self;
        about((config, inventory), observed, goal, needed, |decide, notes| {
            let plan = make(decide, notes)?;
            let problems = super::unaskable(decide, &plan);
            if problems.is_empty() { Ok(plan) } else { Err(problems) }
        })
    }

    pub(super) fn means(&self, which: Which<'_>) -> bool {
        let mut targets = self.targets.iter();
        self.targets.is_empty() || targets.any(|target| target.covers(which.service, which.number))
    }

    /// One problem for each target that is none of the instances which are there.
    pub(super) fn nowhere(&self, there: &BTreeSet<Which<'_>>) -> Vec<Problem> {
        let is_there = |target: &Target| there.iter().any(|which| target.covers(which.service, which.number));
        let lacking = self.targets.iter().filter(|target| !is_there(target));
        lacking.map(|target| self.lacking(target, there)).collect()
    }

    /// That there is nothing of a target, and what there is of its service.
    fn lacking(&self, target: &Target, there: &BTreeSet<Which<'_>>) -> Problem {
        let on = if self.goal.select.narrows_hosts() { " on the selected hosts" } else { "" };
        let problem = Problem::new(format!("there is no container of `{target}`{on}"));
        let service = Target { number: None, ..target.clone() };
        let others = there.iter().filter(|which| service.covers(which.service, which.number));
        let others: Vec<String> = others.map(|which| which.instance().to_string()).collect();
        problem.hint(match others.is_empty() {
            true => where_else(self.config, target),
            false => format!("there is {}", list(others.iter().map(String::as_str))),
        })
    }
}

/// The hosts that have to be seen: those on which what is meant may run.
fn needed(scope: &Scope) -> HostSet {
    match scope.is_about_gone() {
        true => scope.hosts.iter().copied().collect(),
        false => scope.services.values().flatten().copied().collect(),
    }
}

impl<'a> Decide<'a> {
    /// Every instance of the services that are meant which has a container on a host that may be changed, with its host
    /// and containers, service by service.
    pub(super) fn instances(&self) -> impl Iterator<Item = (usize, Which<'a>, &'a [Sighted<'a>])> {
        let services = self.sight.services().filter(|name| self.scope.covers(name, self.config));
        let all = services.flat_map(|service| {
            let copies = self.sight.copies(service);
            copies.map(move |(host, number, copies)| (host, Which { service, number }, copies))
        });
        all.filter(|(host, ..)| self.hosts.contains(*host))
    }

    /// The name of a host, by its place in the inventory.
    pub(super) fn host_name(&self, host: usize) -> &'a str {
        &self.inventory.hosts()[host].name
    }

    /// Takes what is protected and not named out of containers that are to be stopped.
    pub(super) fn leave_alone(&self, host: usize, stops: &mut Vec<&'a Sighted<'a>>, notes: &mut Vec<Note>) {
        stops.retain(|old| {
            let holds = self.holds(old);
            if holds {
                let (name, host, service) = (&old.name, self.host_name(host), old.which.service);
                let message = format!(
                    "`{name}` on `{host}` is protected, and left alone: only who names `{service}` means it"
                );
                notes.push(Note { incomplete: false, message });
            }
            !holds
        });
    }

    /// That something which is protected is stopped all the same.
    pub(super) fn named_all_the_same(&self, host: usize, old: &Sighted<'_>) -> Option<Note> {
        let message = format!(
            "`{}` on `{}` is protected, and stopped since it is named",
            old.name,
            self.host_name(host)
        );
        is_protected(old, self.config).then_some(Note { incomplete: false, message })
    }

    /// Hosts on which a rollout stops all that serves, though something of it stays there and runs.
    pub(super) fn none_left(&self, rollout: &Rollout<'a>) -> Vec<Note> {
        let service = rollout.service;
        let stopped: BTreeSet<usize> =
            rollout.losses.iter().flat_map(|loss| &loss.stops).map(|old| old.place).collect();
        let comes = |host: usize| {
            let mut units = rollout.units.iter().chain(&rollout.starting);
            units.any(|unit| unit.host == host && unit.ready.is_some())
        };
        let hosts: BTreeSet<usize> = rollout.losses.iter().filter(|l| l.serves).map(|l| l.host).collect();
        let note = |host| {
            let there = self.sight.copies(service).filter(|(at, ..)| *at == host);
            let up = there.flat_map(|(.., copies)| sight::up(copies));
            let left: Vec<_> = up.filter(|old| !stopped.contains(&old.place)).collect();
            if left.iter().any(|old| old.state == State::Running) {
                return None;
            }
            let first = left.iter().min_by_key(|old| old.state != State::Unhealthy)?;
            let what = match first.state {
                State::Unhealthy => ailment(first),
                _ => "does not serve".to_owned(),
            };
            let (on, name) = (self.host_name(host), &first.name);
            let message = format!("nothing of `{service}` on `{on}` serves then: `{name}` stays, and {what}");
            Some(Note { incomplete: false, message })
        };
        hosts.into_iter().filter(|host| !comes(*host)).filter_map(note).collect()
    }

    /// The actions of rollouts in which nothing is made that is not there. The rules of routes stay as they are,
    /// and lead also to what is steady.
    pub(super) fn order(&self, mut rollouts: Vec<Rollout<'a>>) -> Result<Plan, Vec<Problem>> {
        settle_claims(self, &mut rollouts)?;
        let mut graph = Graph::default();
        let mut roll = Roll::new(self.config, self.inventory, self.sight, Rules::Seen);
        let steady = |rollout: &Rollout<'a>| {
            let service = rollout.service;
            rollout.steady.iter().map(|(host, _)| (*host, service)).collect::<Vec<_>>()
        };
        let steady: BTreeSet<_> = rollouts.iter().flat_map(steady).collect();
        for rollout in rollouts {
            let schedule = schedule_anyway(rollout.pace, rollout.effect());
            roll.add(&mut graph, rollout, schedule, &mut |_, _, _| None);
        }
        for at in steady {
            roll.routing.mend(&mut graph, at, Vec::new());
        }
        roll.unblock(&mut graph);
        match graph.finish() {
            Ok(actions) => Ok(Plan { changes: roll.changes, actions, ..Plan::default() }),
            Err(knot) => Err(vec![knotted(&knot)]),
        }
    }
}
