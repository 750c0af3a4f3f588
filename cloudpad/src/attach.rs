//! The streams of a process on a host, joined with our own. I/O: standard streams, the terminal, a unix socket on which we
//! listen for a plugin.
//!
//! What passes here is for the process and from it, byte by byte: nothing is masked, and nothing is made harmless.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use cloudpad_plugin_api::frames::{Frames, STDERR, STDIN, frame, resize};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::refusal::Refusal;
use crate::scratch;
use crate::term::{Raw, Term, terminal_size};

/// What is read at once.
const PIECE: usize = 32 * 1024;

/// A place where a plugin finds our streams.
pub struct Streams {
    folder: PathBuf,
    listener: UnixListener,
}

impl Streams {
    /// Listens, in a folder that only the user may look into.
    ///
    /// # Errors
    /// When there can be no such place.
    pub fn listen() -> Result<Self, Refusal> {
        let refused = |error| Refusal::new(format!("cannot listen on a private socket: {error}"));
        let folder = scratch::private_folder().map_err(refused)?;
        match UnixListener::bind(socket(&folder)) {
            Ok(listener) => Ok(Self { folder, listener }),
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                Err(refused(error))
            }
        }
    }

    /// Where that is.
    pub fn path(&self) -> String {
        socket(&self.folder).display().to_string()
    }

    /// Does `work`, which leads a process here, and joins its streams with ours. `tty`: the process has a terminal, and so
    /// have we. Says what came of the work, and whether somebody closed our output before that.
    ///
    /// # Errors
    /// When a stream breaks.
    pub async fn join<T>(
        &self,
        tty: bool,
        term: &Arc<Term>,
        work: impl Future<Output = T>,
    ) -> io::Result<(T, bool)> {
        let mut work = pin!(work);
        let stream = tokio::select! {
            done = &mut work => return Ok((done, false)),
            accepted = self.listener.accept() => accepted?.0.into_std()?,
        };
        stream.set_nonblocking(false)?;
        let _raw = if tty { Some(Raw::enter()?) } else { None };
        let to = Arc::new(Mutex::new(stream.try_clone()?));
        let sizes = tty.then(|| tokio::spawn(tell_sizes(to.clone())));
        // It ends with the program: nobody can be kept from waiting for a key.
        std::thread::spawn(move || hand_on_input(&to));
        let output = tokio::task::spawn_blocking({
            let term = term.clone();
            move || print(stream, &term)
        });
        let done = work.await;
        let closed = output.await.map_err(io::Error::other)??;
        if let Some(sizes) = sizes {
            sizes.abort();
        }
        Ok((done, closed))
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("stream")
}

/// A process that is gone needs nothing any more.
fn send(to: &Mutex<UnixStream>, frame: &[u8]) -> bool {
    to.lock().unwrap_or_else(PoisonError::into_inner).write_all(frame).is_ok()
}

fn hand_on_input(to: &Mutex<UnixStream>) {
    let (mut piece, mut input) = (vec![0; PIECE], io::stdin().lock());
    loop {
        match input.read(&mut piece) {
            Ok(read @ 1..) if send(to, &frame(STDIN, &piece[..read])) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(1..) => return,
            _ => {
                send(to, &frame(STDIN, &[]));
                return;
            }
        }
    }
}

/// Tells the terminal's size, now and whenever it changes.
async fn tell_sizes(to: Arc<Mutex<UnixStream>>) {
    let Ok(mut changed) = signal(SignalKind::window_change()) else { return };
    loop {
        if let Some(size) = terminal_size() {
            send(&to, &resize(size));
        }
        if changed.recv().await.is_none() {
            return;
        }
    }
}

/// Prints what the process prints, until it prints no more. Whether somebody has closed our output before that.
fn print(mut from: UnixStream, term: &Term) -> io::Result<bool> {
    let (mut piece, mut frames) = (vec![0; PIECE], Frames::default());
    loop {
        let read = receive(&mut from, &mut piece)?;
        if read == 0 {
            return Ok(false);
        }
        frames.push(&piece[..read]);
        while let Some(frame) = frames.next_frame().map_err(io::Error::other)? {
            match term.bytes(frame.stream == STDERR, &frame.bytes) {
                Ok(()) => {}
                Err(error) => {
                    from.shutdown(std::net::Shutdown::Both)?;
                    return if error.kind() == io::ErrorKind::BrokenPipe { Ok(true) } else { Err(error) };
                }
            }
        }
    }
}

/// Reads what has come; nothing at the end. One who leaves with something unread, such as the end of our input, resets the
/// connection: all that it has sent has been read by then.
fn receive(from: &mut UnixStream, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(0),
            read => return read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_has_ended_need_not_have_read_its_input() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        send(&Mutex::new(ours.try_clone().unwrap()), &frame(STDIN, b"unread"));
        theirs.write_all(b"output").unwrap();
        drop(theirs);
        let mut piece = [0; 16];
        assert_eq!(receive(&mut ours, &mut piece).unwrap(), 6);
        assert_eq!(receive(&mut ours, &mut piece).unwrap(), 0);
    }
}
