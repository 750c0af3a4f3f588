//! Durations in words. Pure.

use std::time::Duration;

/// Such as `60 s`, `1.5 s` or `400 ms`.
pub(super) fn words(duration: Duration) -> String {
    match (duration.as_secs(), duration.subsec_millis()) {
        (0, ms) => format!("{ms} ms"),
        (seconds, ms) if ms < 100 => format!("{seconds} s"),
        (seconds, ms) => format!("{seconds}.{} s", ms / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_times_are_told_in_seconds() {
        let cases = [
            (0, "0 ms"),
            (400, "400 ms"),
            (60_000, "60 s"),
            (1_560, "1.5 s"),
            (2_040, "2 s"),
            (3_600_000, "3600 s"),
        ];
        for (ms, expected) in cases {
            assert_eq!(words(Duration::from_millis(ms)), expected);
        }
    }
}
