//! Where the answers to one call wait for whoever made it. Pure but for the waiting.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use cloudpad_plugin_api::{Event, Failure};
use serde_json::Value;

/// How a call has ended.
#[derive(Debug)]
pub enum End {
    /// The plugin has answered.
    Answer(Result<Value, Failure>),
    /// The plugin has failed while it worked on the call.
    Broken(Failure),
    /// The call has never reached the plugin, for this reason.
    NotSent(Failure),
    /// The caller asked to stop before the call was sent.
    Cancelled,
}

/// What comes next of a call.
pub enum Next {
    /// Something has happened; whether more was held back until now.
    Event(Event, bool),
    /// It has ended.
    End(End),
}

/// The receiving end.
pub struct Mailbox {
    state: Mutex<State>,
    changed: Condvar,
    /// How many bytes of events are kept before no more is wanted.
    limit: usize,
}

#[derive(Default)]
struct State {
    events: VecDeque<(Event, usize)>,
    bytes: usize,
    end: Option<End>,
}

/// The sending end. Whatever becomes of it, the call gets an end.
pub struct Post(Arc<Mailbox>);

impl Mailbox {
    /// Both ends.
    pub fn new(limit: usize) -> (Arc<Self>, Post) {
        let mailbox = Arc::new(Self { state: Mutex::new(State::default()), changed: Condvar::new(), limit });
        (mailbox.clone(), Post(mailbox))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for what comes next.
    pub fn next(&self) -> Next {
        let mut state = self.state();
        loop {
            if let Some((event, bytes)) = state.events.pop_front() {
                let was_full = state.bytes >= self.limit;
                state.bytes -= bytes;
                return Next::Event(event, was_full && state.bytes < self.limit);
            }
            if let Some(end) = state.end.take() {
                return Next::End(end);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Post {
    /// Something has happened, told in so many bytes.
    pub fn event(&self, event: Event, bytes: usize) {
        let mut state = self.0.state();
        state.bytes += bytes;
        state.events.push_back((event, bytes));
        self.0.changed.notify_one();
    }

    /// Whether no more is wanted for now.
    pub fn is_full(&self) -> bool {
        self.0.state().bytes >= self.0.limit
    }

    /// Ends the call. Only the first end counts.
    pub fn end(&self, end: End) {
        self.0.state().end.get_or_insert(end);
        self.0.changed.notify_one();
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        let lost = Failure::new(cloudpad_plugin_api::FailureKind::Crashed, "the plugin has ended");
        self.end(End::NotSent(lost));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_and_before_the_end() {
        let (mailbox, post) = Mailbox::new(10);
        for (bytes, full) in [(4, false), (4, false), (4, true)] {
            post.event(Event::Other, bytes);
            assert_eq!(post.is_full(), full);
        }
        post.end(End::Cancelled);
        drop(post);
        let room: Vec<bool> = (0..3)
            .map(|_| match mailbox.next() {
                Next::Event(_, room) => room,
                Next::End(end) => panic!("{end:?}"),
            })
            .collect();
        assert_eq!(room, [true, false, false], "the first that is taken makes room");
        assert!(matches!(mailbox.next(), Next::End(End::Cancelled)));
    }

    #[test]
    fn a_call_that_is_forgotten_was_not_sent() {
        let (mailbox, post) = Mailbox::new(10);
        drop(post);
        assert!(matches!(mailbox.next(), Next::End(End::NotSent(_))));
    }
}
