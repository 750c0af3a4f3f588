//! The thread that speaks to one plugin: it reads, writes, looks at the clock and ends the process. I/O: processes,
//! clock.

use std::io::PipeReader;
use std::process::Child;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::wire::PluginHello;
use rustix::process::Pid;

use super::calls::Calls;
use super::exit;
use super::fault::{Fault, Who};
use super::lines::Lines;
use super::mailbox::Post;
use super::pipes::{Pipes, Ready};
use super::tail::Tail;
use super::talk::quote;
use super::timing::{Due, Phase, Timing};
use crate::plugin::limits::Limits;
use crate::plugin::listener::Listener;
use crate::plugin::mask::Mask;
use crate::plugin::start::Started;

/// What the actor is told.
pub enum Command {
    /// Send this, and tell the post what comes of it.
    Call { id: u64, line: Vec<u8>, post: Post },
    /// Ask the plugin to stop working on this.
    Cancel(u64),
    /// Somebody has listened, and there is room for more.
    HasRoom,
    /// Do not wait for its hello any more.
    Abandon,
    /// There will be no more calls.
    Finish,
    /// The process has ended.
    Exited,
}

/// Whom the actor tells how it goes.
pub struct Ears {
    /// The hello, or why there is none.
    pub opened: SyncSender<Result<PluginHello, Failure>>,
    /// How the session has ended.
    pub ended: Arc<OnceLock<Failure>>,
    /// Who hears what the plugin writes to standard error.
    pub listener: Listener,
}

/// The thread's state.
pub struct Actor {
    who: Who,
    limits: Limits,
    mask: Arc<Mask>,
    child: Child,
    pid: Pid,
    pipes: Pipes,
    told: Receiver<Command>,
    ears: Ears,
    lines: Lines,
    tail: Tail,
    calls: Calls,
    timing: Timing,
    fault: Option<Fault>,
    gave_up: bool,
}

impl Actor {
    /// One for a plugin that runs. It is told things by `told`, and woken for that by `wake`.
    pub fn new(
        who: Who,
        limits: Limits,
        mask: Arc<Mask>,
        started: Started,
        (told, wake): (Receiver<Command>, PipeReader),
        ears: Ears,
    ) -> Self {
        let Started { child, stdin, stdout, stderr } = started;
        Self {
            who,
            limits,
            pid: Pid::from_child(&child),
            child,
            pipes: Pipes::new(wake, stdin, stdout, stderr),
            told,
            ears,
            lines: Lines::new(limits.line),
            tail: Tail::new(mask.clone()),
            calls: Calls::new(mask.clone()),
            timing: Timing::new(limits, Instant::now()),
            mask,
            fault: None,
            gave_up: false,
        }
    }

    /// The plugin's process, which leads its group.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Speaks to the plugin until its end.
    pub fn run(mut self) {
        while !self.is_done() {
            let ready = self.wait();
            while let Ok(command) = self.told.try_recv() {
                self.take(command);
            }
            if ready.stderr {
                let (who, listener) = (&self.who, &self.ears.listener);
                self.tail.push(self.pipes.read_stderr(), |line| listener.tell(who, line));
            }
            if ready.stdout {
                self.listen();
            }
            if self.timing.is_writing() {
                self.speak(ready.stdin);
            }
            self.look_at_the_clock();
        }
        self.conclude();
    }

    fn is_done(&self) -> bool {
        self.gave_up || self.timing.is_done(self.pipes.are_open(), Instant::now())
    }

    fn wait(&mut self) -> Ready {
        let writes = self.timing.is_writing() && !self.calls.to_write().is_empty();
        let wanted = Ready { stdin: writes, stdout: !self.calls.is_full(), stderr: true };
        let next = self.timing.next(self.calls.cancelled());
        self.pipes.wait(wanted, next.map(|at| at.saturating_duration_since(Instant::now())))
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Call { id, line, post } => self.calls.add(id, line, post),
            Command::Cancel(id) => self.calls.cancel(id, Instant::now() + self.limits.cancel),
            Command::HasRoom => {}
            Command::Abandon if self.timing.phase() == Phase::Opening => self.fail(Fault::Abandoned),
            Command::Abandon => {}
            Command::Finish if self.timing.phase() == Phase::Open => {
                self.pipes.close_stdin();
                self.timing.enter(Phase::Finishing, Instant::now());
            }
            Command::Finish => {}
            Command::Exited => {
                self.timing.exited(Instant::now());
                // What it has left behind must not keep its output open.
                exit::kill(self.pid);
            }
        }
    }

    fn listen(&mut self) {
        let bytes = self.pipes.read_stdout();
        self.timing.read(bytes.len(), Instant::now());
        if !self.timing.is_speaking() {
            return;
        }
        if let Err(breach) = self.lines.push(bytes, |line| self.calls.hear(line)) {
            self.fail(Fault::Breach(breach));
        } else if let Some(hello) = self.calls.hello.take() {
            self.calls.introduce(&hello, self.limits.line);
            self.timing.enter(Phase::Open, Instant::now());
            // Whoever started the session waits for this, or has gone.
            let _ = self.ears.opened.send(Ok(hello));
        }
        if !self.pipes.stdout_is_open() {
            self.timing.closed("standard output", Instant::now());
        }
    }

    /// Sends what may be sent; `ready`: whether the plugin takes more.
    fn speak(&mut self, mut ready: bool) {
        self.calls.send();
        let mut progress = false;
        while ready && !self.calls.to_write().is_empty() {
            match self.pipes.write(self.calls.to_write()) {
                Ok(count) => {
                    self.calls.wrote(count);
                    (progress, ready) = (progress || count > 0, count > 0);
                }
                Err(_) => {
                    self.pipes.close_stdin();
                    self.timing.closed("standard input", Instant::now());
                    ready = false;
                }
            }
        }
        self.timing.unread(!self.calls.to_write().is_empty(), progress, Instant::now());
    }

    fn look_at_the_clock(&mut self) {
        let now = Instant::now();
        if self.calls.is_full() {
            self.timing.read(0, now);
        }
        match self.timing.due(self.calls.cancelled(), now) {
            Due::Nothing => {}
            Due::Fault(fault) => self.fail(fault),
            Due::Terminate => self.terminate(),
            Due::Kill => {
                exit::kill(self.pid);
                self.timing.enter(Phase::Killed, now);
            }
            Due::GiveUp => self.gave_up = true,
        }
    }

    /// Ends a plugin that cannot be spoken to.
    fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
        self.pipes.close_stdin();
        self.pipes.close_stdout();
        self.terminate();
    }

    fn terminate(&mut self) {
        exit::terminate(self.pid);
        self.timing.enter(Phase::Terminated, Instant::now());
    }

    /// Tells everybody how it ended.
    fn conclude(mut self) {
        let status = self.timing.has_exited().then(|| exit::reap(&mut self.child).ok()).flatten();
        let fault = self.fault.take().unwrap_or_else(|| match status {
            Some(status) => {
                let rest = self.lines.rest();
                Fault::Ended(status, (!rest.is_empty()).then(|| quote(rest, &self.mask)))
            }
            None => Fault::Lost("its end cannot be awaited".to_owned()),
        });
        let mut failure = fault.failure(&self.who, self.tail.lines());
        if self.gave_up {
            let pid = self.pid.as_raw_nonzero();
            failure = failure.cause(format!("process {pid} does not end: the system holds it"));
        }
        let failure = self.mask.failure(failure);
        let _ = self.ears.ended.set(failure.clone());
        self.calls.end(&fault, &failure);
        // Nobody listens once the hello was said.
        let _ = self.ears.opened.try_send(Err(failure));
    }
}
