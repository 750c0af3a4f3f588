//! Which of a host's lines have been told, so that after a connection was lost none is missing and none comes twice. Pure: it is told
//! the time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// By how much a line may be older than one of another container that has come before it, in nanoseconds.
const SLACK: i64 = 10_000_000_000;
/// Whose lines have come so short a time before the last of all may have been in the middle of telling old ones.
const BUSY: Duration = Duration::from_secs(10);

/// What was told of a host, however often it was asked.
#[derive(Debug, Default)]
pub struct ToldLines {
    /// What is older is not asked for, in nanoseconds since 1970.
    floor: Option<i64>,
    /// The same for as long as nothing was told.
    unheard: Option<i64>,
    streams: BTreeMap<(String, bool), Stream>,
}

/// The newest of the lines that an instance has printed to one of its streams. They come in the order of time.
#[derive(Debug)]
struct Stream {
    newest: Mark,
    heard: Instant,
    /// The newest when the reading began that goes on now: what comes of that time, as often as it was told, and before it, comes again.
    before: Option<Mark>,
}

/// A time in nanoseconds since 1970, and how many lines have it.
#[derive(Clone, Copy, Debug)]
struct Mark {
    time: i64,
    lines: u32,
}

impl ToldLines {
    /// Nothing yet, where nothing older than `floor` is to be told, and nothing older than `unheard` for as long as there was nothing.
    pub fn new(floor: Option<i64>, unheard: Option<i64>) -> Self {
        Self { floor, unheard, streams: BTreeMap::new() }
    }

    /// A reading begins: what comes now may have been told already.
    pub fn read_again(&mut self) {
        self.streams.values_mut().for_each(|stream| stream.before = Some(stream.newest));
    }

    /// Takes in a line that has come; whether it has not been told. One without a time has not.
    pub fn is_new(&mut self, source: &str, stderr: bool, time: Option<i64>, now: Instant) -> bool {
        let Some(time) = time else { return true };
        let first = Stream { newest: Mark { time, lines: 0 }, heard: now, before: None };
        let stream = self.streams.entry((source.to_owned(), stderr)).or_insert(first);
        stream.heard = now;
        match &mut stream.before {
            Some(before) if time < before.time => return false,
            Some(Mark { time: at, lines: lines @ 1.. }) if time == *at => {
                *lines -= 1;
                return false;
            }
            _ => {}
        }
        if time > stream.newest.time {
            stream.newest = Mark { time, lines: 0 };
        }
        stream.newest.lines += u32::from(time == stream.newest.time);
        true
    }

    /// From when on lines have to be told again so that none is missing, in nanoseconds since 1970; none where that is all.
    pub fn since(&self) -> Option<i64> {
        let streams = || self.streams.values();
        let Some(latest) = streams().map(|stream| stream.newest.time).max() else { return self.unheard };
        let last = streams().map(|stream| stream.heard).max();
        let is_busy = |stream: &&Stream| last.is_some_and(|last| last - stream.heard < BUSY);
        let behind = streams().filter(is_busy).map(|stream| stream.newest.time).min();
        let since = latest.saturating_sub(SLACK);
        Some(behind.map_or(since, |behind| behind.min(since))).max(self.floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    /// Which of these lines, each of a source, are told.
    fn told(lines: &mut ToldLines, come: &[(&str, i64)], now: Instant) -> Vec<(String, i64)> {
        let new = come.iter().filter(|(source, time)| lines.is_new(source, false, Some(*time), now));
        new.map(|(source, time)| ((*source).to_owned(), *time)).collect()
    }

    fn of(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
        expected.iter().map(|(source, time)| ((*source).to_owned(), *time)).collect()
    }

    #[test]
    fn what_comes_again_is_told_once_and_what_was_missed_is_told() {
        let (mut lines, now) = (ToldLines::default(), Instant::now());
        let first = [("a", 1), ("b", 5), ("a", 3), ("a", 3), ("a", 2), ("b", 7)];
        assert_eq!(told(&mut lines, &first, now), of(&first), "the first time all is new");
        for reading in 0..2 {
            lines.read_again();
            let again = [("a", 1), ("a", 3), ("b", 7), ("a", 3)];
            assert_eq!(told(&mut lines, &again, now), [], "reading {reading}");
        }
        let more = [("a", 3), ("b", 7), ("b", 8), ("a", 9), ("c", 4), ("b", 8)];
        assert_eq!(told(&mut lines, &more, now), of(&more), "more lines of the same time, and another's");
        lines.read_again();
        assert!(lines.is_new("a", false, None, now), "nobody can tell");
        assert!(lines.is_new("a", true, Some(1), now), "the other stream");
        assert_eq!(told(&mut lines, &[("b", 8), ("b", 8), ("b", 8)], now), of(&[("b", 8)]));
    }

    #[test]
    fn as_much_is_told_again_as_may_be_missing() {
        let start = Instant::now();
        let since = |floor: Option<i64>, come: &[(&str, i64, u64)]| {
            let mut lines = ToldLines::new(floor, floor.map(|floor| floor + SECOND));
            for (source, seconds, after) in come {
                lines.is_new(source, false, Some(seconds * SECOND), start + Duration::from_secs(*after));
            }
            lines.since().map(|since| since / SECOND)
        };
        type Case<'a> = (Option<i64>, &'a [(&'a str, i64, u64)], Option<i64>);
        let cases: [Case; 7] = [
            (None, &[], None),
            (Some(5), &[], Some(6)),
            (None, &[("a", 100, 0)], Some(90)),
            (Some(95), &[("a", 100, 0)], Some(95)),
            // It has been quiet.
            (None, &[("b", 20, 0), ("a", 100, 60)], Some(90)),
            // Its old lines were being told.
            (None, &[("a", 100, 60), ("b", 20, 61)], Some(20)),
            (None, &[("a", 100, 60), ("b", 95, 61)], Some(90)),
        ];
        for (floor, come, expected) in cases {
            assert_eq!(since(floor.map(|floor| floor * SECOND), come), expected, "{floor:?} {come:?}");
        }
    }
}
