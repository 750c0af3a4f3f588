//! A command of this machine, as a stream. I/O: starts a process.

use std::io;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::task::{Context, Poll, ready};

use cloudpad_plugin_api::Failure;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use crate::local::unreachable;

/// Bytes that are kept of what a command writes to stderr.
const STDERR: usize = 4096;

/// A shell's stdin and stdout. The shell is killed when this is dropped.
pub(crate) struct LocalCommand {
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    /// Why it has not ended well; to be awaited after the last byte.
    end: Option<JoinHandle<Option<Failure>>>,
}

impl LocalCommand {
    /// Has `sh` run `line`.
    pub(crate) fn start(line: &str) -> Result<Self, Failure> {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let refuse = |why: &dyn std::fmt::Display| unreachable(format!("could not run `{line}` here: {why}"));
        let mut child = shell.kill_on_drop(true).spawn().map_err(|error| refuse(&error))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdout), Some(stderr)) = (stdout, stderr) else { return Err(refuse(&"it has no output")) };
        let end = tokio::spawn(end(child, stderr, line.to_owned()));
        Ok(Self { stdin, stdout, end: Some(end) })
    }
}

impl Drop for LocalCommand {
    fn drop(&mut self) {
        if let Some(end) = &self.end {
            // The child goes with the task that holds it.
            end.abort();
        }
    }
}

async fn end(mut child: Child, mut stderr: ChildStderr, line: String) -> Option<Failure> {
    let (mut said, mut buffer) = (Vec::new(), vec![0; STDERR]);
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        said.extend_from_slice(&buffer[..read]);
        said.drain(..said.len().saturating_sub(STDERR));
    }
    let status = child.wait().await.ok()?;
    (!status.success()).then(|| failure(&line, status, &said))
}

fn failure(line: &str, status: ExitStatus, said: &[u8]) -> Failure {
    let how = match status.code() {
        Some(code) => format!("ended with status {code}"),
        None => format!("was killed ({status})"),
    };
    let words = String::from_utf8_lossy(said);
    let failure = Failure::failed(format!("`{line}` {how}"));
    words.lines().filter(|line| !line.trim().is_empty()).fold(failure, Failure::cause)
}

impl AsyncRead for LocalCommand {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stdout).poll_read(cx, buf))?;
        let at_end = buf.filled().len() == before && buf.remaining() > 0;
        let Some(end) = self.end.as_mut().filter(|_| at_end) else { return Poll::Ready(Ok(())) };
        let ended = ready!(Pin::new(end).poll(cx));
        self.end = None;
        Poll::Ready(match ended {
            Ok(Some(failure)) => Err(io::Error::other(failure)),
            _ => Ok(()),
        })
    }
}

impl AsyncWrite for LocalCommand {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stdin {
            Some(stdin) => Pin::new(stdin).poll_write(cx, buf),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stdin {
            Some(stdin) => Pin::new(stdin).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stdin = None;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_and_the_end_is_the_commands() {
        let mut echo = LocalCommand::start("cat; echo done").unwrap();
        echo.write_all(b"hello ").await.unwrap();
        echo.shutdown().await.unwrap();
        let mut text = String::new();
        echo.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello done\n");
    }

    #[tokio::test]
    async fn a_command_that_fails_says_so_with_its_last_words() {
        let mut failing = LocalCommand::start("echo out; echo oops >&2; exit 3").unwrap();
        let mut bytes = Vec::new();
        let words = failing.read_to_end(&mut bytes).await.unwrap_err().to_string();
        assert_eq!(bytes, b"out\n");
        assert!(words.contains("ended with status 3") && words.contains("oops"), "{words}");
    }

    #[tokio::test]
    async fn it_ends_with_its_stream() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        fifo(&path);
        let idle = LocalCommand::start(&format!("exec sleep 1000 >{}", path.display())).unwrap();
        let open = tokio::task::spawn_blocking(move || std::fs::File::open(path));
        let mut other_end = open.await.unwrap().unwrap();
        drop(idle);
        let end = tokio::task::spawn_blocking(move || std::io::Read::read(&mut other_end, &mut [0]));
        assert_eq!(end.await.unwrap().unwrap(), 0);
    }

    fn fifo(path: &std::path::Path) {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }
}
