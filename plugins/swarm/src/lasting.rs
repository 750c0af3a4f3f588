//! For how long something has been so, in the words that an engine has for its containers, such as `2 minutes`. Pure.
//!
//! How an engine makes them: <https://github.com/docker/go-units/blob/master/duration.go>, `HumanDuration`.

use chrono::TimeDelta;

/// A time that has passed, in words. Clocks of nodes that are ahead make none that is less than nothing.
pub(crate) fn words(passed: TimeDelta) -> String {
    let (seconds, minutes) = (passed.num_seconds(), passed.num_minutes());
    let hours = (passed + TimeDelta::minutes(30)).num_hours();
    match (seconds, minutes, hours) {
        (..1, _, _) => "less than a second".to_owned(),
        (1, _, _) => "1 second".to_owned(),
        (..60, _, _) => format!("{seconds} seconds"),
        (_, 1, _) => "about a minute".to_owned(),
        (_, ..60, _) => format!("{minutes} minutes"),
        (_, _, 1) => "about an hour".to_owned(),
        (_, _, ..48) => format!("{hours} hours"),
        (_, _, ..336) => format!("{} days", hours / 24),
        (_, _, ..1440) => format!("{} weeks", hours / 168),
        (_, _, ..17520) => format!("{} months", hours / 720),
        _ => format!("{} years", hours / 8760),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_words_of_an_engine() {
        const HOUR: i64 = 3600;
        let cases = [
            (-5, "less than a second"),
            (0, "less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "about a minute"),
            (119, "about a minute"),
            (120, "2 minutes"),
            (HOUR - 1, "59 minutes"),
            (HOUR, "about an hour"),
            (HOUR + 1799, "about an hour"),
            (HOUR + 1800, "2 hours"),
            (47 * HOUR, "47 hours"),
            (48 * HOUR, "2 days"),
            (14 * 24 * HOUR, "2 weeks"),
            (60 * 24 * HOUR, "2 months"),
            (730 * 24 * HOUR, "2 years"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(words(TimeDelta::seconds(seconds)), expected, "{seconds}");
        }
    }
}
