//! What is under way and since when, so that the user is told what takes long. Pure: it is told the time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::report::{Subject, Waiting};

/// When it is first told that an action takes long.
const FIRST: Duration = Duration::from_secs(10);
/// When it is told again.
const AGAIN: Duration = Duration::from_secs(30);
/// What is nearly due is told with what is.
const TOGETHER: Duration = Duration::from_secs(1);

/// The actions under way.
#[derive(Default)]
pub(super) struct Patience {
    under_way: BTreeMap<u32, Entry>,
}

struct Entry {
    action: Subject,
    begun: Instant,
    due: Instant,
}

impl Patience {
    pub(super) fn begin(&mut self, action: Subject, now: Instant) {
        self.under_way.insert(action.id, Entry { action, begun: now, due: now + FIRST });
    }

    pub(super) fn end(&mut self, id: u32) {
        self.under_way.remove(&id);
    }

    /// When there is something to tell, should nothing end before.
    pub(super) fn due(&self) -> Option<Instant> {
        self.under_way.values().map(|entry| entry.due).min()
    }

    /// What is to be told now.
    pub(super) fn tell(&mut self, now: Instant) -> Vec<Waiting> {
        let due = self.under_way.values_mut().filter(|entry| entry.due <= now + TOGETHER);
        let told = due.map(|entry| {
            entry.due = now + AGAIN;
            let ms = u64::try_from((now - entry.begun).as_millis()).unwrap_or(u64::MAX);
            Waiting { action: entry.action.clone(), ms }
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(id: u32) -> Subject {
        Subject { id, method: "deploy.start", host: None, object: String::new() }
    }

    #[test]
    fn what_takes_long_is_told_after_ten_seconds_and_then_each_thirty() {
        let start = Instant::now();
        let at = |tenths: u64| start + Duration::from_millis(100 * tenths);
        let mut patience = Patience::default();
        assert_eq!(patience.due(), None);
        patience.begin(subject(0), at(0));
        patience.begin(subject(1), at(5));
        patience.begin(subject(2), at(50));
        let mut told = Vec::new();
        while let Some(due) = patience.due().filter(|due| *due < at(800)) {
            let ids: Vec<_> = patience.tell(due).iter().map(|w| (w.action.id, w.ms / 100)).collect();
            told.push(((due - start).as_millis() / 100, ids));
            if due == at(150) {
                patience.end(2);
            }
        }
        let expected = [
            (100, vec![(0, 100), (1, 95)]),
            (150, vec![(2, 100)]),
            (400, vec![(0, 400), (1, 395)]),
            (700, vec![(0, 700), (1, 695)]),
        ];
        assert_eq!(told, expected);
    }
}
