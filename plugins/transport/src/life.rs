//! When to ask a host for a sign of life, and when to hold it for dead. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// When a host was last heard of.
pub(crate) struct Life {
    interval: Duration,
    limit: Duration,
    heard: Instant,
    asked: Instant,
    /// The first question since then.
    unanswered: Option<Instant>,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Nothing,
    /// Ask the host for an answer.
    Ask,
    /// It has not answered for so long.
    Dead(Duration),
}

impl Life {
    /// A host that is heard of `now`. It is asked after each `interval` of silence, and dead when it has
    /// let `count` of them pass; the first is the one before the question.
    pub(crate) fn new(now: Instant, interval: Duration, count: u32) -> Self {
        let limit = interval.saturating_mul(count.saturating_sub(1).max(1));
        Self { interval, limit, heard: now, asked: now, unanswered: None }
    }

    /// Something has come from the host.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.unanswered = None;
    }

    /// To be called every now and then.
    pub(crate) fn check(&mut self, now: Instant) -> Sign {
        if self.unanswered.is_some_and(|asked| now.duration_since(asked) >= self.limit) {
            return Sign::Dead(now.duration_since(self.heard));
        }
        let since = now.duration_since(self.heard.max(self.asked));
        if since < self.interval {
            return Sign::Nothing;
        }
        self.asked = now;
        self.unanswered.get_or_insert(now);
        Sign::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_silent_host_is_asked_and_then_dead() {
        let start = Instant::now();
        let mut life = Life::new(start, 5 * SECOND, 3);
        let seen: Vec<_> = (1..=16).map(|second| life.check(start + second * SECOND)).collect();
        let mut expected: Vec<_> = (1..=16).map(|_| Sign::Nothing).collect();
        expected[4] = Sign::Ask;
        expected[9] = Sign::Ask;
        expected[14] = Sign::Dead(15 * SECOND);
        expected[15] = Sign::Dead(16 * SECOND);
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_host_that_answers_lives() {
        let start = Instant::now();
        let mut life = Life::new(start, 5 * SECOND, 3);
        for second in 1..100 {
            let now = start + second * SECOND;
            match life.check(now) {
                Sign::Nothing => {}
                Sign::Ask => life.heard(now),
                Sign::Dead(_) => panic!("dead at {second}"),
            }
        }
    }

    #[test]
    fn nobody_is_dead_who_had_no_time_to_answer() {
        let start = Instant::now();
        let mut life = Life::new(start, 5 * SECOND, 3);
        // Nobody looked at the clock for a minute: this machine slept.
        assert_eq!(life.check(start + 60 * SECOND), Sign::Ask);
        assert_eq!(life.check(start + 61 * SECOND), Sign::Nothing);
        assert_eq!(life.check(start + 70 * SECOND), Sign::Dead(70 * SECOND));
    }
}
