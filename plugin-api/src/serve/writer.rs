//! What goes to the host: one message at a time, none that is too long, and none for a call that has ended. I/O.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::to_vec;

use super::Outgoing;
use crate::wire::{FromPlugin, MAX_LINE};
use crate::{Cancel, Event, Failure, Level, Outcome, Reply};

/// The way to the host, which all calls share.
pub(super) struct Writer {
    to: Mutex<Box<dyn Outgoing>>,
    limit: AtomicUsize,
    gone: Cancel,
}

impl Writer {
    pub(super) fn new(to: Box<dyn Outgoing>) -> Self {
        Self { to: Mutex::new(to), limit: AtomicUsize::new(MAX_LINE), gone: Cancel::new() }
    }

    /// Lets no message through that is longer than what the host takes.
    pub(super) fn limit(&self, max_line: usize) {
        self.limit.store(max_line.min(MAX_LINE), Ordering::Relaxed);
    }

    /// Cancelled when the host does not listen any more.
    pub(super) fn gone(&self) -> &Cancel {
        &self.gone
    }

    /// Sends a message that belongs to no call under way.
    pub(super) fn send(&self, message: &FromPlugin) {
        if let Ok(line) = to_vec(message) {
            self.send_if(&line, || true);
        }
    }

    fn fits(&self, line: &[u8]) -> bool {
        line.len() <= self.limit.load(Ordering::Relaxed)
    }

    /// Sends a line when `may` says so, which it is asked while nobody else can send.
    fn send_if(&self, line: &[u8], may: impl FnOnce() -> bool) {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = !self.gone.is_cancelled() && may() && to.send(line).is_err();
        // What is called now may want to send something itself.
        drop(to);
        if failed {
            self.gone.cancel();
        }
    }
}

/// One call's way to the host: any number of events, then its end.
pub(super) struct Line {
    writer: Arc<Writer>,
    id: u64,
    ended: AtomicBool,
}

impl Line {
    pub(super) fn new(writer: Arc<Writer>, id: u64) -> Self {
        Self { writer, id, ended: AtomicBool::new(false) }
    }

    /// Sends an event, unless the call has ended.
    pub(super) fn event(&self, event: Event) {
        let Ok(mut line) = to_vec(&FromPlugin::Event { id: self.id, event }) else { return };
        if !self.writer.fits(&line) {
            let message = format!("an event of {} bytes has been left out", line.len());
            let event = Event::Log { level: Level::Debug, message };
            line = to_vec(&FromPlugin::Event { id: self.id, event }).unwrap_or_default();
        }
        self.writer.send_if(&line, || !self.ended.load(Ordering::Relaxed));
    }

    /// Ends the call. Only the first end is sent.
    pub(super) fn end(&self, method: &str, end: Result<Reply, Failure>) {
        let line =
            end.and_then(|reply| self.result(method, &reply)).unwrap_or_else(|error| self.error(error));
        self.writer.send_if(&line, || !self.ended.swap(true, Ordering::Relaxed));
    }

    fn result(&self, method: &str, reply: &Reply) -> Result<Vec<u8>, Failure> {
        let done = |why: String| Failure::failed(why).outcome(Outcome::Unknown);
        let line = serde_json::to_value(reply)
            .and_then(|ok| to_vec(&FromPlugin::Result { id: self.id, ok }))
            .map_err(|error| done(format!("the answer to `{method}` cannot be sent: {error}")))?;
        if self.writer.fits(&line) {
            return Ok(line);
        }
        let (size, limit) = (line.len(), self.writer.limit.load(Ordering::Relaxed));
        Err(done(format!("the answer to `{method}` has {size} bytes, and the host takes at most {limit}")))
    }

    fn error(&self, error: Failure) -> Vec<u8> {
        let line = |error| to_vec(&FromPlugin::Error { id: self.id, error }).unwrap_or_default();
        let whole = line(error.clone());
        if self.writer.fits(&whole) {
            return whole;
        }
        let message = error.message.chars().take(1000).collect();
        line(Failure { message, causes: Vec::new(), hint: None, ..error })
    }
}
