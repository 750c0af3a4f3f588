//! Which actions may run next. It starts nothing; whoever runs them says what became of them. Pure.
//!
//! [`Queue::next`] hands out the lowest-numbered action whose needs are done and for which there is
//! room; [`Queue::done`] and [`Queue::failed`] take it back. What needs a failed action is never handed
//! out; [`Queue::narrow`] says what of the rest still is. What was not is [`Queue::not_run`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::Plan;

/// How much may run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// On one host.
    pub per_host: usize,
    /// In all.
    pub overall: usize,
}

/// The state of every action of a plan.
#[derive(Clone, Debug)]
pub struct Queue {
    limits: Limits,
    items: Vec<Item>,
    hosts: Vec<HostLoad>,
    ready: BinaryHeap<Reverse<u32>>,
    running: usize,
    mode: Mode,
}

/// What is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Everything.
    Open,
    /// Only what goes on with what was begun.
    Finishing,
    /// Nothing.
    Closed,
}

#[derive(Clone, Debug)]
struct Item {
    /// Whether it goes on with what one of its needs has begun.
    continues: bool,
    /// Its place in `Queue::hosts`.
    host: Option<usize>,
    /// How many of its needs are not done.
    waits_for: usize,
    /// Who needs it.
    needed_by: Vec<u32>,
    state: ItemState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ItemState {
    Waiting,
    Running,
    Over,
}

#[derive(Clone, Debug, Default)]
struct HostLoad {
    running: usize,
    /// Actions that could run if the host were less busy.
    parked: BinaryHeap<Reverse<u32>>,
}

impl Queue {
    /// The queue of a plan's actions.
    pub fn of(plan: &Plan, limits: Limits) -> Self {
        Self::new(plan.actions.iter().map(|a| (a.host.as_deref(), a.needs.as_slice(), a.continues)), limits)
    }

    /// A queue of actions numbered from 0, each with its host, the smaller numbers it needs, and whether
    /// it goes on with what one of them has begun.
    pub fn new<'a>(
        items: impl IntoIterator<Item = (Option<&'a str>, &'a [u32], bool)>,
        limits: Limits,
    ) -> Self {
        let limits = Limits { per_host: limits.per_host.max(1), overall: limits.overall.max(1) };
        let mut queue = Self {
            limits,
            items: Vec::new(),
            hosts: Vec::new(),
            ready: BinaryHeap::new(),
            running: 0,
            mode: Mode::Open,
        };
        let mut hosts = BTreeMap::new();
        for (id, (host, needs, continues)) in (0..).zip(items) {
            let host = host.map(|name| {
                *hosts.entry(name).or_insert_with(|| {
                    queue.hosts.push(HostLoad::default());
                    queue.hosts.len() - 1
                })
            });
            queue.add(id, host, needs, continues);
        }
        queue
    }

    fn add(&mut self, id: u32, host: Option<usize>, needs: &[u32], continues: bool) {
        for &need in needs {
            self.items[need as usize].needed_by.push(id);
        }
        if needs.is_empty() {
            self.ready.push(Reverse(id));
        }
        let waits_for = needs.len();
        self.items.push(Item {
            continues,
            host,
            waits_for,
            needed_by: Vec::new(),
            state: ItemState::Waiting,
        });
    }

    /// The next action to run; none while nothing may run, or nothing is left.
    #[allow(clippy::should_implement_trait, reason = "an answer of none is not the end of it")]
    pub fn next(&mut self) -> Option<u32> {
        if self.mode == Mode::Closed || self.running >= self.limits.overall {
            return None;
        }
        while let Some(Reverse(id)) = self.ready.pop() {
            let item = &mut self.items[id as usize];
            if self.mode == Mode::Finishing && !item.continues {
                self.ready.extend(item.host.and_then(|host| self.hosts[host].parked.pop()));
                continue;
            }
            if let Some(host) = item.host {
                let load = &mut self.hosts[host];
                if load.running >= self.limits.per_host {
                    load.parked.push(Reverse(id));
                    continue;
                }
                load.running += 1;
            }
            item.state = ItemState::Running;
            self.running += 1;
            return Some(id);
        }
        None
    }

    /// Says that an action which was handed out is done.
    pub fn done(&mut self, id: u32) {
        if !self.settle(id) {
            return;
        }
        for next in std::mem::take(&mut self.items[id as usize].needed_by) {
            let item = &mut self.items[next as usize];
            item.waits_for -= 1;
            if item.waits_for == 0 {
                self.ready.push(Reverse(next));
            }
        }
    }

    /// Says that an action which was handed out has failed. What needs it is not handed out any more.
    pub fn failed(&mut self, id: u32) {
        self.settle(id);
    }

    /// Hands out no more than this from here on.
    pub fn narrow(&mut self, mode: Mode) {
        self.mode = self.mode.max(mode);
    }

    fn settle(&mut self, id: u32) -> bool {
        let item = &mut self.items[id as usize];
        if item.state != ItemState::Running {
            return false;
        }
        item.state = ItemState::Over;
        self.running -= 1;
        if let Some(host) = item.host {
            let load = &mut self.hosts[host];
            load.running -= 1;
            self.ready.extend(load.parked.pop());
        }
        true
    }

    /// How many have been handed out and not come back.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Actions that have not been handed out, ascending.
    pub fn not_run(&self) -> Vec<u32> {
        let waiting = |(id, item): (u32, &Item)| (item.state == ItemState::Waiting).then_some(id);
        (0..).zip(&self.items).filter_map(waiting).collect()
    }
}

#[cfg(test)]
mod tests;
