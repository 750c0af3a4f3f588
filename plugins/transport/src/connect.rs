//! From an address to a session that is logged in. I/O.

use std::time::Duration;

use cloudpad_plugin_api::Failure;
use ssh2::ErrorCode;

use crate::Options;
use crate::address::Address;
use crate::auth::authenticate;
use crate::dial::{self, Line, unreachable};
use crate::host_key::HostKeys;
use crate::resolve::resolve;
use crate::ssh::{self, Ssh};
use crate::target::{Route, Target};
use crate::wire::Wire;

/// How long to wait for each step where nobody says it.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than the others: an agent may ask its user.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);
/// A jump host that jumps through itself would have no end.
const MOST_JUMPS: usize = 8;
/// sshd turns connections away while many others are being made (`MaxStartups`).
const TURNED_AWAY_WAITS: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(600), Duration::from_millis(1500)];

/// A session that is logged in.
pub(crate) struct Connection {
    pub wire: Wire,
    pub line: Line,
    pub target: Target,
}

/// What to connect to, and how.
#[derive(Clone)]
pub(crate) struct Call {
    pub address: Address,
    pub options: Options,
    /// The jump hosts to go through, in place of those that the configuration names.
    pub jumps: Option<Vec<Address>>,
    /// How many jump hosts lie behind us.
    pub depth: usize,
}

impl Call {
    /// Connects and logs in.
    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        let mut target = resolve(&self.address, &self.options).await?;
        if let Some(jumps) = &self.jumps {
            target.route = if jumps.is_empty() { Route::Direct } else { Route::Jump(jumps.clone()) };
        }
        let keys = HostKeys::read(&target)?;
        let (wire, line) = self.handshake_when_let(&target, &keys).await?;
        keys.verify(&target, &wire.session, self.depth == 0 && !self.options.unlisted)?;
        tokio::time::timeout(LOGIN_TIMEOUT, authenticate(&wire, &target))
            .await
            .map_err(|_| timed_out(&target, "logging in", LOGIN_TIMEOUT))??;
        Ok(Connection { wire, line, target })
    }

    /// Has the server show its key, without logging in. The jump hosts before it have to be known.
    pub(crate) async fn show_key(&self) -> Result<(Target, HostKeys, Vec<u8>), Failure> {
        let target = resolve(&self.address, &self.options).await?;
        let keys = HostKeys::read(&target)?;
        let (wire, _line) = self.handshake_when_let(&target, &keys).await?;
        let key = wire.session.host_key().map(|(key, _)| key.to_vec());
        let none = || unreachable(format!("`{}` has shown no host key", target.name));
        let key = key.ok_or_else(none)?;
        Ok((target, keys, key))
    }

    /// Tries again for a while where the server turns connections away.
    async fn handshake_when_let(&self, target: &Target, keys: &HostKeys) -> Result<(Wire, Line), Failure> {
        let mut waits = TURNED_AWAY_WAITS.iter();
        loop {
            match self.handshake(target, keys).await {
                Ok(done) => return Ok(done),
                Err((failure, turned_away)) => match waits.next().filter(|_| turned_away) {
                    Some(wait) => tokio::time::sleep(*wait).await,
                    None => return Err(failure),
                },
            }
        }
    }

    fn timeout(&self, target: &Target) -> Duration {
        let chosen = self.options.connect_timeout.map(|seconds| Duration::from_secs(seconds.into()));
        chosen.or(target.connect_timeout).unwrap_or(TIMEOUT)
    }

    /// Agrees on keys with the server. A failure comes with whether the server may just be busy.
    async fn handshake(&self, target: &Target, keys: &HostKeys) -> Result<(Wire, Line), (Failure, bool)> {
        let finally = |failure| (failure, false);
        let timeout = self.timeout(target);
        let mut line = self.dial(target, timeout).await.map_err(finally)?;
        let broken = |error: String| finally(unreachable(format!("could not set up SSH: {error}")));
        let socket = line.socket.try_clone().map_err(|error| broken(error.to_string()))?;
        let wire = Wire::new(socket).map_err(broken)?;
        keys.prefer_known_types(&wire.session).map_err(|error| broken(error.to_string()))?;
        let shake = wire.drive(|session| session.clone().handshake());
        match tokio::time::timeout(timeout, shake).await {
            Ok(Ok(())) => Ok((wire, line)),
            Ok(Err(error)) => {
                let busy = !has_banner(&wire) && line.child.is_none();
                let failure = handshake_failure(target, &wire, &error);
                let exit = exit_status(&mut line).await;
                let told =
                    |failure: Failure, exit| failure.cause(format!("its `ProxyCommand` ended with {exit}"));
                Err((exit.into_iter().fold(failure, told), busy))
            }
            Err(_) if has_banner(&wire) => Err(finally(timed_out(target, "agreeing on keys", timeout))),
            Err(_) => Err(finally(silent(target, timeout))),
        }
    }

    async fn dial(&self, target: &Target, timeout: Duration) -> Result<Line, Failure> {
        match &target.route {
            Route::Direct => dial::tcp(target, timeout).await,
            Route::Command(command) => dial::command(command),
            Route::Jump(jumps) => {
                let via = self.through(jumps).await?;
                dial::jump(target, via, timeout).await
            }
        }
    }

    /// Connects to the last of `jumps`, through those before it.
    async fn through(&self, jumps: &[Address]) -> Result<std::sync::Arc<Ssh>, Failure> {
        let Some((last, before)) = jumps.split_last() else {
            return Err(Failure::invalid("the list of jump hosts is empty"));
        };
        if self.depth == MOST_JUMPS {
            let message =
                format!("there are more than {MOST_JUMPS} jump hosts before `{}`", self.address.host);
            return Err(Failure::invalid(message).hint("does a `ProxyJump` lead through itself?"));
        }
        let call = Self {
            address: last.clone(),
            options: self.options.clone(),
            // The first one is reached as the configuration says of it.
            jumps: (!before.is_empty()).then(|| before.to_vec()),
            depth: self.depth + 1,
        };
        ssh::open(call)
            .await
            .map_err(|failure| failure.cause(format!("it is a jump host to `{}`", self.address.host)))
    }
}

/// How the `ProxyCommand` has ended, which it does a moment after its socket.
async fn exit_status(line: &mut Line) -> Option<std::process::ExitStatus> {
    tokio::time::timeout(Duration::from_millis(500), line.child.as_mut()?.wait()).await.ok()?.ok()
}

/// libssh2 takes the first line for a banner, whatever it is.
fn has_banner(wire: &Wire) -> bool {
    wire.session.banner_bytes().is_some_and(|banner| banner.starts_with(b"SSH-"))
}

fn server(target: &Target) -> String {
    format!("`{}:{}`", target.hostname, target.port)
}

fn silent(target: &Target, timeout: Duration) -> Failure {
    let seconds = timeout.as_secs();
    unreachable(format!("{} accepted the connection but sent no SSH banner in {seconds} s", server(target)))
        .hint("is it an SSH server, and is the host alive?")
        .retryable()
}

fn timed_out(target: &Target, doing: &str, timeout: Duration) -> Failure {
    unreachable(format!("{} did not answer in {} s while {doing}", server(target), timeout.as_secs()))
        .retryable()
}

fn handshake_failure(target: &Target, wire: &Wire, error: &ssh2::Error) -> Failure {
    use libssh2_sys as raw;
    let server = server(target);
    if !has_banner(wire) {
        let message = format!("{server} closed the connection without an SSH banner");
        return unreachable(message)
            .hint("the server may be busy (`MaxStartups`), may refuse this address, or may not be an SSH server")
            .retryable();
    }
    match error.code() {
        ErrorCode::Session(raw::LIBSSH2_ERROR_KEX_FAILURE | raw::LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE) => {
            unreachable(format!("could not agree on keys with {server}: {}", error.message())).hint(
                "the server may offer only algorithms that are no longer safe, or only ones that are not \
                 supported yet",
            )
        }
        _ => {
            unreachable(format!("{server} ended the connection while agreeing on keys: {}", error.message()))
                .retryable()
        }
    }
}
