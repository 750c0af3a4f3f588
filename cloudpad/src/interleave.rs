//! What is told of many containers in the order of time, as they come from several hosts at once. Pure: it is told the time.

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

/// Lines or other things that wait until those before them must have come.
#[derive(Debug)]
pub struct Window<T> {
    waiting: BinaryHeap<Waiting<T>>,
    count: u64,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { waiting: BinaryHeap::new(), count: 0 }
    }
}

#[derive(Debug)]
struct Waiting<T> {
    time: Option<i64>,
    thing: T,
    /// Its place among those of the same time.
    number: u64,
    until: Instant,
}

impl<T> Window<T> {
    /// Something of this time has come.
    pub fn push(&mut self, time: Option<i64>, thing: T, now: Instant) {
        self.count += 1;
        self.waiting.push(Waiting { time, thing, number: self.count, until: now + WINDOW });
    }

    /// When the next is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|first| first.until)
    }

    /// The next, if it is due, or if too many wait.
    pub fn pop(&mut self, now: Instant) -> Option<T> {
        let first = self.waiting.peek()?;
        (first.until <= now || self.waiting.len() > MOST).then(|| self.waiting.pop().map(|w| w.thing))?
    }

    /// All that are left, in order.
    pub fn finish(&mut self) -> Vec<T> {
        let mut left: Vec<_> = std::mem::take(&mut self.waiting).into_sorted_vec();
        left.reverse();
        left.into_iter().map(|waiting| waiting.thing).collect()
    }
}

impl<T> Ord for Waiting<T> {
    /// The heap's greatest is the earliest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.time, other.number).cmp(&(self.time, self.number))
    }
}

impl<T> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Waiting<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(window: &mut Window<&'static str>, now: Instant) -> Vec<&'static str> {
        std::iter::from_fn(|| window.pop(now)).collect()
    }

    #[test]
    fn a_line_waits_for_an_earlier_one_for_a_moment() {
        let (mut window, start) = (Window::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        window.push(Some(5), "b", at(0));
        window.push(Some(3), "a", at(100));
        window.push(Some(5), "c", at(100));
        assert_eq!(due(&mut window, at(240)), [""; 0]);
        assert_eq!(window.next_due(), Some(at(350)));
        assert_eq!(due(&mut window, at(350)), ["a", "b", "c"]);
        window.push(Some(9), "e", at(400));
        window.push(Some(8), "d", at(400));
        assert_eq!(window.finish(), ["d", "e"]);
    }

    #[test]
    fn only_so_many_wait() {
        let (mut window, now) = (Window::default(), Instant::now());
        (0..MOST + 5).for_each(|n| window.push(i64::try_from(n).ok(), "x", now));
        assert_eq!(due(&mut window, now).len(), 5);
    }
}
