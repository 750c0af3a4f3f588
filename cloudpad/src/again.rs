//! Makes calls that go on until the user has had enough, and makes them again when a connection was lost. I/O: clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use cloudpad_plugin_api::{Cancel, Failure};

/// How long who was lost is left alone at first; each time it is not there, twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How long at the most.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The pause before a call is made again.
pub struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(FIRST_PAUSE)
    }
}

impl Pause {
    /// Makes it, and the next one longer; returns whether the calls were broken off meanwhile.
    pub fn is_broken_off(&mut self, cancel: &Cancel) -> bool {
        let (wake, woken) = channel();
        cancel.on_cancel(move || {
            let _ = wake.send(());
        });
        let time = self.0;
        self.0 = LONGEST_PAUSE.min(time * 2);
        woken.recv_timeout(time).is_ok()
    }
}

/// Whether all that is told is heard.
#[derive(Default)]
pub struct Ear {
    is_open: AtomicBool,
    was_open: AtomicBool,
}

/// What it means that all is heard now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    /// It is so for the first time.
    First,
    /// It is so again.
    Again,
    /// It was so before.
    Still,
}

impl Ear {
    /// From now on all is heard.
    pub fn opens(&self) -> Opens {
        let (is_open, was_open) =
            (self.is_open.swap(true, Ordering::Relaxed), self.was_open.swap(true, Ordering::Relaxed));
        match (is_open, was_open) {
            (true, _) => Opens::Still,
            (false, true) => Opens::Again,
            (false, false) => Opens::First,
        }
    }
}

/// Makes a call, and makes it again each time that who has been heard is lost, which `lost` is told once. Returns what comes of it
/// otherwise.
///
/// # Errors
/// Why it is not made again: it has never been heard, or making it again does not help, or the calls are broken off.
pub fn call_again<T>(
    cancel: &Cancel,
    ear: &Ear,
    mut call: impl FnMut() -> Result<T, Failure>,
    mut lost: impl FnMut(Failure),
) -> Result<T, Failure> {
    let mut pause = Pause::default();
    loop {
        let failure = match call() {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        let was_heard = ear.is_open.swap(false, Ordering::Relaxed);
        if !ear.was_open.load(Ordering::Relaxed) || !failure.retryable || cancel.is_cancelled() {
            return Err(failure);
        }
        if was_heard {
            pause = Pause::default();
            lost(failure);
        }
        if pause.is_broken_off(cancel) {
            return Err(Failure::cancelled());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use cloudpad_plugin_api::FailureKind;

    use super::*;

    /// What comes of a call, and whether anything is heard before that.
    type Call = (bool, Result<(), Failure>);

    fn broken(why: &str) -> Result<(), Failure> {
        Err(Failure::new(FailureKind::Unreachable, why).retryable())
    }

    /// What comes of it in the end, what is told of, and how many calls are left.
    fn outcome(calls: Vec<Call>) -> (Result<(), String>, Vec<String>, usize) {
        let (ear, mut calls, mut told) = (Ear::default(), VecDeque::from(calls), Vec::new());
        let call = || {
            let (is_heard, outcome) = calls.pop_front().expect("no more calls");
            if is_heard {
                ear.opens();
            }
            outcome
        };
        let done = call_again(&Cancel::new(), &ear, call, |failure| told.push(failure.message));
        (done.map_err(|failure| failure.message), told, calls.len())
    }

    #[test]
    fn who_was_heard_and_is_lost_is_called_again_and_told_of_once() {
        let calls = vec![(true, broken("cut")), (false, broken("refused")), (true, Ok(()))];
        assert_eq!(outcome(calls), (Ok(()), vec!["cut".to_owned()], 0));
    }

    #[test]
    fn nobody_is_called_again_whom_that_does_not_help() {
        let denied = || Err(Failure::failed("denied"));
        let cases = [
            (vec![(false, broken("gone")), (true, Ok(()))], "gone", vec![], 1),
            (vec![(true, denied()), (true, Ok(()))], "denied", vec![], 1),
            (vec![(true, broken("cut")), (false, denied()), (true, Ok(()))], "denied", vec!["cut"], 1),
        ];
        for (calls, why, told, left) in cases {
            let told = told.into_iter().map(str::to_owned).collect();
            assert_eq!(outcome(calls), (Err(why.to_owned()), told, left));
        }
    }

    #[test]
    fn an_ear_tells_when_it_opens() {
        let ear = Ear::default();
        assert_eq!((ear.opens(), ear.opens()), (Opens::First, Opens::Still));
        ear.is_open.store(false, Ordering::Relaxed);
        assert_eq!(ear.opens(), Opens::Again);
    }

    #[test]
    fn a_pause_ends_when_the_calls_are_broken_off() {
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(Pause(Duration::from_secs(3600)).is_broken_off(&cancel));
    }
}
