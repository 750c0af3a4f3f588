//! One child process: started in a session of its own, listened to, and ended when the call is cancelled. I/O.

use std::io::{self, BufReader, PipeReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::split::{Line, Splitter, Stream};
use crate::{Context, Outcome};

/// How long a child may take to end after it was asked to. A host waits twice as long for a plugin.
const GRACE: Duration = Duration::from_secs(5);
/// How long to listen on after a child has ended: what it left running may keep its output open.
const DRAIN: Duration = Duration::from_secs(1);
/// How many lines may wait to be listened to; then the child waits.
const WAITING: usize = 256;
/// How much is read at once where it is not lines.
const CHUNK: usize = 64 * 1024;

/// How standard output and standard error are listened to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Streams {
    /// As one, so that their lines keep their order.
    Together,
    /// As two, line by line.
    Apart,
    /// Standard output as it is, standard error line by line.
    Data,
}

/// What a child has printed.
pub(super) enum Said {
    Line(Line),
    Data(Vec<u8>),
}

/// Why a child did not come to its own end.
pub(super) enum NotRun {
    /// It could not be started.
    NotStarted(io::Error),
    /// The caller asked to stop, before it was started or while it ran.
    Cancelled(Outcome),
    /// It said more than its listener takes.
    TooMuch,
}

enum Message {
    Said(Said),
    Closed,
    Ended,
    /// Only to wake: whether the call is cancelled, the call says.
    Cancel,
}

/// Runs `command` to its end. What it prints is handed to `on_said`, until that says no.
pub(super) fn run(
    cx: &Context,
    mut command: Command,
    input: Vec<u8>,
    streams: Streams,
    on_said: impl FnMut(Said) -> bool,
) -> Result<ExitStatus, NotRun> {
    cx.check_cancelled().map_err(|_| NotRun::Cancelled(Outcome::None))?;
    let pipes = pipes(&mut command, streams).map_err(NotRun::NotStarted)?;
    command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    own_session(&mut command);
    let mut child = command.spawn().map_err(NotRun::NotStarted)?;
    // The command holds the writing ends of the pipes.
    drop(command);
    let (tell, told) = sync_channel(WAITING);
    let mut listener = Listener { cx, pid: Pid::from_child(&child), told, open: pipes.len(), on_said };
    feed(&mut child, input);
    for (stream, pipe) in pipes {
        let tell = tell.clone();
        let data = streams == Streams::Data && stream == Stream::Out;
        thread::spawn(move || if data { read_data(pipe, &tell) } else { read_lines(stream, pipe, &tell) });
    }
    watch(listener.pid, tell.clone());
    // With no room in the channel, the listener is awake as it is.
    cx.cancel().on_cancel(move || drop(tell.try_send(Message::Cancel)));
    let why = listener.listen();
    // Only now is it reaped: until here its number cannot have become another process's.
    let status = child.wait().map_err(NotRun::NotStarted)?;
    why.map_or(Ok(status), Err)
}

/// Has the child begin a session of its own, which the standard library cannot be asked for.
#[expect(unsafe_code, reason = "what runs between fork and exec")]
fn own_session(command: &mut Command) {
    // SAFETY: `setsid` is async-signal-safe, and nothing else is done.
    unsafe { command.pre_exec(|| Ok(rustix::process::setsid().map(|_| ())?)) };
}

fn pipes(command: &mut Command, streams: Streams) -> io::Result<Vec<(Stream, PipeReader)>> {
    let (out, write_out) = io::pipe()?;
    if streams == Streams::Together {
        command.stdout(write_out.try_clone()?).stderr(write_out);
        return Ok(vec![(Stream::Out, out)]);
    }
    let (err, write_err) = io::pipe()?;
    command.stdout(write_out).stderr(write_err);
    Ok(vec![(Stream::Out, out), (Stream::Err, err)])
}

/// Hands the child its input, on a thread of its own: it may print much before it reads.
fn feed(child: &mut Child, input: Vec<u8>) {
    if let Some(mut stdin) = child.stdin.take() {
        // A child that does not want it all just closes its end.
        thread::spawn(move || drop(stdin.write_all(&input)));
    }
}

struct Listener<'a, F> {
    cx: &'a Context,
    pid: Pid,
    told: Receiver<Message>,
    open: usize,
    on_said: F,
}

impl<F: FnMut(Said) -> bool> Listener<'_, F> {
    /// Listens until the child has ended and closed its output; why it was made to end.
    fn listen(&mut self) -> Option<NotRun> {
        let (mut ended, mut why) = (false, None);
        let mut deadline: Option<Instant> = None;
        while !ended || self.open > 0 {
            let message = match deadline {
                None => self.told.recv().ok(),
                Some(at) => self.told.recv_timeout(at.saturating_duration_since(Instant::now())).ok(),
            };
            if why.is_none() && self.cx.cancel().is_cancelled() {
                why = Some(NotRun::Cancelled(Outcome::Unknown));
                self.end(Signal::TERM);
                deadline = Some(Instant::now() + GRACE);
            }
            match message {
                Some(Message::Said(said)) => {
                    if why.is_none() && !(self.on_said)(said) {
                        why = Some(NotRun::TooMuch);
                        self.end(Signal::KILL);
                    }
                }
                Some(Message::Closed) => self.open -= 1,
                Some(Message::Ended) => {
                    ended = true;
                    deadline = deadline.or(Some(Instant::now() + DRAIN));
                }
                Some(Message::Cancel) => {}
                None if ended => break,
                None => {
                    self.end(Signal::KILL);
                    deadline = None;
                }
            }
        }
        if why.is_some() {
            // What it has started and not taken with it.
            self.end(Signal::KILL);
        }
        why
    }

    fn end(&self, signal: Signal) {
        // The only failure there is: all of the group has ended already.
        let _ = kill_process_group(self.pid, signal);
    }
}

/// Tells when the child has ended, without reaping it.
fn watch(pid: Pid, tell: SyncSender<Message>) {
    thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), options));
        let _ = tell.send(Message::Ended);
    });
}

// When nobody listens any more, the child shall still not block on a full pipe: hence what is read is read
// to its end, whatever becomes of it.

fn read_lines(stream: Stream, pipe: PipeReader, tell: &SyncSender<Message>) {
    let mut splitter = Splitter::new(stream);
    for byte in BufReader::new(pipe).bytes().map_while(Result::ok).chain([b'\n']) {
        if let Some(line) = splitter.take(byte) {
            let _ = tell.send(Message::Said(Said::Line(line)));
        }
    }
    let _ = tell.send(Message::Closed);
}

fn read_data(mut pipe: PipeReader, tell: &SyncSender<Message>) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(count @ 1..) = pipe.read(&mut chunk) {
        let _ = tell.send(Message::Said(Said::Data(chunk[..count].to_vec())));
    }
    let _ = tell.send(Message::Closed);
}
