//! A plugin without the host: what it does by itself. I/O: processes.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// What a host would say: hello, and one call.
pub const SAID: &str = r#"{"t":"hello","protocol":1}
{"t":"call","id":1,"provider":"x","method":"deploy.stop","params":{}}
"#;

/// Longer than it takes to do anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// For how long it is watched whether it goes on.
const WATCHED: Duration = Duration::from_millis(300);

/// What it has done.
pub struct Alone {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// How it has ended; none where it went on.
    pub status: Option<ExitStatus>,
}

/// How long it is watched.
#[derive(Clone, Copy)]
enum Until {
    /// It has ended, or written so many bytes after its hello.
    Written(usize),
    /// It has ended.
    End,
    /// A while is over.
    While,
}

impl Alone {
    /// Runs an executable until it has ended, or written so many bytes after its hello.
    pub fn run(path: &Path, bytes: usize) -> Self {
        Self::watch(Command::new(path).arg("--cloudpad-plugin"), Until::Written(bytes))
    }

    /// Runs what does nothing for a while.
    pub fn idle(command: &mut Command) -> Self {
        Self::watch(command, Until::While)
    }

    /// Runs what ends.
    pub fn ends(command: &mut Command) -> Self {
        Self::watch(command, Until::End)
    }

    /// Has a few lines of Python look at it, which have it as `p`, and returns what they print.
    pub fn looked_at(path: &Path, python: &str) -> String {
        let start = "import os, select, subprocess, sys\n\
            p = subprocess.Popen([sys.argv[1], '--cloudpad-plugin'], bufsize=0, stdin=-1, stdout=-1, stderr=-3)\n\
            p.stdin.write(sys.argv[2].encode())\n";
        let mut command = Command::new("python3");
        command.arg("-c").arg(start.to_owned() + python).arg(path).arg(SAID);
        let seen = Self::ends(&mut command);
        assert_eq!(seen.code(), Some(0), "{}", String::from_utf8_lossy(&seen.stderr));
        String::from_utf8(seen.stdout).unwrap()
    }

    fn watch(command: &mut Command, until: Until) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        let group = Pid::from_child(&child);
        let mut stdin = child.stdin.take().unwrap();
        // One that does not read, or has ended, is what is looked for.
        let _ = stdin.write_all(SAID.as_bytes());
        let ((tell, told), (ended, end)) = (channel(), channel());
        let bytes = if let Until::Written(bytes) = until { bytes } else { usize::MAX };
        let stdout = read(child.stdout.take().unwrap(), bytes, tell);
        let stderr = read(child.stderr.take().unwrap(), usize::MAX, channel().0);
        let wait = thread::spawn(move || {
            let status = child.wait().unwrap();
            let _ = ended.send(());
            status
        });
        let goes_on = matches!(until, Until::While) || told.recv_timeout(PATIENCE) == Ok(Told::Written);
        let has_ended = end.recv_timeout(if goes_on { WATCHED } else { PATIENCE }).is_ok();
        // With all that it has started.
        let _ = kill_process_group(group, Signal::KILL);
        let status = wait.join().unwrap();
        drop(stdin);
        let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
        Self { stdout, stderr, status: has_ended.then_some(status) }
    }

    /// What it writes after its hello.
    pub fn after_hello(&self) -> &[u8] {
        after_hello(&self.stdout).expect("a hello")
    }

    pub fn code(&self) -> Option<i32> {
        self.status.and_then(|status| status.code())
    }

    pub fn signal(&self) -> Option<i32> {
        self.status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status))
    }

    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

#[derive(PartialEq)]
enum Told {
    Written,
    Over,
}

fn after_hello(bytes: &[u8]) -> Option<&[u8]> {
    bytes.iter().position(|byte| *byte == b'\n').map(|end| &bytes[end + 1..])
}

/// Reads to the end, or a little more than these bytes after the hello.
fn read(mut from: impl Read + Send + 'static, bytes: usize, tell: Sender<Told>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let (mut all, mut chunk) = (Vec::new(), [0; 64 * 1024]);
        while let Ok(count @ 1..) = from.read(&mut chunk) {
            let room = bytes.saturating_add(chunk.len()).saturating_sub(all.len());
            all.extend_from_slice(&chunk[..count.min(room)]);
            if after_hello(&all).is_some_and(|after| after.len() >= bytes) {
                let _ = tell.send(Told::Written);
            }
        }
        let _ = tell.send(Told::Over);
        all
    })
}
