//! A session of libssh2 on a socket that does not block. I/O.
//!
//! Everything in here stays on one thread: libssh2 keeps unsent bytes and half-done work in the session,
//! and `ssh2`'s types would let two threads at them.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use ssh2::{BlockDirections, ErrorCode, Session};
use tokio::io::unix::AsyncFd;

unsafe extern "C" {
    /// Part of libssh2's API since 1.10.1; `libssh2-sys` does not declare it.
    fn libssh2_session_set_read_timeout(session: *mut libssh2_sys::LIBSSH2_SESSION, seconds: libc::c_long);
}

/// A session and its socket.
pub(crate) struct Wire {
    pub session: Session,
    pub socket: AsyncFd<Arc<OwnedFd>>,
    /// Whether something waits until the socket takes more bytes.
    pub blocked: Cell<bool>,
}

/// What an operation that failed is the end of.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Of its channel.
    Channel(ssh2::Error),
    /// Of the session.
    Session(ssh2::Error),
}

impl Wire {
    /// Takes over `socket`, which must not block.
    pub(crate) fn new(socket: OwnedFd) -> Result<Self, String> {
        let socket = Arc::new(socket);
        let mut session = Session::new().map_err(|error| error.to_string())?;
        session.set_tcp_stream(socket.clone());
        session.set_blocking(false);
        // SAFETY: an `OwnedFd` stays open and the same as long as it lives, and the `Arc` lives here.
        let socket = unsafe { AsyncFd::register(socket) }.map_err(|error| error.to_string())?;
        Ok(Self { session, socket, blocked: Cell::new(false) })
    }

    /// Repeats `operation` until it is done. To be used only while nothing else uses the session.
    pub(crate) async fn drive<T>(
        &self,
        mut operation: impl FnMut(&Session) -> Result<T, ssh2::Error>,
    ) -> Result<T, ssh2::Error> {
        loop {
            match operation(&self.session) {
                Err(error) if is_again(&error) => self.wait().await,
                done => return done,
            }
        }
    }

    /// Waits for what the last operation waits for.
    async fn wait(&self) {
        if !self.is_sending() && self.unread() > 0 {
            return tokio::task::yield_now().await;
        }
        self.acknowledge();
        // An error of the poller comes back from the next operation.
        let ready = match self.is_sending() {
            true => self.socket.writable().await,
            false => self.socket.readable().await,
        };
        if let Ok(mut ready) = ready {
            ready.clear_ready();
        }
    }

    /// Sorts the result of an operation: done, to be repeated later (none), or in trouble.
    pub(crate) fn sort<T>(&self, result: Result<T, ssh2::Error>) -> Result<Option<T>, Trouble> {
        match result {
            Ok(done) => Ok(Some(done)),
            Err(error) if is_again(&error) => {
                if self.is_sending() {
                    self.blocked.set(true);
                }
                Ok(None)
            }
            Err(error) if is_of_channel(&error) => Err(Trouble::Channel(error)),
            Err(error) => Err(Trouble::Session(error)),
        }
    }

    /// Whether libssh2 has bytes that the socket did not take.
    pub(crate) fn is_sending(&self) -> bool {
        matches!(self.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both)
    }

    /// The same as [`Wire::sort`] for reading and writing, whose errors have lost their code.
    pub(crate) fn sort_io(&self, result: io::Result<usize>) -> Result<Option<usize>, Trouble> {
        self.sort(result.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                ssh2::Error::from_errno(ErrorCode::Session(libssh2_sys::LIBSSH2_ERROR_EAGAIN))
            }
            _ => ssh2::Error::last_session_error(&self.session).unwrap_or_else(ssh2::Error::unknown),
        }))
    }

    /// Bytes that lie in the socket. libssh2 may leave some there and say that it waits for more: it
    /// stops at a packet that it has in part.
    pub(crate) fn unread(&self) -> usize {
        let mut count: libc::c_int = 0;
        // SAFETY: `FIONREAD` writes one `c_int`, which `count` is, and the descriptor is open.
        let done = unsafe { libc::ioctl(self.socket.as_raw_fd(), libc::FIONREAD, &raw mut count) };
        if done == 0 { usize::try_from(count).unwrap_or(0) } else { 0 }
    }

    /// Has the kernel acknowledge now what has been read. To be called before each wait, since it lasts only
    /// until the kernel thinks better of it.
    ///
    /// sshd sends small packets without `TCP_NODELAY`: the second of an answer waits until the first is
    /// acknowledged, which Linux puts off for 40 ms where nothing is sent meanwhile (RFC 1122, 4.2.3.2).
    pub(crate) fn acknowledge(&self) {
        // A jump host's or a `ProxyCommand`'s socket is none of TCP and refuses, and has nothing to put off.
        let _ = rustix::net::sockopt::set_tcp_quickack(&self.socket, true);
    }

    /// How long libssh2 waits for the answer to a request from now on, in whole seconds.
    pub(crate) fn limit_answers(&self, limit: Duration) {
        let seconds = libc::c_long::try_from(limit.as_secs().max(1)).unwrap_or(libc::c_long::MAX);
        // SAFETY: the session lives as long as the guard that `raw` gives, and the call only sets a number.
        unsafe { libssh2_session_set_read_timeout(&raw mut *self.session.raw(), seconds) }
    }

    /// Whether the socket takes a small packet now. Otherwise notes that something waits for that.
    ///
    /// libssh2 builds some packets on its stack and knows them by their address. One that was sent in
    /// part could not be continued, so they are not begun before there is room for all of it.
    pub(crate) fn has_room(&self) -> bool {
        let mut poll = libc::pollfd { fd: self.socket.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
        // SAFETY: `poll` is one valid pollfd, which outlives the call; a timeout of 0 does not block.
        let room = unsafe { libc::poll(&raw mut poll, 1, 0) } == 1 && poll.revents & libc::POLLOUT != 0;
        if !room {
            self.blocked.set(true);
        }
        room
    }
}

fn is_again(error: &ssh2::Error) -> bool {
    error.code() == ErrorCode::Session(libssh2_sys::LIBSSH2_ERROR_EAGAIN)
}

fn is_of_channel(error: &ssh2::Error) -> bool {
    use libssh2_sys as raw;
    matches!(
        error.code(),
        ErrorCode::Session(
            raw::LIBSSH2_ERROR_CHANNEL_FAILURE
                | raw::LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED
                | raw::LIBSSH2_ERROR_CHANNEL_CLOSED
                | raw::LIBSSH2_ERROR_CHANNEL_EOF_SENT
                | raw::LIBSSH2_ERROR_CHANNEL_WINDOW_EXCEEDED
                | raw::LIBSSH2_ERROR_CHANNEL_PACKET_EXCEEDED
                | raw::LIBSSH2_ERROR_CHANNEL_WINDOW_FULL
                | raw::LIBSSH2_ERROR_REQUEST_DENIED
                | raw::LIBSSH2_ERROR_INVAL
                | raw::LIBSSH2_ERROR_TIMEOUT
        )
    )
}
