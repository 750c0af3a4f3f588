//! One open channel: moves bytes between libssh2 and the pipe whose other end somebody holds. I/O.

use std::io::{Read as _, Write as _};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use cloudpad_plugin_api::{Failure, Outcome};
use ssh2::Channel as Ssh2Channel;
use tokio::io::{AsyncRead as _, AsyncWrite as _, DuplexStream, ReadBuf};
use tokio::time::Instant;

use crate::chunk::Chunk;
use crate::command::Command;
use crate::dial::unreachable;
use crate::wire::{Trouble, Wire};

/// Chunks that one channel moves before the next one has its turn.
const BURST: usize = 8;

/// A channel and the bytes that are between its two sides.
pub(crate) struct Channel {
    pub id: u64,
    channel: Ssh2Channel,
    /// Our end of the pipe.
    pipe: DuplexStream,
    /// Set before the pipe is closed, where it ends otherwise than by having been read to its end.
    end: Arc<OnceLock<Failure>>,
    /// From the pipe to the host.
    out: Chunk,
    /// From the host to the pipe.
    back: Chunk,
    command: Option<Command>,
    /// A write that libssh2 has sent in part. It must be finished before anything else is sent.
    half_written: bool,
    /// A read that has to tell the host of the window's new size and has sent that in part.
    half_read: bool,
    pipe_ended: bool,
    eof_sent: bool,
    eof_received: bool,
    /// The host takes no more bytes.
    deaf: bool,
    /// All that came has been handed on, the end included.
    handed_on: bool,
    /// When the stream was dropped.
    gone: Option<Instant>,
    /// Unsent bytes need not be sent any more.
    given_up: bool,
    closing: bool,
}

/// How far a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Moved,
    Stuck,
    Closed,
}

impl Channel {
    pub(crate) fn new(
        id: u64,
        channel: Ssh2Channel,
        command: Option<Command>,
        pipe: DuplexStream,
        end: Arc<OnceLock<Failure>>,
    ) -> Self {
        Self {
            id,
            channel,
            pipe,
            end,
            out: Chunk::new(),
            back: Chunk::new(),
            command,
            half_written: false,
            half_read: false,
            pipe_ended: false,
            eof_sent: false,
            eof_received: false,
            deaf: false,
            handed_on: false,
            gone: None,
            given_up: false,
            closing: false,
        }
    }

    pub(crate) fn is_command(&self) -> bool {
        self.command.is_some()
    }

    /// Nobody holds the stream any more. What has been written to it is still sent.
    pub(crate) fn set_gone(&mut self, now: Instant) {
        self.gone.get_or_insert(now);
    }

    /// When the stream was dropped, if it was.
    pub(crate) fn gone_since(&self) -> Option<Instant> {
        self.gone
    }

    /// Gives up what has not been sent.
    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
    }

    /// The session is over.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        let _ = self.end.set(failure.clone());
    }

    /// Moves what can be moved now.
    pub(crate) fn step(&mut self, wire: &Wire, cx: &mut Context<'_>) -> Result<Step, ssh2::Error> {
        let mut moved = false;
        for _ in 0..BURST {
            if self.closing || self.is_done() {
                self.closing = true;
                return self.close(wire);
            }
            if !(self.send(wire, cx)? | self.receive(wire, cx)?) {
                break;
            }
            moved = true;
        }
        Ok(if moved { Step::Moved } else { Step::Stuck })
    }

    fn is_done(&self) -> bool {
        let sent = self.eof_sent && (self.gone.is_some() || self.handed_on);
        (sent || self.given_up) && !self.half_written && !self.half_read
    }

    /// From the pipe to the host.
    fn send(&mut self, wire: &Wire, cx: &mut Context<'_>) -> Result<bool, ssh2::Error> {
        if self.out.is_empty() {
            return if self.pipe_ended { self.send_eof(wire) } else { Ok(self.fill_out(cx)) };
        }
        if self.deaf {
            self.out.clear();
            return Ok(true);
        }
        // The same bytes again until libssh2 has taken them: it keeps the half that did not fit.
        let result = wire.sort_io(self.channel.write(self.out.bytes()));
        self.half_written = matches!(result, Ok(None)) && wire.is_sending();
        match result {
            Ok(Some(written)) => self.out.take(written),
            Ok(None) => return Ok(false),
            Err(Trouble::Channel(_)) => self.deaf = true,
            Err(Trouble::Session(error)) => return Err(error),
        }
        Ok(true)
    }

    fn fill_out(&mut self, cx: &mut Context<'_>) -> bool {
        let mut buf = ReadBuf::new(self.out.more_space());
        let polled = Pin::new(&mut self.pipe).poll_read(cx, &mut buf);
        let filled = buf.filled().len();
        self.out.filled(filled);
        self.pipe_ended = polled.is_ready() && filled == 0;
        polled.is_ready()
    }

    fn send_eof(&mut self, wire: &Wire) -> Result<bool, ssh2::Error> {
        if self.eof_sent || !wire.has_room() {
            return Ok(false);
        }
        match wire.sort(self.channel.send_eof()) {
            Ok(None) => return Ok(false),
            Ok(Some(())) | Err(Trouble::Channel(_)) => self.eof_sent = true,
            Err(Trouble::Session(error)) => return Err(error),
        }
        Ok(true)
    }

    /// From the host to the pipe. When the pipe is full nothing is read, so the channel's window closes
    /// and the host stops sending, for this channel alone.
    fn receive(&mut self, wire: &Wire, cx: &mut Context<'_>) -> Result<bool, ssh2::Error> {
        if self.handed_on || (self.gone.is_some() && !self.half_read) {
            return Ok(false);
        }
        let heard = self.read_stderr(wire, cx)?;
        if !self.back.is_empty() {
            return Ok(self.hand_on(cx) | heard);
        }
        if self.eof_received {
            return Ok(self.finish(wire, cx)? | heard);
        }
        let result = wire.sort_io(self.channel.read(self.back.space()));
        self.half_read = matches!(result, Ok(None)) && wire.is_sending();
        match result {
            Ok(Some(0)) | Err(Trouble::Channel(_)) => self.eof_received = true,
            Ok(Some(read)) => self.back.filled(read),
            Ok(None) => return Ok(heard),
            Err(Trouble::Session(error)) => return Err(error),
        }
        Ok(true)
    }

    fn hand_on(&mut self, cx: &mut Context<'_>) -> bool {
        match Pin::new(&mut self.pipe).poll_write(cx, self.back.bytes()) {
            Poll::Ready(Ok(written)) => self.back.take(written),
            // The stream is being dropped; we are told so in a moment.
            Poll::Ready(Err(_)) => self.back.clear(),
            Poll::Pending => return false,
        }
        true
    }

    fn read_stderr(&mut self, wire: &Wire, cx: &mut Context<'_>) -> Result<bool, ssh2::Error> {
        match &mut self.command {
            Some(command) => command.read_stderr(&mut self.channel, wire, cx),
            None => Ok(false),
        }
    }

    /// Hands on the end. A command's status comes after its last byte, and is waited for.
    fn finish(&mut self, wire: &Wire, cx: &mut Context<'_>) -> Result<bool, ssh2::Error> {
        if let Some(command) = &mut self.command {
            if !command.is_read() {
                return Ok(false);
            }
            match wire.sort(self.channel.wait_close()) {
                Ok(None) => return Ok(false),
                Ok(Some(())) | Err(Trouble::Channel(_)) => {}
                Err(Trouble::Session(error)) => return Err(error),
            }
            if let Some(failure) = command.ended(&self.channel, cx) {
                let _ = self.end.set(failure);
            }
        }
        // Ending our direction of an in-process pipe is done at once.
        let _ = Pin::new(&mut self.pipe).poll_shutdown(cx);
        self.handed_on = true;
        Ok(true)
    }

    /// Closes the channel, which takes until the host has closed it, too. Only then may it be dropped:
    /// libssh2 would begin to close it and leave the work undone.
    fn close(&mut self, wire: &Wire) -> Result<Step, ssh2::Error> {
        if !wire.has_room() {
            return Ok(Step::Stuck);
        }
        match wire.sort(self.channel.close()) {
            Ok(None) => Ok(Step::Stuck),
            Ok(Some(())) | Err(Trouble::Channel(_)) => Ok(Step::Closed),
            Err(Trouble::Session(error)) => Err(error),
        }
    }
}

impl Drop for Channel {
    /// Whoever still reads has not got it all, whatever it is that ended us.
    fn drop(&mut self) {
        if !self.handed_on {
            let message = "the connection ended before this stream did";
            self.fail(&unreachable(message).outcome(Outcome::Unknown));
        }
    }
}
