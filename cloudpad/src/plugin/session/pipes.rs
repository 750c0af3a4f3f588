//! The three pipes to a plugin, and a fourth by which the thread that waits for them is woken. I/O: pipes.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};

/// Wakes whoever waits.
#[derive(Clone)]
pub struct Waker(Arc<PipeWriter>);

impl Waker {
    /// Never blocks: when the pipe is full, enough has been said.
    pub fn wake(&self) {
        let _ = rustix::io::write(&*self.0, &[0]);
    }
}

/// Both ends of the pipe by which a thread is woken.
pub fn waker() -> io::Result<(Waker, PipeReader)> {
    let (read, write) = io::pipe()?;
    fcntl_setfl(&write, OFlags::NONBLOCK)?;
    fcntl_setfl(&read, OFlags::NONBLOCK)?;
    Ok((Waker(Arc::new(write)), read))
}

/// The pipes, closed one by one.
pub struct Pipes {
    wake: PipeReader,
    stdin: Option<OwnedFd>,
    stdout: Option<PipeReader>,
    stderr: Option<PipeReader>,
    buffer: Vec<u8>,
}

/// What can be done without waiting.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ready {
    /// Standard input takes more, or is closed.
    pub stdin: bool,
    /// Standard output has more, or is closed.
    pub stdout: bool,
    /// Standard error has more, or is closed.
    pub stderr: bool,
}

impl Pipes {
    /// Pipes to a plugin that runs.
    pub fn new(wake: PipeReader, stdin: PipeWriter, stdout: PipeReader, stderr: PipeReader) -> Self {
        let stdin = OwnedFd::from(stdin);
        // A write that takes what there is room for. Were it refused, writes would wait for room.
        let _ = fcntl_setfl(&stdin, OFlags::NONBLOCK);
        let buffer = vec![0; 64 * 1024];
        Self { wake, stdin: Some(stdin), stdout: Some(stdout), stderr: Some(stderr), buffer }
    }

    /// Waits until something can be done, somebody wakes us, or the time is over; for standard input and output
    /// only where they are wanted.
    pub fn wait(&mut self, wanted: Ready, time: Option<Duration>) -> Ready {
        let time = time.and_then(|time| Timespec::try_from(time).ok());
        let stdin = self.stdin.as_ref().filter(|_| wanted.stdin);
        let stdout = self.stdout.as_ref().filter(|_| wanted.stdout);
        let stderr = self.stderr.as_ref().filter(|_| wanted.stderr);
        let mut fds = vec![PollFd::new(&self.wake, PollFlags::IN)];
        fds.extend(stdin.map(|fd| PollFd::new(fd, PollFlags::OUT)));
        fds.extend(stdout.map(|fd| PollFd::new(fd, PollFlags::IN)));
        fds.extend(stderr.map(|fd| PollFd::new(fd, PollFlags::IN)));
        // A signal to this process ends the wait too; whoever waits looks at the time again.
        let _ = poll(&mut fds, time.as_ref());
        let mut answers = fds.iter().map(|fd| !fd.revents().is_empty());
        let woken = answers.next().unwrap_or(false);
        let mut answer = |asked: bool| asked && answers.next().unwrap_or(false);
        let ready = Ready {
            stdin: answer(stdin.is_some()),
            stdout: answer(stdout.is_some()),
            stderr: answer(stderr.is_some()),
        };
        drop(fds);
        if woken {
            let _ = self.wake.read(&mut self.buffer);
        }
        ready
    }

    /// Reads what standard output has; nothing once it is closed.
    pub fn read_stdout(&mut self) -> &[u8] {
        read(&mut self.stdout, &mut self.buffer)
    }

    /// Reads what standard error has; nothing once it is closed.
    pub fn read_stderr(&mut self) -> &[u8] {
        read(&mut self.stderr, &mut self.buffer)
    }

    /// Writes as much as standard input takes now.
    ///
    /// # Errors
    /// When the plugin has closed it.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(stdin) = &self.stdin else { return Err(io::ErrorKind::BrokenPipe.into()) };
        match rustix::io::write(stdin, bytes) {
            Ok(count) => Ok(count),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether standard output may have more.
    pub fn stdout_is_open(&self) -> bool {
        self.stdout.is_some()
    }

    /// Whether any output may have more.
    pub fn are_open(&self) -> bool {
        self.stdout.is_some() || self.stderr.is_some()
    }

    /// Tells the plugin that no more comes.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Listens no more.
    pub fn close_stdout(&mut self) {
        self.stdout = None;
    }
}

fn read<'a>(pipe: &mut Option<PipeReader>, buffer: &'a mut [u8]) -> &'a [u8] {
    let Some(open) = pipe else { return &[] };
    match open.read(buffer) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => &[],
        Ok(count @ 1..) => &buffer[..count],
        Ok(0) | Err(_) => {
            *pipe = None;
            &[]
        }
    }
}
