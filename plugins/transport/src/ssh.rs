//! The transport through SSH, as the rest of the program holds it. I/O: starts the connection's thread.
//!
//! A session of libssh2 and all its channels belong to one thread ([`crate::actor`]); shared between
//! threads a session breaks. What is in here holds only ends of queues and pipes.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Failure, FailureKind};
use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};

use crate::actor::Actor;
use crate::address::Address;
use crate::connect::{Call, Connection};
use crate::dial::unreachable;
use crate::opening::{NotOpened, Stderr, Way};
use crate::pipe::Pipe;
use crate::traffic::Counters;
use crate::{BoxFuture, Options, Running, Stream, Traffic, Transport, refusal, words};

/// Longer than all the steps of a connection together: an end for what has no end of its own, such as an
/// agent that does not answer.
const CONNECT_LIMIT: Duration = Duration::from_secs(180);

/// How long a host may take to make a TCP connection. Other streams have to wait for that.
const TCP_LIMIT: Duration = Duration::from_secs(5);

/// A message to the connection's thread.
pub(crate) enum Message {
    /// Open a channel.
    Open(Way, oneshot::Sender<Result<Pipe, NotOpened>>),
    /// Nobody holds the stream of this channel any more.
    Gone(u64),
}

/// An SSH connection. Dropping it ends the session and the thread.
pub(crate) struct Ssh {
    commands: mpsc::UnboundedSender<Message>,
    /// Why the session has ended.
    end: Arc<OnceLock<Failure>>,
    counters: Arc<Counters>,
    /// `user@host`, for messages.
    login: String,
    via: Option<Arc<Ssh>>,
}

/// Connects to `host`, through `jump` where there is one, unless the caller asks to stop.
pub(crate) async fn connect(
    host: &Host,
    jump: Option<&Host>,
    options: &Options,
    cancel: &Cancel,
) -> Result<Arc<Ssh>, Failure> {
    let jumps = jump.map(address).transpose()?.map(|jump| vec![jump]);
    let address = address(host)?;
    let call = Call { address, options: options.clone(), jumps, depth: 0 };
    tokio::select! {
        opened = open(call) => opened.map_err(|failure| failure.on(&host.name)),
        () = crate::cancelled(cancel) => Err(Failure::new(
            FailureKind::Cancelled,
            format!("stopped connecting to `{}`", host.name),
        )),
    }
}

/// The address of a host.
pub(crate) fn address(host: &Host) -> Result<Address, Failure> {
    Address::parse(&host.address).map_err(|error| {
        Failure::invalid(format!("the address `{}` of `{}`: {error}", host.address, host.name))
            .hint("an address is `local` or `[user@]host[:port]`")
    })
}

/// Connects on a thread of its own, which lives as long as what is returned. The thread gives up when
/// this future is dropped.
pub(crate) fn open(call: Call) -> BoxFuture<'static, Result<Arc<Ssh>, Failure>> {
    async move {
        let name = call.address.host.clone();
        let (reply, answer) = oneshot::channel();
        std::thread::Builder::new()
            .name(format!("ssh {name}"))
            .spawn(move || run(call, reply))
            .map_err(|error| unreachable(format!("could not start a thread for `{name}`: {error}")))?;
        match tokio::time::timeout(CONNECT_LIMIT, answer).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(_)) => Err(Failure::new(
                FailureKind::Crashed,
                format!("the thread of the connection to `{name}` has died"),
            )),
            Err(_) => Err(unreachable(format!(
                "connecting to `{name}` was not done in {} s",
                CONNECT_LIMIT.as_secs()
            ))
            .hint("does the SSH agent wait for an answer from you?")),
        }
    }
    .boxed()
}

/// The thread of one connection.
fn run(call: Call, mut reply: oneshot::Sender<Result<Arc<Ssh>, Failure>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = unreachable(format!("could not start a poller for a connection: {error}"));
            drop(reply.send(Err(failure)));
            return;
        }
    };
    runtime.block_on(async {
        let connected = tokio::select! {
            connected = call.connect() => connected,
            () = reply.closed() => return,
        };
        match connected {
            Ok(connection) => {
                let (ssh, actor) = Ssh::new(connection);
                drop(reply.send(Ok(Arc::new(ssh))));
                actor.run().await;
            }
            Err(failure) => drop(reply.send(Err(failure))),
        }
    });
    // A name that is still being resolved cannot be stopped, and need not be waited for.
    runtime.shutdown_background();
}

impl Ssh {
    fn new(connection: Connection) -> (Self, Actor) {
        let (commands, received) = mpsc::unbounded_channel();
        let end = Arc::new(OnceLock::new());
        let Connection { wire, line, target } = connection;
        let ssh = Self {
            commands: commands.clone(),
            end: end.clone(),
            counters: Arc::default(),
            login: format!("{}@{}", target.user, target.name),
            via: line.via.clone(),
        };
        (ssh, Actor::new(wire, line, &target, commands.downgrade(), received, end))
    }

    /// `user@host`, for messages.
    pub(crate) fn login(&self) -> &str {
        &self.login
    }

    /// Why the connection is no more, if so.
    pub(crate) fn why_ended(&self) -> Option<Failure> {
        self.end.get().cloned()
    }

    /// Opens a stream, or says in what words the server refused.
    pub(crate) async fn open(&self, way: Way) -> Result<Stream, NotOpened> {
        Ok(Box::new(self.counters.count(self.pipe(way).await?)))
    }

    async fn pipe(&self, way: Way) -> Result<Pipe, NotOpened> {
        let (reply, answer) = oneshot::channel();
        let ended = || NotOpened::Failed(self.ended());
        self.commands.send(Message::Open(way, reply)).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    fn not_started(&self, command: &str, why: NotOpened) -> Failure {
        match why {
            NotOpened::Failed(failure) => failure,
            NotOpened::Refused(reason) => refusal::exec(&self.login, command, &reason),
        }
    }

    /// Has the host connect to `port` of `host`, and gives up after `limit`.
    pub(crate) async fn tcp_within(&self, host: &str, port: u16, limit: Duration) -> Result<Stream, Failure> {
        self.open(Way::Tcp(host.to_owned(), port, limit)).await.map_err(|error| match error {
            NotOpened::Failed(failure) => failure,
            NotOpened::Refused(reason) => refusal::tcp(&self.login, host, port, &reason),
        })
    }

    fn ended(&self) -> Failure {
        let closed = || unreachable(format!("the connection to `{}` is closed", self.login));
        self.end.get().cloned().unwrap_or_else(closed)
    }

    fn connections(&self) -> u64 {
        1 + self.via.as_ref().map_or(0, |via| via.connections())
    }
}

impl Transport for Ssh {
    fn unix<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
        async move {
            match self.open(Way::Unix(path.to_owned())).await {
                Ok(stream) => Ok(stream),
                Err(NotOpened::Failed(failure)) => Err(failure),
                Err(NotOpened::Refused(reason)) => Err(refusal::unix(self, path, &reason).await),
            }
        }
        .boxed()
    }

    fn tcp<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Stream, Failure>> {
        async move { self.tcp_within(host, port, TCP_LIMIT).await }.boxed()
    }

    fn exec<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
        async move {
            let opened = self.open(Way::Exec(command.to_owned(), Stderr::Told)).await;
            opened.map_err(|why| self.not_started(command, why))
        }
        .boxed()
    }

    fn run<'a>(&'a self, command: &'a [String]) -> BoxFuture<'a, Result<Running, Failure>> {
        async move {
            let line = words::ending_with_its_input(&words::line(command));
            let opened = self.pipe(Way::Exec(line, Stderr::Apart)).await;
            let mut pipe = opened.map_err(|why| self.not_started(&words::line(command), why))?;
            let Some((stderr, exit)) = pipe.take_aside() else { return Err(self.ended()) };
            Ok(Running { stdout: Box::new(self.counters.count(pipe)), stderr: Box::new(stderr), exit })
        }
        .boxed()
    }

    fn traffic(&self) -> Traffic {
        self.counters.traffic(self.connections())
    }
}
