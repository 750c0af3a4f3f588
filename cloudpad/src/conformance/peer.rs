//! A plugin's process, spoken to line by line: nothing is hidden, and nothing put right. I/O: processes, clock.
//!
//! Each stream has a thread of its own, and so has the wait for the process's end; all tell one channel.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use cloudpad_plugin_api::Failure;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::left::left_behind;
use crate::plugin::limits::Limits;
use crate::plugin::session::{Lines, Tail, TooLong, kill, terminate};
use crate::plugin::start::{Launch, Started, start};

/// How many lines wait to be heard before no more is read: each may be as long as a line may be.
const WAITING: usize = 1;

/// A plugin that runs.
pub struct Peer {
    child: Child,
    pid: Pid,
    limits: Limits,
    told: Receiver<Told>,
    stdin: Option<Sender<Vec<u8>>>,
    stderr: Arc<Mutex<Tail>>,
    exited: bool,
    /// After that, its number may be another's.
    reaped: bool,
    /// How many of its outputs are open.
    open: u32,
}

enum Told {
    Line(Vec<u8>),
    /// Standard output ended, and this was the last of it, without an end of line.
    Rest(Vec<u8>),
    TooLong,
    /// An output ended.
    Closed,
    /// The process ended.
    Exited,
}

/// What was heard of a plugin.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// A line, without its end.
    Line(Vec<u8>),
    /// The last of its output, without an end of line.
    Rest(Vec<u8>),
    /// A line that is longer than it may be. Nothing that comes after it is heard.
    TooLong,
    /// Nothing, for as long as there was time.
    Silence,
    /// Nothing, and nothing will come: it has ended, or will be taken for ended.
    End,
}

/// How a plugin ended after its standard input was closed.
#[derive(Debug)]
pub struct Ending {
    /// Its exit status; none where its end could not be seen.
    pub status: Option<ExitStatus>,
    /// Whether it had to be ended.
    pub forced: bool,
    /// What it left running, where the system tells.
    pub left: Option<Vec<String>>,
}

impl Peer {
    /// Starts a plugin.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub fn start(launch: &Launch, limits: Limits) -> Result<Self, Failure> {
        let Started { child, stdin, stdout, stderr } = start(launch)?;
        let pid = Pid::from_child(&child);
        let tail = Arc::new(Mutex::new(Tail::new(Arc::default())));
        let (tell, told) = sync_channel(WAITING);
        let (send, sent) = channel();
        let peer = Self {
            child,
            pid,
            limits,
            told,
            stdin: Some(send),
            stderr: tail.clone(),
            exited: false,
            reaped: false,
            open: 2,
        };
        let lost = |error| Failure::failed(format!("cannot speak to {}: {error}", launch.who));
        let (out, err, end) = (tell.clone(), tell.clone(), tell);
        let begin = |name: &str, work: Box<dyn FnOnce() + Send>| Builder::new().name(name.into()).spawn(work);
        let begun = begin("stdin", Box::new(move || write(stdin, &sent)))
            .and_then(|_| begin("stdout", Box::new(move || read(stdout, limits.line, &out))))
            .and_then(|_| begin("stderr", Box::new(move || collect(stderr, &tail, &err))))
            .and_then(|_| begin("end", Box::new(move || wait(pid, &end))));
        begun.map_err(lost)?;
        Ok(peer)
    }

    /// Sends a line. Where the plugin does not read, it waits; where it has ended, it is lost.
    pub fn say(&self, line: Vec<u8>) {
        if let Some(stdin) = &self.stdin {
            let _ = stdin.send(line);
        }
    }

    /// Waits for a line until `by`.
    pub fn hear(&mut self, by: Instant) -> Heard {
        let mut by = by;
        loop {
            let left = by.saturating_duration_since(Instant::now());
            if self.exited && (self.open == 0 || left.is_zero()) {
                return Heard::End;
            }
            if left.is_zero() {
                // Even if there is more: it may never stop.
                return Heard::Silence;
            }
            match self.told.recv_timeout(left) {
                Ok(Told::Line(line)) => return Heard::Line(line),
                Ok(Told::Rest(line)) => return Heard::Rest(line),
                Ok(Told::TooLong) => return Heard::TooLong,
                Ok(Told::Closed) => self.open -= 1,
                Ok(Told::Exited) => {
                    self.exited = true;
                    // What it left behind may hold its output open.
                    by = by.min(Instant::now() + self.limits.drain);
                }
                Err(_) if self.exited => return Heard::End,
                Err(RecvTimeoutError::Timeout) => return Heard::Silence,
                Err(RecvTimeoutError::Disconnected) => return Heard::End,
            }
        }
    }

    /// Whether the process has ended by itself.
    pub fn has_exited(&self) -> bool {
        self.exited
    }

    /// The last lines of its standard error.
    pub fn stderr(&self) -> Vec<String> {
        let mut tail = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        tail.lines().map(str::to_owned).collect()
    }

    /// Closes its standard input.
    pub fn close(&mut self) {
        self.stdin = None;
    }

    /// Waits for its end, hands on what it still says, and ends it where it takes too long.
    pub fn end(&mut self, mut hear: impl FnMut(Heard)) -> Ending {
        self.close();
        let mut forced = false;
        type Force = fn(Pid);
        let steps: [(Duration, Option<Force>); 3] =
            [(self.limits.close, Some(terminate)), (self.limits.term, Some(kill)), (self.limits.kill, None)];
        for (time, force) in steps {
            self.hear_until_end(Instant::now() + time, &mut hear);
            if self.exited {
                break;
            }
            forced = true;
            if let Some(force) = force {
                force(self.pid);
            }
        }
        let left = left_behind(self.pid, self.limits.drain);
        kill(self.pid);
        self.reaped = self.exited;
        let status = if self.exited { self.child.wait().ok() } else { None };
        Ending { status, forced, left }
    }

    fn hear_until_end(&mut self, by: Instant, hear: &mut impl FnMut(Heard)) {
        loop {
            match self.hear(by) {
                Heard::End | Heard::Silence => return,
                heard => hear(heard),
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if !self.reaped {
            kill(self.pid);
        }
    }
}

fn write(mut stdin: PipeWriter, lines: &Receiver<Vec<u8>>) {
    for line in lines {
        if stdin.write_all(&line).is_err() {
            return;
        }
    }
}

fn read(mut stdout: PipeReader, limit: usize, tell: &SyncSender<Told>) {
    struct Over;
    impl From<TooLong> for Over {
        fn from(_: TooLong) -> Self {
            Self
        }
    }
    let mut lines = Lines::new(limit);
    let each = |line: &[u8]| tell.send(Told::Line(line.to_vec())).map_err(|_| Over);
    let whole = for_each_chunk(&mut stdout, |bytes| lines.push(bytes, each).is_ok());
    let rest = lines.rest();
    let _ = match whole {
        false => tell.send(Told::TooLong),
        true if !rest.is_empty() => tell.send(Told::Rest(rest.to_vec())),
        true => Ok(()),
    };
    // A plugin that cannot write any more would not end.
    let _ = io::copy(&mut stdout, &mut io::sink());
    let _ = tell.send(Told::Closed);
}

fn collect(mut stderr: PipeReader, tail: &Mutex<Tail>, tell: &SyncSender<Told>) {
    for_each_chunk(&mut stderr, |bytes| {
        tail.lock().unwrap_or_else(PoisonError::into_inner).push(bytes, |_| {});
        true
    });
    let _ = tell.send(Told::Closed);
}

/// Reads to the end, and says whether `each` has wanted all of it.
fn for_each_chunk(from: &mut PipeReader, mut each: impl FnMut(&[u8]) -> bool) -> bool {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(count @ 1..) => {
                if !each(&buffer[..count]) {
                    return false;
                }
            }
            Ok(0) | Err(_) => return true,
        }
    }
}

/// Tells when the process has ended, without reaping it.
fn wait(pid: Pid, tell: &SyncSender<Told>) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let _ = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), options));
    let _ = tell.send(Told::Exited);
}
