//! JSON lines on what were this process's standard input and output. I/O: streams.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use cloudpad_plugin_api::wire::MAX_LINE;

/// The way to the host's host.
pub struct Stream {
    from: Mutex<Incoming>,
    /// None once it is closed.
    to: Mutex<Option<File>>,
}

struct Incoming {
    from: BufReader<File>,
    line: Vec<u8>,
}

impl Stream {
    /// Takes standard input and output away. What the library reads from now on is empty, and what it prints
    /// goes to standard error, so that neither can spoil the stream.
    ///
    /// # Errors
    /// When the system has no more room for open files.
    pub fn take() -> io::Result<Self> {
        let from = File::from(above(rustix::stdio::stdin())?);
        let to = File::from(above(rustix::stdio::stdout())?);
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
        let from = Mutex::new(Incoming { from: BufReader::new(from), line: Vec::new() });
        Ok(Self { from, to: Mutex::new(Some(to)) })
    }

    /// The next line without its end, and how long it is; none when there are no more. It ends with a zero
    /// byte that is not counted, and stays where it is until the next call.
    pub fn receive(&self) -> Option<(*const u8, usize)> {
        let mut incoming = self.from.lock().unwrap_or_else(PoisonError::into_inner);
        let Incoming { from, line } = &mut *incoming;
        line.clear();
        from.take(MAX_LINE as u64 + 1).read_until(b'\n', line).ok()?;
        // A line that has no end is not whole.
        line.pop_if(|byte| *byte == b'\n')?;
        let length = line.len();
        line.push(0);
        Some((line.as_ptr(), length))
    }

    /// Sends a message as one line: what ends a line is a space between two words of JSON, and nothing else.
    ///
    /// # Errors
    /// When it is too long, the host is gone, or the stream was closed.
    pub fn send(&self, message: &[u8]) -> io::Result<()> {
        if message.len() > MAX_LINE {
            return Err(io::Error::other("the message is too long"));
        }
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let mut line: Vec<u8> = message.iter().map(|byte| if is_end(byte) { b' ' } else { *byte }).collect();
        line.push(b'\n');
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        to.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write_all(&line)
    }

    /// Sends nothing more: threads of the library may go on for a while.
    pub fn close(&self) {
        *self.to.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A copy that the library does not take for a standard stream and that no process of it inherits.
fn above(fd: impl std::os::fd::AsFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 3)?)
}
