//! A command's channel beside its stdout: what it writes to stderr, and what it ends with. I/O.

use std::io::Read as _;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use cloudpad_plugin_api::Failure;
use ssh2::Channel as Ssh2Channel;
use tokio::io::{AsyncWrite as _, DuplexStream};

use crate::Exit;
use crate::chunk::Chunk;
use crate::wire::{Trouble, Wire};

/// Bytes that are kept of what a command writes to stderr.
const STDERR: usize = 2000;

/// What is run.
pub(crate) struct Command {
    line: String,
    /// The end of what it wrote to stderr.
    stderr: Vec<u8>,
    /// As long as the buffer for stdout: libssh2 computes the window's new size from the length.
    buffer: Chunk,
    /// Whether all of stderr was read when it was last tried.
    drained: bool,
    aside: Option<Aside>,
}

/// Where stderr and the end go, where somebody wants them.
pub(crate) struct Aside {
    pipe: DuplexStream,
    exit: Arc<OnceLock<Exit>>,
}

impl Aside {
    pub(crate) fn new(pipe: DuplexStream, exit: Arc<OnceLock<Exit>>) -> Self {
        Self { pipe, exit }
    }
}

impl Command {
    pub(crate) fn new(line: String, aside: Option<Aside>) -> Self {
        Self { line, stderr: Vec::new(), buffer: Chunk::new(), drained: false, aside }
    }

    /// Reads what has come, and hands it on. While that is not taken nothing more is read.
    pub(crate) fn read_stderr(
        &mut self,
        channel: &mut Ssh2Channel,
        wire: &Wire,
        cx: &mut Context<'_>,
    ) -> Result<bool, ssh2::Error> {
        if !self.buffer.is_empty() {
            return Ok(self.hand_on(cx));
        }
        match wire.sort_io(channel.stderr().read(self.buffer.space())) {
            Ok(Some(read @ 1..)) => {
                self.drained = false;
                self.buffer.filled(read);
                if self.aside.is_none() {
                    self.stderr.extend_from_slice(self.buffer.bytes());
                    self.stderr.drain(..self.stderr.len().saturating_sub(STDERR));
                    self.buffer.clear();
                }
                Ok(true)
            }
            Ok(_) | Err(Trouble::Channel(_)) => {
                self.drained = true;
                Ok(false)
            }
            Err(Trouble::Session(error)) => Err(error),
        }
    }

    fn hand_on(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(aside) = &mut self.aside else { return false };
        match Pin::new(&mut aside.pipe).poll_write(cx, self.buffer.bytes()) {
            Poll::Ready(Ok(written)) => self.buffer.take(written),
            // Nobody wants it any more.
            Poll::Ready(Err(_)) => self.buffer.clear(),
            Poll::Pending => return false,
        }
        true
    }

    /// Whether all of stderr has been read and handed on, once stdout has ended.
    pub(crate) fn is_read(&self) -> bool {
        self.buffer.is_empty() && self.drained
    }

    /// It has ended: tells whoever wants to know. Else it is a failure where it is none of 0.
    pub(crate) fn ended(&mut self, channel: &Ssh2Channel, cx: &mut Context<'_>) -> Option<Failure> {
        let signal = channel.exit_signal().ok().and_then(|signal| signal.exit_signal);
        let status = channel.exit_status().unwrap_or(0);
        if let Some(aside) = &mut self.aside {
            let _ = aside.exit.set(signal.map_or(Exit::Status(status), Exit::Signal));
            // Ending our direction of an in-process pipe is done at once.
            let _ = Pin::new(&mut aside.pipe).poll_shutdown(cx);
            return None;
        }
        let how = match (signal, status) {
            (Some(signal), _) => format!("was ended by the signal `{signal}`"),
            (None, 0) => return None,
            (None, status) => format!("ended with status {status}"),
        };
        let words = String::from_utf8_lossy(&self.stderr);
        let failure = Failure::failed(format!("`{}` {how}", self.line));
        Some(words.lines().filter(|line| !line.trim().is_empty()).fold(failure, Failure::cause))
    }
}
