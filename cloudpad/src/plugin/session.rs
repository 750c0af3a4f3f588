//! One plugin's process and the conversation with it. I/O: processes.
//!
//! The conversation has a thread of its own, the `actor`, which alone reads, writes, waits and ends the
//! process. Whoever calls waits at a mailbox. A call ends when the plugin has answered it or is gone: nobody
//! is told of a failure while the plugin may still be at work.

mod actor;
mod calls;
mod exit;
mod fault;
mod hello;
mod lines;
mod mailbox;
mod pipes;
mod tail;
mod talk;
mod timing;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};

use cloudpad_plugin_api::stage::secrets::Values;
use cloudpad_plugin_api::wire::{Call, FromHost, MAX_LINE, PluginHello};
use cloudpad_plugin_api::{Cancel, Emit, Event, Failure, FailureKind, Reply, Request};
use serde_json::Value;

use super::limits::Limits;
use super::mask::Mask;
use super::start::{Launch, start};
use actor::{Actor, Command, Ears};
pub(crate) use exit::{kill, terminate};
pub use fault::{Who, may_change};
pub use hello::confirm;
pub(crate) use lines::{Lines, TooLong};
use mailbox::{End, Mailbox, Next};
use pipes::Waker;
pub(crate) use tail::{Tail, shorten};

/// A conversation with a plugin that has said hello. It ends with this value.
pub struct Session {
    /// What the plugin has said of itself.
    pub hello: PluginHello,
    who: Who,
    limits: Limits,
    mask: Arc<Mask>,
    teller: Teller,
    next: AtomicU64,
    /// How the session has ended.
    ended: Arc<OnceLock<Failure>>,
    thread: Option<JoinHandle<()>>,
}

/// What is asked of a plugin.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Which of its providers is meant.
    pub provider: &'a str,
    /// That provider's configuration.
    pub config: &'a Value,
    /// The same for the same work.
    pub key: &'a str,
    /// The values of the secrets that the request names.
    pub secrets: &'a Values,
    /// The request.
    pub request: &'a Request,
}

/// Why there is no reply.
#[derive(Debug)]
pub enum Unanswered {
    /// The request was answered with a failure, or the plugin failed over it.
    Failed(Failure),
    /// The plugin ended before it was sent the request. Another session may take it.
    NotSent(Failure),
}

/// Tells the actor something.
#[derive(Clone)]
struct Teller {
    commands: Sender<Command>,
    waker: Waker,
}

impl Teller {
    /// What cannot be told any more is dropped, and a call that is dropped says so.
    fn tell(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            self.waker.wake();
        }
    }
}

impl Session {
    /// Starts a plugin and waits for its hello, or until `cancel`.
    ///
    /// # Errors
    /// `invalid` when it cannot be started, `unsupported` when it speaks another protocol, `crashed` when it
    /// ends or says anything else.
    pub fn start(launch: &Launch, limits: Limits, mask: Arc<Mask>, cancel: &Cancel) -> Result<Self, Failure> {
        let lost =
            |error: std::io::Error| Failure::failed(format!("cannot speak to {}: {error}", launch.who));
        let (waker, wake) = pipes::waker().map_err(lost)?;
        let (commands, told) = channel();
        let teller = Teller { commands, waker };
        let ended = Arc::new(OnceLock::new());
        let (opened, opening) = sync_channel(1);
        let ears = Ears { opened, ended: ended.clone(), listener: launch.listener.clone() };
        let (who, started) = (launch.who.clone(), start(launch)?);
        let actor = Actor::new(who.clone(), limits, mask.clone(), started, (told, wake), ears);
        let watched = exit::watch(actor.pid(), teller.clone());
        let thread = watched
            .and_then(|()| Builder::new().name(format!("plugin {}", who.name)).spawn(move || actor.run()));
        let thread = Some(thread.map_err(lost)?);
        cancel.on_cancel({
            let teller = teller.clone();
            move || teller.tell(Command::Abandon)
        });
        let hello = opening.recv().unwrap_or_else(|_| {
            Err(Failure::new(FailureKind::Crashed, format!("the thread that speaks to {who} has ended")))
        })?;
        Ok(Self { hello, who, limits, mask, teller, next: AtomicU64::new(1), ended, thread })
    }

    /// Sends a request, hands on what happens, and waits for the reply. A plugin that does not work on
    /// several at a time gets them one after the other, first come, first served.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub fn call(&self, ask: Ask<'_>, emit: &Emit, cancel: &Cancel) -> Result<Reply, Unanswered> {
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        let line = self.line(id, ask).map_err(Unanswered::Failed)?;
        let (mailbox, post) = Mailbox::new(self.limits.waiting);
        self.teller.tell(Command::Call { id, line, post });
        cancel.on_cancel({
            let teller = self.teller.clone();
            move || teller.tell(Command::Cancel(id))
        });
        let answer = match self.listen(&mailbox, emit) {
            End::Answer(answer) => answer,
            End::Broken(failure) => return Err(Unanswered::Failed(fault::during(ask.request, failure))),
            End::NotSent(failure) => {
                let failure = self.ended.get().cloned().unwrap_or(failure);
                return Err(Unanswered::NotSent(failure));
            }
            End::Cancelled => Err(Failure::cancelled()),
        };
        let ok = answer.map_err(|failure| Unanswered::Failed(self.mask.failure(failure)))?;
        ask.request.reply(ok).map_err(|error| Unanswered::Failed(self.no_reply(ask.request, &error)))
    }

    fn listen(&self, mailbox: &Mailbox, emit: &Emit) -> End {
        loop {
            match mailbox.next() {
                Next::Event(event, has_room) => {
                    if has_room {
                        self.teller.tell(Command::HasRoom);
                    }
                    if event != Event::Other {
                        emit(self.mask.event(event));
                    }
                }
                Next::End(end) => return end,
            }
        }
    }

    fn line(&self, id: u64, ask: Ask<'_>) -> Result<Vec<u8>, Failure> {
        let call = FromHost::Call(Call {
            id,
            provider: ask.provider.to_owned(),
            config: ask.config.clone(),
            key: ask.key.to_owned(),
            secrets: ask.secrets.clone(),
            request: ask.request.clone(),
        });
        let line = serde_json::to_vec(&call).map_err(|error| Failure::invalid(error.to_string()))?;
        if line.len() > MAX_LINE {
            let (method, length) = (ask.request.method(), line.len());
            return Err(Failure::invalid(format!(
                "`{method}` was not sent to {}: it takes {length} bytes, and a message has at most {MAX_LINE}",
                self.who
            )));
        }
        Ok(line)
    }

    fn no_reply(&self, request: &Request, error: &serde_json::Error) -> Failure {
        let error = error.to_string();
        let why = self.mask.text(&error);
        let message = format!("{} answered with something else than a reply ({why})", self.who);
        fault::during(request, Failure::new(FailureKind::Crashed, message))
    }

    /// Tells the plugin that there is no more to do, without waiting for its end.
    pub fn finish(&self) {
        self.teller.tell(Command::Finish);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.finish();
        if let Some(thread) = self.thread.take() {
            // It does not panic; were it so, there would be nothing left to do either.
            let _ = thread.join();
        }
    }
}
