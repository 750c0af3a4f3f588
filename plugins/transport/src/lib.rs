//! One connection to one host: the local machine, or SSH. I/O.
//!
//! [`connect`] gives a [`Transport`]. Its streams end on the host: at a unix socket, at a TCP port as
//! the host sees it, or at a command. Whoever speaks a protocol over them (the engine's API, say) does
//! not know which kind of host it is.
//!
//! Over SSH the user's configuration counts as `ssh -G` resolves it: `HostName`, `Port`, `User`,
//! `IdentityFile`, `IdentitiesOnly`, `IdentityAgent`, `ProxyJump`, `ProxyCommand`, `UserKnownHostsFile`,
//! `GlobalKnownHostsFile`, `HostKeyAlias`, `RevokedHostKeys` (as a list of keys), `ConnectTimeout`,
//! `ServerAliveInterval` and `ServerAliveCountMax`. `StrictHostKeyChecking` does not: host keys are always
//! verified. Passwords and certificates are not supported.

mod actor;
mod address;
mod auth;
mod cancelled;
mod channel;
mod chunk;
mod command;
mod connect;
mod dial;
mod host_key;
mod identity;
mod known_hosts;
mod life;
mod local;
mod local_command;
mod local_run;
mod login;
mod opening;
mod pipe;
mod refusal;
mod resolve;
mod ssh;
mod target;
mod traffic;
mod trust;
mod wire;
mod words;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

pub use cancelled::cancelled;
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Failure};
pub use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

pub use login::login;
pub use traffic::Traffic;
pub use trust::{KeyState, ShownKey, shown_key, trust_key};

/// Both directions of a stream.
pub trait AsyncReadWrite: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> AsyncReadWrite for T {}

/// A stream that ends on the host. `shutdown` ends our direction and leaves the other one open.
///
/// When the connection is lost, reads fail with an error that names the host; they never end as if all
/// had been read. Inside that [`std::io::Error`] is a [`Failure`].
pub type Stream = Box<dyn AsyncReadWrite>;

/// A connection to one host, for any number of streams at once. Dropping it ends them all.
///
/// Every method fails with a [`Failure`] of the kind
/// - `unreachable` when the connection is lost, or when nothing answers at the stream's other end, or
///   does not let us in;
/// - `unsupported` when the host's SSH server does not offer this sort of stream. Another sort may do:
///   where `unix` answers this, `exec("docker system dial-stdio")` is the other way to an engine.
pub trait Transport: Send + Sync {
    /// Opens the unix socket `path` of the host.
    fn unix<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Stream, Failure>>;

    /// Opens a TCP connection from the host to `host` and `port`. Over SSH the host is given 5 s for that,
    /// for no other stream can be opened meanwhile.
    fn tcp<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Stream, Failure>>;

    /// Starts `command` in the user's login shell, or in `sh` on the local machine. The stream is its stdin and stdout. When it ends with
    /// a status other than 0, reads fail with the last of what it wrote to stderr.
    fn exec<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Stream, Failure>>;

    /// Runs `command` with no input: one word is a line for the user's shell, several are a program and its
    /// arguments. When the streams are dropped it is ended, with all that it has started.
    fn run<'a>(&'a self, command: &'a [String]) -> BoxFuture<'a, Result<Running, Failure>> {
        let _ = command;
        Box::pin(std::future::ready(Err(Failure::unsupported("a command"))))
    }

    /// What has gone through the connection so far.
    fn traffic(&self) -> Traffic;
}

/// A command that runs.
pub struct Running {
    /// What it writes to stdout.
    pub stdout: Stream,
    /// What it writes to stderr.
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// What it has ended with: set once both have been read to their ends.
    pub exit: Arc<OnceLock<Exit>>,
}

/// How a command has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this status.
    Status(i32),
    /// By this signal, such as `KILL`.
    Signal(String),
}

/// How to connect.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct Options {
    /// Read in place of `~/.ssh/config` and the system's.
    pub ssh_config: Option<PathBuf>,
    /// Seconds for each step of connecting: the TCP connection, the key exchange. Without it, what
    /// `ssh_config` says in `ConnectTimeout`, else 10.
    pub connect_timeout: Option<u32>,
    /// Whether no inventory lists what is connected to, so that `cloudpad hosts trust` cannot accept its key.
    #[serde(skip)]
    pub unlisted: bool,
}

/// Connects to `host`. To be called in a tokio runtime with timers and I/O.
///
/// # Errors
/// `invalid` when the address makes no sense, `cancelled` when `cancel` is used, else `unreachable`,
/// with all that is needed to tell why: the address and port, the key that is not known, the keys that
/// were tried.
pub async fn connect(host: &Host, options: &Options, cancel: &Cancel) -> Result<Arc<dyn Transport>, Failure> {
    if host.is_local() {
        return Ok(Arc::new(local::Local::default()));
    }
    Ok(ssh::connect(host, None, options, cancel).await?)
}

/// The same through another SSH server, in place of those that the configuration names for `host`. That server is reached as the
/// configuration says of it.
///
/// # Errors
/// As [`connect`].
pub async fn connect_through(
    jump: &Host,
    host: &Host,
    options: &Options,
    cancel: &Cancel,
) -> Result<Arc<dyn Transport>, Failure> {
    Ok(ssh::connect(host, Some(jump), options, cancel).await?)
}
