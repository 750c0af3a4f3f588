//! Lines of many containers in the order of time, as they come from several hosts at once. Pure: it is told the time.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// How long a line waits for earlier ones that are still on their way.
pub const WINDOW: Duration = Duration::from_millis(250);
/// How many lines wait at the most.
const MOST: usize = 20_000;

/// A line that a container has printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, in nanoseconds since 1970, where that is known.
    pub time: Option<i64>,
    /// The instance, such as `web.1`.
    pub instance: String,
    /// The host.
    pub host: String,
    /// The line, without its end.
    pub text: String,
    /// Whether it was printed to standard error.
    pub stderr: bool,
}

/// Lines that wait until those before them must have come.
#[derive(Debug, Default)]
pub struct Window {
    waiting: BinaryHeap<Waiting>,
    count: u64,
}

#[derive(Debug)]
struct Waiting {
    line: Line,
    /// Its place among those of the same time.
    number: u64,
    until: Instant,
}

impl Window {
    /// A line has come.
    pub fn push(&mut self, line: Line, now: Instant) {
        self.count += 1;
        self.waiting.push(Waiting { line, number: self.count, until: now + WINDOW });
    }

    /// When the next line is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|first| first.until)
    }

    /// The next line, if it is due, or if too many wait.
    pub fn pop(&mut self, now: Instant) -> Option<Line> {
        let first = self.waiting.peek()?;
        (first.until <= now || self.waiting.len() > MOST).then(|| self.waiting.pop().map(|w| w.line))?
    }

    /// All lines that are left, in order.
    pub fn finish(&mut self) -> Vec<Line> {
        let mut left: Vec<_> = std::mem::take(&mut self.waiting).into_sorted_vec();
        left.reverse();
        left.into_iter().map(|waiting| waiting.line).collect()
    }
}

impl Ord for Waiting {
    /// The heap's greatest is the earliest line.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.line.time, other.number).cmp(&(self.line.time, self.number))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(time: i64, text: &str) -> Line {
        let (instance, host) = ("web.1".to_owned(), "h1".to_owned());
        Line { time: Some(time), instance, host, text: text.to_owned(), stderr: false }
    }

    fn due(window: &mut Window, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| window.pop(now)).map(|line| line.text).collect()
    }

    #[test]
    fn a_line_waits_for_an_earlier_one_for_a_moment() {
        let (mut window, start) = (Window::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        window.push(line(5, "b"), at(0));
        window.push(line(3, "a"), at(100));
        window.push(line(5, "c"), at(100));
        assert_eq!(due(&mut window, at(240)), [""; 0]);
        assert_eq!(window.next_due(), Some(at(350)));
        assert_eq!(due(&mut window, at(350)), ["a", "b", "c"]);
        window.push(line(9, "e"), at(400));
        window.push(line(8, "d"), at(400));
        let left: Vec<_> = window.finish().into_iter().map(|line| line.text).collect();
        assert_eq!(left, ["d", "e"]);
    }

    #[test]
    fn only_so_many_wait() {
        let (mut window, now) = (Window::default(), Instant::now());
        (0..MOST + 5).for_each(|n| window.push(line(i64::try_from(n).unwrap_or_default(), "x"), now));
        assert_eq!(due(&mut window, now).len(), 5);
    }
}
