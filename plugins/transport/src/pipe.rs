//! The end of a channel that is handed out. I/O: a pipe to the connection's thread.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use cloudpad_plugin_api::Failure;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc;

use crate::Exit;
use crate::ssh::Message;

/// Our end of a channel.
pub(crate) struct Pipe {
    io: DuplexStream,
    /// Of a command that was asked for so: its stderr, and what it has ended with.
    aside: Option<(DuplexStream, Arc<OnceLock<Exit>>)>,
    /// Why the channel has ended, where that is not the regular end of its bytes.
    end: Arc<OnceLock<Failure>>,
    /// Weak, so that a forgotten stream does not keep the connection open.
    commands: mpsc::WeakUnboundedSender<Message>,
    channel: u64,
}

impl Pipe {
    pub(crate) fn new(
        io: DuplexStream,
        aside: Option<(DuplexStream, Arc<OnceLock<Exit>>)>,
        end: Arc<OnceLock<Failure>>,
        commands: mpsc::WeakUnboundedSender<Message>,
        channel: u64,
    ) -> Self {
        Self { io, aside, end, commands, channel }
    }

    /// A command's stderr, and what it has ended with once all was read.
    pub(crate) fn take_aside(&mut self) -> Option<(DuplexStream, Arc<OnceLock<Exit>>)> {
        self.aside.take()
    }

    fn error(&self, kind: io::ErrorKind) -> Option<io::Error> {
        self.end.get().map(|failure| io::Error::new(kind, failure.clone()))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        if let Some(commands) = self.commands.upgrade() {
            drop(commands.send(Message::Gone(self.channel)));
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let at_end = buf.filled().len() == before && buf.remaining() > 0;
        Poll::Ready(match self.error(io::ErrorKind::ConnectionAborted).filter(|_| at_end) {
            Some(error) => Err(error),
            None => Ok(()),
        })
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, buf));
        Poll::Ready(written.map_err(|error| self.error(error.kind()).unwrap_or(error)))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs));
        Poll::Ready(written.map_err(|error| self.error(error.kind()).unwrap_or(error)))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
