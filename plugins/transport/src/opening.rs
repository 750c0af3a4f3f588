//! Channels that are being opened, one after the other: libssh2 can do no two at once. I/O.

use std::collections::VecDeque;
use std::time::Duration;

use cloudpad_plugin_api::Failure;
use ssh2::{Channel, ErrorCode, Session};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::dial::unreachable;
use crate::pipe::Pipe;
use crate::wire::{Trouble, Wire};

/// How long a stream may take to open, the time in which it waits for its turn included.
const OPEN_LIMIT: Duration = Duration::from_secs(45);
/// How long the host may take for any answer but that of a TCP connection.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// Between tries to start a command, the last one for all that follow.
const RETRY_WAITS: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(400),
    Duration::from_millis(1000),
];

/// What a stream leads to.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    Unix(String),
    /// With how long the host may try; nothing else is opened meanwhile.
    Tcp(String, u16, Duration),
    /// A command, and whether what it writes to stderr is wanted too, apart.
    Exec(String, Stderr),
}

/// What becomes of a command's stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stderr {
    /// The last of it is told when the command has failed.
    Told,
    /// It is a stream of its own.
    Apart,
}

/// Why a stream was not opened.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// The server said no, in these words.
    Refused(String),
    Failed(Failure),
}

/// To whom an open channel goes.
pub(crate) type Reply = oneshot::Sender<Result<Pipe, NotOpened>>;

/// A stream that somebody waits for.
struct Request {
    way: Way,
    /// None once nobody is to be told any more.
    reply: Option<Reply>,
    deadline: Instant,
    tries: usize,
    not_before: Option<Instant>,
}

/// What the operation under way in libssh2 is. It is never given up, for that would break the session.
enum Work {
    Nothing,
    Channel(Request),
    /// The channel is there, its command is not yet started.
    Command(Request, Channel),
    /// A channel for the connection's own use.
    Idle,
}

/// A channel that has been opened.
pub(crate) enum Opened {
    /// For a stream; nobody may be waiting for it any more.
    Stream(Way, Channel, Option<Reply>),
    /// For the connection's own use.
    Idle(Channel),
    /// It is open but of no use: the command was not started.
    Useless(Channel),
}

/// The queue of streams to open.
pub(crate) struct Opening {
    waiting: VecDeque<Request>,
    work: Work,
}

/// How many more channels there may be.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// Whether there are commands now.
    pub busy: bool,
    pub commands: bool,
    pub others: bool,
}

impl Opening {
    pub(crate) fn new() -> Self {
        Self { waiting: VecDeque::new(), work: Work::Nothing }
    }

    /// Puts a stream into the queue.
    pub(crate) fn ask(&mut self, way: Way, reply: Reply, now: Instant) {
        let reply = Some(reply);
        self.waiting.push_back(Request {
            way,
            reply,
            deadline: now + OPEN_LIMIT,
            tries: 0,
            not_before: None,
        });
    }

    /// Opens a channel for the connection's own use, unless something is being opened.
    pub(crate) fn ask_idle(&mut self) {
        if matches!(self.work, Work::Nothing) {
            self.work = Work::Idle;
        }
    }

    /// When to look again although nothing has happened.
    pub(crate) fn next_look(&self, now: Instant) -> Option<Instant> {
        self.waiting.iter().filter_map(|request| request.not_before).filter(|time| *time > now).min()
    }

    /// Whether something that had to wait need not wait any longer.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.waiting.iter().any(|request| request.not_before.is_some_and(|time| time <= now))
    }

    /// Tells those who have waited too long.
    pub(crate) fn expire(&mut self, now: Instant, login: &str) {
        let under_way = match &mut self.work {
            Work::Channel(request) | Work::Command(request, _) => Some(request),
            Work::Nothing | Work::Idle => None,
        };
        for request in self.waiting.iter_mut().chain(under_way).filter(|request| request.deadline <= now) {
            let message = format!("`{login}` did not open a stream in {} s", OPEN_LIMIT.as_secs());
            request.tell(NotOpened::Failed(unreachable(message).retryable()));
        }
        self.waiting.retain(Request::is_wanted);
    }

    /// Tells all who wait that the session is over.
    pub(crate) fn fail_all(&mut self, failure: &Failure) {
        if let Work::Channel(request) | Work::Command(request, _) = &mut self.work {
            request.tell(NotOpened::Failed(failure.clone()));
        }
        for request in &mut self.waiting {
            request.tell(NotOpened::Failed(failure.clone()));
        }
        self.waiting.clear();
    }

    /// Goes on with what is under way, or with the next in the queue.
    pub(crate) fn advance(
        &mut self,
        wire: &Wire,
        room: Room,
        now: Instant,
    ) -> Result<Option<Opened>, ssh2::Error> {
        if matches!(self.work, Work::Nothing) {
            match self.take_next(room, now) {
                Some(request) => self.work = Work::Channel(request),
                None => return Ok(None),
            }
        }
        match std::mem::replace(&mut self.work, Work::Nothing) {
            Work::Nothing => Ok(None),
            Work::Idle => self.open_idle(wire),
            Work::Channel(request) => self.open_channel(wire, request, room, now),
            Work::Command(request, channel) => self.start_command(wire, request, channel),
        }
    }

    fn take_next(&mut self, room: Room, now: Instant) -> Option<Request> {
        self.waiting.retain(Request::is_wanted);
        let fits = |request: &Request| match request.way {
            Way::Exec(..) => room.commands,
            Way::Unix(_) | Way::Tcp(..) => room.others,
        };
        let due = |request: &Request| request.not_before.is_none_or(|time| time <= now);
        let next = self.waiting.iter().position(|request| fits(request) && due(request))?;
        self.waiting.remove(next)
    }

    fn open_idle(&mut self, wire: &Wire) -> Result<Option<Opened>, ssh2::Error> {
        match wire.sort(wire.session.channel_session()) {
            Ok(Some(channel)) => Ok(Some(Opened::Idle(channel))),
            Ok(None) => {
                self.work = Work::Idle;
                Ok(None)
            }
            // That the server answers at all is what mattered.
            Err(Trouble::Channel(_)) => Ok(None),
            Err(Trouble::Session(error)) => Err(error),
        }
    }

    fn open_channel(
        &mut self,
        wire: &Wire,
        request: Request,
        room: Room,
        now: Instant,
    ) -> Result<Option<Opened>, ssh2::Error> {
        wire.limit_answers(request.way.limit());
        let opened = wire.sort(request.way.open(&wire.session));
        wire.limit_answers(ANSWER_LIMIT);
        match opened {
            Ok(Some(channel)) if matches!(request.way, Way::Exec(..)) => {
                self.start_command(wire, request, channel)
            }
            Ok(Some(channel)) => Ok(Some(Opened::Stream(request.way, channel, request.reply))),
            Ok(None) => {
                self.work = Work::Channel(request);
                Ok(None)
            }
            Err(Trouble::Channel(error)) => {
                self.refused(request, &error, room, now);
                Ok(None)
            }
            Err(Trouble::Session(error)) => {
                // It is told with all the others.
                self.waiting.push_back(request);
                Err(error)
            }
        }
    }

    /// A command is tried again: servers may allow fewer than we do, and free their places late.
    fn refused(&mut self, mut request: Request, error: &ssh2::Error, room: Room, now: Instant) {
        let again = matches!(request.way, Way::Exec(..)) && (room.busy || request.tries < RETRY_WAITS.len());
        if !again {
            let reason = match error.code() {
                ErrorCode::Session(libssh2_sys::LIBSSH2_ERROR_TIMEOUT) => {
                    format!("no answer in {} s", request.way.limit().as_secs())
                }
                _ => error.message().to_owned(),
            };
            return request.tell(NotOpened::Refused(reason));
        }
        let wait = RETRY_WAITS[request.tries.min(RETRY_WAITS.len() - 1)];
        request.tries += 1;
        request.not_before = Some(now + wait);
        self.waiting.push_front(request);
    }

    fn start_command(
        &mut self,
        wire: &Wire,
        mut request: Request,
        mut channel: Channel,
    ) -> Result<Option<Opened>, ssh2::Error> {
        let Way::Exec(command, _) = &request.way else { return Ok(Some(Opened::Useless(channel))) };
        match wire.sort(channel.exec(command)) {
            Ok(Some(())) => Ok(Some(Opened::Stream(request.way, channel, request.reply))),
            Ok(None) => {
                self.work = Work::Command(request, channel);
                Ok(None)
            }
            Err(Trouble::Channel(error)) => {
                request.tell(NotOpened::Refused(error.message().to_owned()));
                Ok(Some(Opened::Useless(channel)))
            }
            Err(Trouble::Session(error)) => {
                self.waiting.push_back(request);
                Err(error)
            }
        }
    }
}

impl Request {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| !reply.is_closed())
    }

    fn tell(&mut self, why: NotOpened) {
        if let Some(reply) = self.reply.take() {
            drop(reply.send(Err(why)));
        }
    }
}

impl Way {
    fn limit(&self) -> Duration {
        match self {
            Self::Tcp(_, _, limit) => *limit,
            Self::Unix(_) | Self::Exec(..) => ANSWER_LIMIT,
        }
    }

    fn open(&self, session: &Session) -> Result<Channel, ssh2::Error> {
        match self {
            Self::Unix(path) => session.channel_direct_streamlocal(path, None),
            Self::Tcp(host, port, _) => session.channel_direct_tcpip(host, *port, None),
            Self::Exec(..) => session.channel_session(),
        }
    }
}
