//! Where a run's events go: terminal, journal and report. I/O, through those rooms.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::journal::Journal;
use crate::report::{Event, Report, Tally};
use crate::term::Term;

/// The listeners of one run.
pub struct Record {
    /// None where nobody is told.
    term: Option<Arc<Term>>,
    inner: Mutex<Inner>,
    begun: Instant,
}

struct Inner {
    journal: Journal,
    tally: Tally,
}

impl Record {
    /// A run that begins now.
    pub fn new(term: Arc<Term>, journal: Journal) -> Self {
        let inner = Mutex::new(Inner { journal, tally: Tally::default() });
        Self { term: Some(term), inner, begun: Instant::now() }
    }

    /// A run of which nobody is told anything.
    pub fn silent() -> Self {
        let inner = Mutex::new(Inner { journal: Journal::none(), tally: Tally::default() });
        Self { term: None, inner, begun: Instant::now() }
    }

    /// Tells everyone.
    pub fn event(&self, event: Event) {
        let kept = {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.tally.add(&event);
            inner.journal.add(&event)
        };
        let Some(term) = &self.term else { return };
        if let Err(error) = kept {
            term.warn(&format!("this run's journal cannot be written any more, so `history` knows only its beginning: {error}"));
        }
        term.event(&event);
    }

    /// What its report would be if the run ended now.
    pub fn report(&self, interrupted: bool) -> Report {
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let tally = self.inner.lock().unwrap_or_else(PoisonError::into_inner).tally.clone();
        tally.report(interrupted, ms)
    }

    /// Ends the run: its report is the last event.
    pub fn finish(&self, interrupted: bool) -> Report {
        let report = self.report(interrupted);
        self.event(Event::Report(report.clone()));
        report
    }
}
