//! For how long a container has run at least, by the words of an engine, and what it is that does not serve. Pure.
//!
//! The words are all that an engine's list of containers has, and need no clock that is right. How they are made:
//! <https://github.com/docker/go-units/blob/master/duration.go>, `HumanDuration`.

use std::time::Duration;

use cloudpad_plugin_api::stage::deploy::State;

/// The state of a container that does not serve. One that was started just now, such as by its engine after a crash, gets the
/// time to come up that any other has.
pub(super) fn state_of_silent(up_for: &str, ready_within: Duration) -> State {
    match at_least(up_for) {
        Some(up_for) if up_for < ready_within => State::Starting,
        _ => State::Unhealthy,
    }
}

/// The shortest time that is told in these words; none where they are not understood.
fn at_least(words: &str) -> Option<Duration> {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = match words {
        "less than a second" => 0,
        "about a minute" => MINUTE,
        "about an hour" => HOUR,
        _ => {
            let (count, unit) = words.split_once(' ')?;
            let count: u64 = count.parse().ok()?;
            match unit {
                "second" | "seconds" => count,
                "minutes" => count.checked_mul(MINUTE)?,
                // Hours are rounded, and what is longer is made from them.
                "hours" => count.checked_mul(HOUR)?.saturating_sub(HOUR / 2),
                "days" | "weeks" | "months" | "years" => DAY,
                _ => return None,
            }
        }
    };
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_words_is_at_least_so_long() {
        let cases = [
            ("less than a second", Some(0)),
            ("1 second", Some(1)),
            ("59 seconds", Some(59)),
            ("about a minute", Some(60)),
            ("2 minutes", Some(120)),
            ("about an hour", Some(3600)),
            ("2 hours", Some(5400)),
            ("47 hours", Some(167_400)),
            ("3 days", Some(86_400)),
            ("5 weeks", Some(86_400)),
            ("2 years", Some(86_400)),
            ("", None),
            ("a while", None),
            ("2 fortnights", None),
        ];
        for (words, seconds) in cases {
            assert_eq!(at_least(words), seconds.map(Duration::from_secs), "{words}");
        }
    }

    #[test]
    fn what_was_started_just_now_is_not_unhealthy_yet() {
        let cases = [
            ("less than a second", 60, State::Starting),
            ("59 seconds", 60, State::Starting),
            ("about a minute", 60, State::Unhealthy),
            ("about a minute", 90, State::Starting),
            ("2 minutes", 90, State::Unhealthy),
            ("3 days", 60, State::Unhealthy),
            ("2 seconds", 1, State::Unhealthy),
            ("less than a second", 0, State::Unhealthy),
            ("no words that we know", 60, State::Unhealthy),
        ];
        for (words, within, expected) in cases {
            assert_eq!(state_of_silent(words, Duration::from_secs(within)), expected, "{words}, {within} s");
        }
    }
}
