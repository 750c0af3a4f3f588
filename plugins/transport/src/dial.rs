//! Gets a socket that leads to an SSH server: by TCP, through a jump host, or through a command. I/O.

use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use cloudpad_plugin_api::{Failure, FailureKind};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, Command};

use crate::Stream;
use crate::ssh::Ssh;
use crate::target::Target;

/// Bytes under way in each direction between a jump host's stream and the session on top of it.
const JUMP_BUFFER: usize = 64 * 1024;

/// A socket, and what it is made of.
pub(crate) struct Line {
    /// It does not block.
    pub socket: OwnedFd,
    /// The jump host.
    pub via: Option<Arc<Ssh>>,
    /// The `ProxyCommand`. It ends when the line is dropped.
    pub child: Option<Child>,
}

/// Connects to the server by TCP, to each of its addresses in turn.
pub(crate) async fn tcp(target: &Target, timeout: Duration) -> Result<Line, Failure> {
    let (host, port) = (target.hostname.as_str(), target.port);
    let addresses = tokio::time::timeout(timeout, tokio::net::lookup_host((host, port)))
        .await
        .unwrap_or_else(|_| Err(std::io::Error::other(format!("no answer in {} s", timeout.as_secs()))))
        .map_err(|error| {
            unreachable(format!("could not resolve `{host}`: {error}"))
                .hint("is the host's address right, where it stands: in `Cloudpad.toml`, the inventory or the SSH configuration?")
        })?;
    let mut failures = Vec::new();
    for address in addresses {
        match tokio::time::timeout(timeout, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return line(stream.set_nodelay(true).and_then(|()| stream.into_std())),
            Ok(Err(error)) => failures.push(format!("could not connect to `{address}`: {error}")),
            Err(_) => {
                failures
                    .push(format!("could not connect to `{address}`: no answer in {} s", timeout.as_secs()));
            }
        }
    }
    let mut failures = failures.into_iter();
    let first = failures.next().unwrap_or_else(|| format!("`{host}` has no address"));
    let failure =
        unreachable(first).retryable().hint("is the host up, and does its SSH server listen on this port?");
    Err(failures.fold(failure, Failure::cause))
}

/// Connects to the server from the host that `via` leads to.
pub(crate) async fn jump(target: &Target, via: Arc<Ssh>, timeout: Duration) -> Result<Line, Failure> {
    let (host, port) = (target.hostname.as_str(), target.port);
    let stream = via.tcp_within(host, port, timeout).await?;
    let (ours, theirs) = UnixStream::pair().map_err(no_socket)?;
    tokio::spawn(carry(stream, ours));
    Ok(Line { via: Some(via), ..line(theirs.into_std())? })
}

/// Both ends are closed when either is.
async fn carry(mut stream: Stream, mut socket: UnixStream) {
    // Whatever went wrong, the session on the socket sees its end, and the jump host's own failure is
    // told with it.
    let _ =
        tokio::io::copy_bidirectional_with_sizes(&mut stream, &mut socket, JUMP_BUFFER, JUMP_BUFFER).await;
}

/// Starts `command`, which connects its stdin and stdout with the server.
pub(crate) fn command(command: &str) -> Result<Line, Failure> {
    let failed = |error| unreachable(format!("could not start `ProxyCommand {command}`: {error}"));
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(failed)?;
    let child = Command::new("sh")
        .args(["-c", command])
        .stdin(OwnedFd::from(theirs.try_clone().map_err(failed)?))
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    ours.set_nonblocking(true).map_err(failed)?;
    Ok(Line { socket: ours.into(), via: None, child: Some(child) })
}

fn line(socket: std::io::Result<impl Into<OwnedFd>>) -> Result<Line, Failure> {
    Ok(Line { socket: socket.map_err(no_socket)?.into(), via: None, child: None })
}

fn no_socket(error: std::io::Error) -> Failure {
    unreachable(format!("could not make a socket: {error}"))
}

/// A failure to reach or enter a host.
pub(crate) fn unreachable(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Unreachable, message)
}
