//! A command of this machine with its output apart, which ends with all that it has started. I/O: starts a process.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use cloudpad_plugin_api::Failure;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStdout, Command};

use crate::local::unreachable;
use crate::{Exit, Running};

/// Has `sh` run `line`.
pub(crate) fn start(line: &str) -> Result<Running, Failure> {
    let refuse = |why: &dyn std::fmt::Display| unreachable(format!("could not run `{line}` here: {why}"));
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.process_group(0).spawn().map_err(|error| refuse(&error))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (Some(stdout), Some(stderr)) = (stdout, stderr) else { return Err(refuse(&"it has no output")) };
    let exit = Arc::new(OnceLock::new());
    let group = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    let stdout = Box::new(Stdout { stdout, child, group, exit: exit.clone() });
    Ok(Running { stdout, stderr: Box::new(stderr), exit })
}

/// A shell's stdout. What it has started is ended when this is dropped.
struct Stdout {
    stdout: ChildStdout,
    child: Child,
    group: Option<Pid>,
    exit: Arc<OnceLock<Exit>>,
}

impl Drop for Stdout {
    fn drop(&mut self) {
        // Once it has been waited for, its number may be another's.
        if let Some(group) = self.group.filter(|_| self.exit.get().is_none()) {
            let _ = kill_process_group(group, Signal::TERM);
        }
    }
}

impl AsyncRead for Stdout {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stdout).poll_read(cx, buf))?;
        if buf.filled().len() > before || buf.remaining() == 0 || self.exit.get().is_some() {
            return Poll::Ready(Ok(()));
        }
        let status = {
            let mut wait = std::pin::pin!(self.child.wait());
            ready!(wait.as_mut().poll(cx))?
        };
        let _ = self.exit.set(exit(status));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stdout {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn exit(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Status(code),
        (None, signal) => Exit::Signal(signal.map_or_else(String::new, |number| number.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn output_is_apart_and_the_end_is_the_commands() {
        let mut running = start("echo out; echo err >&2; exit 3").unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        tokio::try_join!(running.stdout.read_to_string(&mut out), running.stderr.read_to_string(&mut err))
            .unwrap();
        assert_eq!(
            (out.as_str(), err.as_str(), running.exit.get()),
            ("out\n", "err\n", Some(&Exit::Status(3)))
        );
    }
}
