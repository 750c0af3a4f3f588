//! Which actions are handed out when.

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
fn a_closed_queue_lets_settle_what_runs() {
    let mut queue = queue(&[("a", &[]), ("b", &[]), ("a", &[0]), ("b", &[1])], WIDE);
    assert_eq!(drain(&mut queue), [0, 1]);
    queue.failed(0);
    queue.narrow(Mode::Closed);
    queue.done(1);
    queue.narrow(Mode::Finishing);
    assert_eq!(drain(&mut queue), [0; 0]);
    assert_eq!(queue.not_run(), [2, 3]);
}

#[test]
fn a_stopped_queue_hands_out_nothing() {
    let mut queue = queue(&[("a", &[]), ("a", &[])], WIDE);
    assert_eq!(queue.next(), Some(0));
    queue.narrow(Mode::Finishing);
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
    queue.narrow(Mode::Finishing);
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

#[test]
fn after_a_failure_what_does_not_need_it_can_go_on() {
    let mut queue = queue(&[("a", &[]), ("b", &[]), ("a", &[0]), ("b", &[1]), ("b", &[2, 3])], WIDE);
    assert_eq!(drain(&mut queue), [0, 1]);
    queue.failed(0);
    queue.done(1);
    assert_eq!(drain(&mut queue), [3]);
    queue.done(3);
    assert_eq!(drain(&mut queue), [0; 0]);
    assert_eq!(queue.not_run(), [2, 4]);
}

#[test]
fn after_a_failure_other_instances_that_were_begun_can_be_finished() {
    let none: &[u32] = &[];
    // Two instances that are stopped, started and asked, and a third that is not begun.
    let items = [
        (Some("a"), none, false),
        (Some("a"), &[0], true),
        (Some("a"), &[1], true),
        (Some("b"), none, false),
        (Some("b"), &[3], true),
        (Some("b"), &[4], true),
        (Some("c"), &[2], false),
        (Some("c"), &[6], true),
    ];
    let mut queue = Queue::new(items, WIDE);
    assert_eq!(drain(&mut queue), [0, 3]);
    queue.done(0);
    assert_eq!(drain(&mut queue), [1]);
    queue.failed(1);
    queue.narrow(Mode::Finishing);
    queue.done(3);
    assert_eq!(drain(&mut queue), [4]);
    queue.done(4);
    assert_eq!(drain(&mut queue), [5]);
    queue.done(5);
    assert_eq!(drain(&mut queue), [0; 0]);
    assert_eq!(queue.not_run(), [2, 6, 7]);
}
