//! Deadlines, with a clock that is a number.

use super::*;
use std::time::Duration;

struct Clock {
    timing: Timing,
    begun: Instant,
}

impl Clock {
    fn new() -> Self {
        let begun = Instant::now();
        Self { timing: Timing::new(Limits::default(), begun), begun }
    }

    fn open() -> Self {
        let mut clock = Self::new();
        clock.timing.enter(Phase::Open, clock.begun);
        clock
    }

    fn at(&self, seconds: f64) -> Instant {
        self.begun + Duration::from_secs_f64(seconds)
    }

    fn due(&mut self, seconds: f64) -> String {
        let now = self.at(seconds);
        match self.timing.due(None, now) {
            Due::Fault(fault) => format!("{fault:?}").split('(').next().unwrap_or_default().to_owned(),
            other => format!("{other:?}"),
        }
    }
}

#[test]
fn the_ladder() {
    let mut clock = Clock::new();
    assert_eq!((clock.due(9.9), clock.due(10.0)), ("Nothing".into(), "Silent".into()));
    for (phase, limit, then) in [
        (Phase::Finishing, 2.0, "Terminate"),
        (Phase::Terminated, 5.0, "Kill"),
        (Phase::Killed, 5.0, "GiveUp"),
    ] {
        clock.timing.enter(phase, clock.begun);
        assert_eq!((clock.due(limit - 0.1), clock.due(limit)), ("Nothing".into(), then.into()), "{phase:?}");
    }
    clock.timing.exited(clock.begun);
    assert_eq!(clock.due(1e6), "Nothing", "it is over");
}

#[test]
fn an_open_session_has_no_end_of_its_own() {
    let mut clock = Clock::open();
    assert_eq!((clock.due(1e6).as_str(), clock.timing.next(None)), ("Nothing", None));
}

#[test]
fn a_cancelled_call_has_its_time() {
    let mut clock = Clock::open();
    let by = Some(clock.at(3.0));
    assert_eq!(clock.timing.next(by), by);
    assert!(matches!(clock.timing.due(by, clock.at(2.9)), Due::Nothing));
    assert!(matches!(clock.timing.due(by, clock.at(3.0)), Due::Fault(Fault::Deaf(_))));
    clock.timing.enter(Phase::Terminated, clock.begun);
    assert!(matches!(clock.timing.due(by, clock.at(3.0)), Due::Nothing), "that is being seen to");
}

#[test]
fn who_reads_on_has_time_again() {
    let mut clock = Clock::open();
    for (at, left, progress) in [(0.0, true, false), (29.0, true, true), (50.0, true, false)] {
        clock.timing.unread(left, progress, clock.at(at));
    }
    assert_eq!((clock.due(58.9), clock.due(59.0)), ("Nothing".into(), "Unread".into()));
    clock.timing.unread(false, true, clock.at(58.0));
    assert_eq!(clock.due(1e6), "Nothing");
}

#[test]
fn a_closed_stream_is_a_fault_unless_the_process_ends() {
    let mut clock = Clock::open();
    clock.timing.closed("standard output", clock.begun);
    assert_eq!((clock.due(0.9), clock.due(1.0)), ("Nothing".into(), "Closed".into()));
    let mut clock = Clock::open();
    clock.timing.closed("standard output", clock.begun);
    clock.timing.exited(clock.at(0.5));
    assert_eq!(clock.due(1.0), "Nothing");
}

#[test]
fn what_is_left_to_read_is_read() {
    let mut clock = Clock::open();
    let done = |clock: &Clock, open, at| clock.timing.is_done(open, clock.at(at));
    assert!(!done(&clock, false, 9.0), "it has not ended");
    clock.timing.exited(clock.begun);
    assert!(done(&clock, false, 0.0) && !done(&clock, true, 0.9) && done(&clock, true, 1.0));
    clock.timing.read(10, clock.at(0.9));
    assert!(!done(&clock, true, 1.8) && done(&clock, true, 1.9));
    clock.timing.read(LARGEST_PIPE, clock.at(1.0));
    assert!(done(&clock, true, 1.0), "somebody else goes on writing");
}
