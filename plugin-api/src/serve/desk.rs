//! Which calls are under way, which wait, and the threads that do them. I/O: threads.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope};

use super::writer::{Line, Writer};
use crate::wire::{Call, FromHost};
use crate::{Cancel, Context, Failure, Plugin, Provider};

/// How many calls of a plugin that takes several are under way at the same time, at the most; others wait.
/// Each holds a thread. A host sends no more than that either.
pub const MOST_CALLS: usize = 128;

/// The calls of one session.
pub(super) struct Desk<'a> {
    plugin: &'a Plugin,
    writer: Arc<Writer>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// How to stop each call that has not ended.
    open: BTreeMap<u64, Cancel>,
    /// Those of them that no thread has taken yet.
    waiting: VecDeque<Work>,
    threads: usize,
}

/// A call, and all that is needed to do and end it.
struct Work {
    id: u64,
    provider: &'static Provider,
    cx: Context,
    request: crate::Request,
    line: Arc<Line>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(plugin: &'a Plugin, writer: Arc<Writer>) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let calls = state.clone();
        writer.gone().on_cancel(move || cancel_all(&calls));
        Self { plugin, writer, state }
    }

    /// Does what the host says.
    ///
    /// # Errors
    /// It gave a call the number of one that is under way.
    pub(super) fn take<'scope>(
        &'scope self,
        threads: &'scope Scope<'scope, '_>,
        message: FromHost,
    ) -> Result<(), String> {
        match message {
            FromHost::Call(call) => self.call(threads, call),
            FromHost::Cancel { id, .. } => {
                self.cancel(id);
                Ok(())
            }
            // A second hello changes nothing.
            FromHost::Hello(_) | FromHost::Other => Ok(()),
        }
    }

    fn call<'scope>(&'scope self, threads: &'scope Scope<'scope, '_>, call: Call) -> Result<(), String> {
        let id = call.id;
        let line = Arc::new(Line::new(self.writer.clone(), id));
        let Some(provider) = self.plugin.provider(&call.provider, &call.request) else {
            let (stage, name) = (call.request.stage(), &call.provider);
            let message = format!("plugin `{}` has no {stage} provider `{name}`", self.plugin.name);
            line.end(call.request.method(), Err(Failure::new(crate::FailureKind::Unsupported, message)));
            return Ok(());
        };
        let mut state = lock(&self.state);
        if state.open.contains_key(&id) {
            return Err(format!("the host has given the number {id} to two calls at the same time"));
        }
        let cancel = Cancel::new();
        state.open.insert(id, cancel.clone());
        let events = line.clone();
        let cx = Context::new(call.config, Arc::new(move |event| events.event(event)), cancel);
        let cx = cx.keyed(&call.key).with_secrets(call.secrets);
        let work = Work { id, provider, cx, request: call.request, line };
        if state.threads >= self.most() {
            state.waiting.push_back(work);
            return Ok(());
        }
        state.threads += 1;
        drop(state);
        self.start(threads, work);
        Ok(())
    }

    fn most(&self) -> usize {
        if self.plugin.parallel { MOST_CALLS } else { 1 }
    }

    fn start<'scope>(&'scope self, threads: &'scope Scope<'scope, '_>, work: Work) {
        let (id, method, line) = (work.id, work.request.method(), work.line.clone());
        let thread = Builder::new().name(format!("call {id}"));
        if let Err(error) = thread.spawn_scoped(threads, move || self.work(work)) {
            let failure = Failure::failed(format!("could not start a thread for `{method}`: {error}"));
            line.end(method, Err(failure.retryable()));
            let mut state = lock(&self.state);
            state.open.remove(&id);
            state.threads -= 1;
        }
    }

    /// Does a call, then whatever waits.
    fn work(&self, first: Work) {
        let mut next = Some(first);
        while let Some(work) = next {
            work.line.end(work.request.method(), work.provider.call_contained(&work.cx, &work.request));
            let mut state = lock(&self.state);
            state.open.remove(&work.id);
            next = state.waiting.pop_front();
            if next.is_none() {
                state.threads -= 1;
            }
        }
    }

    fn cancel(&self, id: u64) {
        let mut state = lock(&self.state);
        // One that waits ends now, and not when it would have been its turn.
        let place = state.waiting.iter().position(|work| work.id == id);
        let waited = place.and_then(|place| state.waiting.remove(place));
        let cancel = if waited.is_some() { state.open.remove(&id) } else { state.open.get(&id).cloned() };
        drop(state);
        match (waited, cancel) {
            (Some(work), _) => work.end_cancelled(),
            (None, Some(cancel)) => cancel.cancel(),
            // It has ended meanwhile.
            (None, None) => {}
        }
    }

    /// Takes no more: what waits ends, and what is under way is asked to.
    pub(super) fn close(&self) {
        let waiting = std::mem::take(&mut lock(&self.state).waiting);
        waiting.into_iter().for_each(Work::end_cancelled);
        cancel_all(&self.state);
    }
}

impl Work {
    fn end_cancelled(self) {
        self.line.end(self.request.method(), Err(Failure::cancelled()));
    }
}

fn cancel_all(state: &Mutex<State>) {
    let all: Vec<Cancel> = lock(state).open.values().cloned().collect();
    all.iter().for_each(Cancel::cancel);
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
