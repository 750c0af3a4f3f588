//! The thread's loop: the only code that touches a session once it is logged in. I/O.
//!
//! Rules, found by measuring and by reading libssh2 1.11:
//! - One thread has the session and all its channels; nobody else even drops one.
//! - An operation that could not be finished is repeated, with the same bytes, until it is. While one
//!   packet is sent in part all others wait, so nothing is lost by trying them.
//! - Whatever reads the socket takes in the packets of all channels. So everything is tried again
//!   whenever anything has happened.
//! - libssh2 may say that it waits for bytes while there are some: it stops at a packet that it has in
//!   part. The poller tells only of new ones, so the socket is asked.
//! - One channel is opened at a time; what libssh2 knows of it is kept in the session.

mod clock;

use std::future::poll_fn;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use cloudpad_plugin_api::{Failure, Outcome};
use tokio::io::unix::AsyncFdReadyGuard;
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep};

use crate::channel::{Channel, Step};
use crate::command::{Aside, Command};
use crate::dial::{Line, unreachable};
use crate::life::Life;
use crate::opening::{Opened, Opening, Reply, Room, Stderr, Way};
use crate::pipe::Pipe;
use crate::ssh::Message;
use crate::target::Target;
use crate::wire::{Trouble, Wire};

/// sshd allows 10 commands at once (`MaxSessions`), and frees their places late.
const MOST_COMMANDS: usize = 8;
/// Each may hold 2 MiB that its reader does not take.
const MOST_CHANNELS: usize = 32;
/// Bytes in the pipe to and from whoever holds a stream.
const PIPE: usize = 256 * 1024;
/// Between questions for a sign of life. libssh2 leaves out those that follow within 2 s.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(2500);

/// One connection.
pub(crate) struct Actor {
    wire: Wire,
    line: Line,
    login: String,
    /// For the streams, which say when they are dropped.
    own_commands: mpsc::WeakUnboundedSender<Message>,
    commands: mpsc::UnboundedReceiver<Message>,
    end: Arc<OnceLock<Failure>>,
    opening: Opening,
    channels: Vec<Channel>,
    next_id: u64,
    /// A channel that nothing is sent on. libssh2 reads the socket only for a channel, and somebody has
    /// to while there is no other, or all others are full.
    idle: Option<ssh2::Channel>,
    /// Bytes that lay in the socket when it was last asked.
    unread: usize,
    life: Life,
    timer: Pin<Box<Sleep>>,
}

/// Why the loop ends.
enum End {
    /// Nobody needs the connection any more.
    Unused,
    Lost(Failure),
}

impl Actor {
    pub(crate) fn new(
        wire: Wire,
        line: Line,
        target: &Target,
        own_commands: mpsc::WeakUnboundedSender<Message>,
        commands: mpsc::UnboundedReceiver<Message>,
        end: Arc<OnceLock<Failure>>,
    ) -> Self {
        let now = Instant::now();
        // When to ask is decided here, so libssh2 is given the shortest interval it knows.
        wire.session.set_keepalive(true, 2);
        let interval = target.alive_interval.max(SHORTEST_INTERVAL);
        Self {
            wire,
            line,
            login: format!("{}@{}", target.user, target.name),
            own_commands,
            commands,
            end,
            opening: Opening::new(),
            channels: Vec::new(),
            next_id: 0,
            idle: None,
            unread: 0,
            life: Life::new(now, interval, target.alive_count),
            timer: Box::pin(tokio::time::sleep_until(now + clock::TICK)),
        }
    }

    /// Serves until the last handle is dropped or the connection is lost.
    pub(crate) async fn run(mut self) {
        let end = poll_fn(|cx| self.poll(cx)).await;
        self.finish(end);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            match self.pass(cx) {
                Err(end) => return Poll::Ready(end),
                Ok(Pass::Again) => {}
                Ok(Pass::Wait) => return Poll::Pending,
            }
        }
    }

    /// Tries everything once.
    fn pass(&mut self, cx: &mut Context<'_>) -> Result<Pass, End> {
        self.wire.blocked.set(false);
        let (readable, writable) = (self.is_readable(cx)?, self.is_writable(cx)?);
        self.take_commands(cx)?;
        let now = Instant::now();
        if readable {
            self.life.heard(now);
        }
        // Bytes that come while the thread works are often taken in before the poller tells of them.
        self.hear_unread(now);
        let moved = self.work(cx, now).map_err(|error| self.lost(error.message()))?;
        if moved | self.watch_clock(cx, now)? | self.hear_unread(now) {
            return Ok(Pass::Again);
        }
        // Readiness comes in only while the thread sleeps, so none that is new is taken back here.
        let blocked = writable && self.wire.blocked.get();
        if readable {
            clear(self.wire.socket.poll_read_ready(cx));
        }
        if blocked {
            clear(self.wire.socket.poll_write_ready(cx));
        }
        if readable || blocked {
            return Ok(Pass::Again);
        }
        self.wire.acknowledge();
        Ok(Pass::Wait)
    }

    /// Whether the socket holds bytes, and not as many as when this was last asked. If nobody reads them,
    /// there is no use in trying again.
    fn hear_unread(&mut self, now: Instant) -> bool {
        let unread = self.wire.unread();
        let heard = std::mem::replace(&mut self.unread, unread) != unread && unread > 0;
        if heard {
            self.life.heard(now);
        }
        heard
    }

    fn is_readable(&self, cx: &mut Context<'_>) -> Result<bool, End> {
        match self.wire.socket.poll_read_ready(cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(ready)) if ready.ready().is_read_closed() && self.reads_nothing() => {
                Err(self.lost("the other end has closed it"))
            }
            Poll::Ready(Ok(_)) => Ok(true),
            Poll::Ready(Err(error)) => Err(self.lost(&error.to_string())),
        }
    }

    fn is_writable(&self, cx: &mut Context<'_>) -> Result<bool, End> {
        match self.wire.socket.poll_write_ready(cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(_)) => Ok(true),
            Poll::Ready(Err(error)) => Err(self.lost(&error.to_string())),
        }
    }

    /// Whether no operation would find out that the socket is closed.
    fn reads_nothing(&self) -> bool {
        self.channels.is_empty() && self.idle.is_none()
    }

    fn take_commands(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while let Poll::Ready(command) = self.commands.poll_recv(cx) {
            let now = Instant::now();
            match command {
                Some(Message::Open(way, reply)) => self.opening.ask(way, reply, now),
                Some(Message::Gone(id)) => {
                    if let Some(channel) = self.channels.iter_mut().find(|channel| channel.id == id) {
                        channel.set_gone(now);
                    }
                }
                None => return Err(End::Unused),
            }
        }
        Ok(())
    }

    /// Whether any bytes were moved or any channel opened or closed.
    fn work(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<bool, ssh2::Error> {
        let opened = self.opening.advance(&self.wire, self.room(), now)?;
        let mut moved = opened.is_some();
        if let Some(opened) = opened {
            self.life.heard(now);
            self.take_in(opened, now);
        }
        let mut closed = Vec::new();
        for channel in &mut self.channels {
            match channel.step(&self.wire, cx)? {
                Step::Moved => moved = true,
                Step::Stuck => {}
                Step::Closed => closed.push(channel.id),
            }
        }
        self.channels.retain(|channel| !closed.contains(&channel.id));
        if let Some(idle) = &mut self.idle {
            // All it does is to read the socket; nobody will ever end this channel.
            if let Err(Trouble::Session(error)) = self.wire.sort(idle.wait_eof()) {
                return Err(error);
            }
        }
        Ok(moved || !closed.is_empty())
    }

    fn room(&self) -> Room {
        let commands = self.channels.iter().filter(|channel| channel.is_command()).count();
        Room {
            busy: commands > 0,
            commands: commands < MOST_COMMANDS,
            others: self.channels.len() - commands < MOST_CHANNELS,
        }
    }

    fn take_in(&mut self, opened: Opened, now: Instant) {
        match opened {
            Opened::Idle(channel) => self.idle = Some(channel),
            Opened::Useless(channel) => self.add(channel, None, None, now),
            Opened::Stream(Way::Exec(line, stderr), channel, reply) => {
                self.add(channel, Some((line, stderr)), reply, now)
            }
            Opened::Stream(_, channel, reply) => self.add(channel, None, reply, now),
        }
    }

    /// Takes over a channel, and hands its other end to whoever waits for it.
    fn add(
        &mut self,
        channel: ssh2::Channel,
        command: Option<(String, Stderr)>,
        reply: Option<Reply>,
        now: Instant,
    ) {
        let id = self.next_id;
        self.next_id += 1;
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let end = Arc::new(OnceLock::new());
        let (our_aside, their_aside) = match command {
            Some((_, Stderr::Apart)) => {
                let (ours, theirs) = tokio::io::duplex(PIPE);
                let exit = Arc::new(OnceLock::new());
                (Some(Aside::new(ours, exit.clone())), Some((theirs, exit)))
            }
            _ => (None, None),
        };
        let command = command.map(|(line, _)| Command::new(line, our_aside));
        let mut channel = Channel::new(id, channel, command, ours, end.clone());
        let pipe = Pipe::new(theirs, their_aside, end, self.own_commands.clone(), id);
        match reply {
            // One that nobody waits for any more is dropped here, and comes back as `Message::Gone`.
            Some(reply) => drop(reply.send(Ok(pipe))),
            None => channel.set_gone(now),
        }
        self.channels.push(channel);
    }

    fn lost(&self, why: &str) -> End {
        let failure = unreachable(format!("the connection to `{}` was lost: {why}", self.login)).retryable();
        let jump = self.line.via.as_ref().and_then(|via| via.why_ended());
        End::Lost(jump.into_iter().fold(failure, Failure::cause))
    }

    /// Tells everyone, and ends the session.
    fn finish(mut self, end: End) {
        let failure = match end {
            End::Unused => {
                unreachable(format!("the connection to `{}` was closed by this program", self.login))
            }
            End::Lost(failure) => failure,
        };
        let _ = self.end.set(failure.clone());
        self.opening.fail_all(&failure);
        for channel in &mut self.channels {
            // What had been asked for over the stream may have been done or not.
            channel.fail(&failure.clone().outcome(Outcome::Unknown));
        }
        self.commands.close();
        if !self.wire.is_sending() && self.wire.has_room() {
            let _ = self.wire.session.disconnect(None, "done", None);
        }
        // With the socket closed libssh2 frees everything at once, and waits for nobody.
        let _ = UnixStream::from(self.line.socket).shutdown(Shutdown::Both);
    }
}

enum Pass {
    Again,
    Wait,
}

fn clear<T: std::os::fd::AsRawFd>(ready: Poll<std::io::Result<AsyncFdReadyGuard<'_, T>>>) {
    if let Poll::Ready(Ok(mut ready)) = ready {
        ready.clear_ready();
    }
}
