//! How much is left of the time that a one-off container has. Pure.

use std::time::Duration;

/// What is left of `timeout_ms` at `now`, in nanoseconds since 1970, for a container that has run since then, as its engine
/// writes it; all of it where that is not understood.
pub(super) fn left(timeout_ms: u64, since: &str, now: i64) -> Duration {
    let since = chrono::DateTime::parse_from_rfc3339(since).ok().and_then(|time| time.timestamp_nanos_opt());
    let ran = since.map_or(0, |since| now.saturating_sub(since));
    Duration::from_millis(timeout_ms).saturating_sub(Duration::from_nanos(ran.try_into().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_run_already_counts() {
        let now = chrono::DateTime::parse_from_rfc3339("2026-11-26T07:00:10Z").unwrap();
        let left = |since: &str| left(8_000, since, now.timestamp_nanos_opt().unwrap());
        assert_eq!(left("2026-11-26T07:00:07.5Z"), Duration::from_millis(5_500));
        assert_eq!(left("2026-11-26T06:00:00.000000001Z"), Duration::ZERO);
        assert_eq!(left("2026-11-26T07:00:11Z"), Duration::from_secs(8), "clocks are set");
        assert_eq!(left("?"), Duration::from_secs(8));
    }
}
