//! Which actions may run next. It starts nothing; whoever runs them says what became of them. Pure.
//!
//! [`Queue::next`] hands out the lowest-numbered action whose needs are done and for which there is
//! room; [`Queue::done`] and [`Queue::failed`] take it back. After a failure nothing new is handed out;
//! after [`Queue::stop`] only what goes on with what was begun. The rest is [`Queue::not_run`].

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
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

    /// Says that an action which was handed out has failed. Nothing new is handed out from here on.
    pub fn failed(&mut self, id: u32) {
        self.settle(id);
        self.mode = Mode::Closed;
    }

    /// Hands out from here on only what goes on with what was begun.
    pub fn stop(&mut self) {
        if self.mode == Mode::Open {
            self.mode = Mode::Finishing;
        }
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
mod tests {
    use super::*;

    const WIDE: Limits = Limits { per_host: 100, overall: 100 };

    fn queue(items: &[(&'static str, &'static [u32])], limits: Limits) -> Queue {
        let items = items.iter();
        Queue::new(items.map(|&(host, needs)| ((!host.is_empty()).then_some(host), needs, false)), limits)
    }

    fn drain(queue: &mut Queue) -> Vec<u32> {
        std::iter::from_fn(|| queue.next()).collect()
    }

    #[test]
    fn hands_out_what_needs_nothing_and_then_what_needed_that() {
        let mut queue = queue(&[("", &[]), ("", &[0]), ("", &[]), ("", &[1, 2])], WIDE);
        assert_eq!(drain(&mut queue), [0, 2]);
        queue.done(0);
        assert_eq!(drain(&mut queue), [1]);
        queue.done(1);
        assert_eq!(drain(&mut queue), [0; 0]);
        queue.done(2);
        assert_eq!(drain(&mut queue), [3]);
        queue.done(3);
        assert_eq!(drain(&mut queue), [0; 0]);
        assert_eq!(queue.not_run(), [0; 0]);
    }

    #[test]
    fn a_busy_host_does_not_keep_others_waiting() {
        let items: [(&str, &[u32]); 4] = [("a", &[]), ("a", &[]), ("b", &[]), ("", &[])];
        let mut queue = queue(&items, Limits { per_host: 1, overall: 100 });
        assert_eq!(drain(&mut queue), [0, 2, 3]);
        queue.done(2);
        assert_eq!(drain(&mut queue), [0; 0]);
        queue.done(0);
        assert_eq!(drain(&mut queue), [1]);
    }

    #[test]
    fn no_more_at_once_than_allowed() {
        let mut queue = queue(&[("", &[]), ("", &[]), ("", &[])], Limits { per_host: 1, overall: 2 });
        assert_eq!(drain(&mut queue), [0, 1]);
        queue.done(1);
        assert_eq!(drain(&mut queue), [2]);
    }

    #[test]
    fn after_a_failure_what_runs_settles_and_the_rest_is_not_run() {
        let mut queue = queue(&[("a", &[]), ("b", &[]), ("a", &[0]), ("b", &[1])], WIDE);
        assert_eq!(drain(&mut queue), [0, 1]);
        queue.failed(0);
        queue.done(1);
        assert_eq!(drain(&mut queue), [0; 0]);
        assert_eq!(queue.not_run(), [2, 3]);
    }

    #[test]
    fn a_stopped_queue_hands_out_nothing() {
        let mut queue = queue(&[("a", &[]), ("a", &[])], WIDE);
        assert_eq!(queue.next(), Some(0));
        queue.stop();
        assert_eq!(queue.next(), None);
        queue.done(0);
        assert_eq!(queue.not_run(), [1]);
    }

    #[test]
    fn a_stopped_queue_lets_be_done_what_was_begun() {
        let none: &[u32] = &[];
        // Two instances of two steps on a host that takes one action at a time, one of which is begun.
        let items = [
            (Some("a"), none, false),
            (Some("a"), none, false),
            (Some("a"), &[0], true),
            (Some("a"), &[1], true),
        ];
        let mut queue = Queue::new(items, Limits { per_host: 1, overall: 100 });
        assert_eq!(drain(&mut queue), [0]);
        queue.stop();
        queue.done(0);
        assert_eq!(drain(&mut queue), [2]);
        queue.done(2);
        assert_eq!(drain(&mut queue), [0; 0]);
        assert_eq!(queue.not_run(), [1, 3]);
    }

    #[test]
    fn what_is_said_twice_counts_once() {
        let mut queue = queue(&[("a", &[]), ("a", &[0])], WIDE);
        assert_eq!(drain(&mut queue), [0]);
        queue.done(0);
        queue.done(0);
        assert_eq!(drain(&mut queue), [1]);
        assert_eq!(queue.running(), 1);
    }
}
