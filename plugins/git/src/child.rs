//! One child process: started in a session of its own, listened to, and ended when the caller asks to
//! stop. I/O.

use std::io::{self, BufReader, PipeReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use cloudpad_plugin_api::Context;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How long a child may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// How long to listen on after a child has ended: what it left running may keep its output open.
const DRAIN: Duration = Duration::from_secs(1);
/// The longest line; what is longer is cut into several.
const LONGEST: usize = 64 * 1024;
/// How many lines [`Tail`] keeps.
const TAIL: usize = 20;

/// A line that a child has printed.
pub struct Line {
    /// Where.
    pub stream: Stream,
    /// What, without its end.
    pub text: String,
    /// Whether it ended with a carriage return, so that on a terminal the next one would replace it.
    pub transient: bool,
}

/// Where a child prints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, or both where they are one.
    Out,
    /// Standard error.
    Err,
}

/// Whether standard output and standard error are told apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// They are.
    Apart,
    /// They are one, so that their lines keep their order.
    Together,
}

/// Why a child did not come to its own end.
pub enum NotRun {
    /// It could not be started.
    NotStarted(io::Error),
    /// The caller asked to stop.
    Cancelled,
}

/// The last lines that a child has printed.
#[derive(Default)]
pub struct Tail(pub Vec<String>);

impl Tail {
    /// Adds a line and forgets the oldest.
    pub fn push(&mut self, line: String) {
        if self.0.len() == TAIL {
            self.0.remove(0);
        }
        self.0.push(line);
    }
}

enum Message {
    Line(Line),
    Closed,
    Ended,
    Cancel,
}

/// Runs `command` to its end with no standard input, and hands each line to `on_line`.
///
/// It gets a session of its own: it cannot ask the user anything on the terminal, for nobody could
/// answer while progress is drawn there, and all that it starts can be ended with it.
pub fn run(
    cx: &Context,
    mut command: Command,
    streams: Streams,
    mut on_line: impl FnMut(Line),
) -> Result<ExitStatus, NotRun> {
    cx.check_cancelled().map_err(|_| NotRun::Cancelled)?;
    let pipes = pipes(&mut command, streams).map_err(NotRun::NotStarted)?;
    // SAFETY: `setsid` is async-signal-safe, and nothing else is done between fork and exec.
    unsafe { command.pre_exec(|| Ok(rustix::process::setsid().map(|_| ())?)) };
    let mut child = command.spawn().map_err(NotRun::NotStarted)?;
    // The command holds the writing ends of the pipes.
    drop(command);
    let pid = Pid::from_child(&child);
    let (tell, told) = channel();
    let open = pipes.len();
    for (stream, pipe) in pipes {
        let tell = tell.clone();
        thread::spawn(move || read(stream, pipe, &tell));
    }
    watch(pid, tell.clone());
    cx.cancel().on_cancel(move || drop(tell.send(Message::Cancel)));
    let cancelled = listen(pid, &told, open, &mut on_line);
    // Only now is it reaped: until here its number cannot have become another process's.
    let status = child.wait().map_err(NotRun::NotStarted)?;
    if cancelled { Err(NotRun::Cancelled) } else { Ok(status) }
}

fn pipes(command: &mut Command, streams: Streams) -> io::Result<Vec<(Stream, PipeReader)>> {
    let (out, write_out) = io::pipe()?;
    command.stdin(Stdio::null());
    if streams == Streams::Together {
        command.stdout(write_out.try_clone()?).stderr(write_out);
        return Ok(vec![(Stream::Out, out)]);
    }
    let (err, write_err) = io::pipe()?;
    command.stdout(write_out).stderr(write_err);
    Ok(vec![(Stream::Out, out), (Stream::Err, err)])
}

/// Listens until the child has ended and closed its output; whether it was made to end.
fn listen(pid: Pid, told: &Receiver<Message>, mut open: usize, on_line: &mut dyn FnMut(Line)) -> bool {
    let (mut ended, mut cancelled) = (false, false);
    let mut deadline: Option<Instant> = None;
    while !ended || open > 0 {
        let message = match deadline {
            None => told.recv().ok(),
            Some(at) => told.recv_timeout(at.saturating_duration_since(Instant::now())).ok(),
        };
        match message {
            Some(Message::Line(line)) => on_line(line),
            Some(Message::Closed) => open -= 1,
            Some(Message::Ended) => {
                ended = true;
                deadline = Some(Instant::now() + DRAIN);
            }
            Some(Message::Cancel) => {
                cancelled = true;
                end(pid, Signal::TERM);
                deadline = Some(Instant::now() + GRACE);
            }
            None if ended => break,
            None => {
                end(pid, Signal::KILL);
                deadline = None;
            }
        }
    }
    cancelled
}

fn end(pid: Pid, signal: Signal) {
    // The only failure there is: all of the group has ended already.
    let _ = kill_process_group(pid, signal);
}

/// Tells when the child has ended, without reaping it.
fn watch(pid: Pid, tell: Sender<Message>) {
    thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), options));
        let _ = tell.send(Message::Ended);
    });
}

fn read(stream: Stream, pipe: PipeReader, tell: &Sender<Message>) {
    let mut splitter = Splitter { stream, line: Vec::new(), returned: false };
    for byte in BufReader::new(pipe).bytes().map_while(Result::ok).chain([b'\n']) {
        if let Some(line) = splitter.take(byte) {
            // When nobody listens any more, the child shall still not block on a full pipe.
            let _ = tell.send(Message::Line(line));
        }
    }
    let _ = tell.send(Message::Closed);
}

/// Cuts what is printed into lines as it comes. Empty ones are left out.
struct Splitter {
    stream: Stream,
    line: Vec<u8>,
    /// Whether `line` was ended by a carriage return, and what comes next says of which kind it is.
    returned: bool,
}

impl Splitter {
    fn take(&mut self, byte: u8) -> Option<Line> {
        let returned = std::mem::replace(&mut self.returned, byte == b'\r');
        match byte {
            b'\n' => self.line(false),
            b'\r' if !returned => None,
            b'\r' => self.line(true),
            _ => {
                let line = if returned { self.line(true) } else { None };
                self.line.push(byte);
                line.or_else(|| if self.line.len() >= LONGEST { self.line(false) } else { None })
            }
        }
    }

    fn line(&mut self, transient: bool) -> Option<Line> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return None;
        }
        Some(Line { stream: self.stream, text: String::from_utf8_lossy(&line).into_owned(), transient })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudpad_plugin_api::Cancel;
    use std::sync::Arc;

    fn cx(cancel: &Cancel) -> Context {
        Context::new(serde_json::Value::Null, Arc::new(|_| ()), cancel.clone())
    }

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn lines(script: &str, streams: Streams) -> Vec<String> {
        let mut lines = Vec::new();
        let status = run(&cx(&Cancel::new()), sh(script), streams, |line| lines.push(line.text));
        assert!(status.is_ok_and(|status| status.success()));
        lines
    }

    #[test]
    fn lines_of_both_streams_keep_their_order() {
        let script = "for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done";
        let expected = ["o1", "e1", "o2", "e2", "o3", "e3", "o4", "e4", "o5", "e5"];
        assert_eq!(lines(script, Streams::Together), expected);
    }

    #[test]
    fn overwritten_states_are_transient() {
        let mut splitter = Splitter { stream: Stream::Err, line: Vec::new(), returned: false };
        let printed = b"1%\r2%\r3%, done\r\n\n\r\rlast\n";
        let lines: Vec<_> = printed.iter().filter_map(|byte| splitter.take(*byte)).collect();
        let lines: Vec<_> = lines.iter().map(|l| (l.text.as_str(), l.transient)).collect();
        assert_eq!(lines, [("1%", true), ("2%", true), ("3%, done", false), ("last", false)]);
    }

    #[test]
    fn what_is_left_in_the_background_is_not_waited_for() {
        assert_eq!(lines("sleep 300 & echo $!", Streams::Together).len(), 1);
    }

    #[test]
    fn cancelling_ends_the_child_and_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let script = format!("exec 9>{}; sleep 300 & echo up; wait", fifo.display());
        let (tell, closed) = channel();
        // It ends when the last process that has it open for writing has ended.
        thread::spawn(move || tell.send(std::fs::read(fifo).unwrap()));
        let cancel = Cancel::new();
        let ended = run(&cx(&cancel), sh(&script), Streams::Together, |_| cancel.cancel());
        assert!(matches!(ended, Err(NotRun::Cancelled)));
        assert!(closed.recv_timeout(Duration::from_secs(60)).is_ok(), "`sleep` lives on");
    }

    #[test]
    fn a_child_that_ignores_the_request_is_killed() {
        let cancel = Cancel::new();
        let ended =
            run(&cx(&cancel), sh("trap '' TERM; echo; echo up; sleep 300; sleep 300"), Streams::Together, {
                let cancel = cancel.clone();
                move |_| cancel.cancel()
            });
        assert!(matches!(ended, Err(NotRun::Cancelled)));
    }

    #[test]
    fn the_child_has_no_terminal() {
        assert_eq!(lines("( : </dev/tty ) 2>/dev/null || echo none", Streams::Together), ["none"]);
    }
}
