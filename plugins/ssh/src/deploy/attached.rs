//! The streams of a process on a host, joined with those of whoever has asked for it. I/O: the engine, a unix socket.

use cloudpad_engine::{Engine, Switched};
use cloudpad_plugin_api::frames::{Frame, Frames, STDERR, STDIN, STDOUT, frame};
use cloudpad_plugin_api::model::TerminalSize;
use cloudpad_plugin_api::{Context, Failure, FailureKind, Outcome};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

use super::lines::Lines;

/// What is read at once.
const PIECE: usize = 32 * 1024;

/// The engine's end of the streams. Without a terminal the engine frames what the process prints.
pub(super) struct Attached {
    io: TokioIo<Upgraded>,
    tty: bool,
}

/// The caller's end of the streams.
pub(super) struct Peer(UnixStream);

impl Peer {
    /// Connects to where the caller listens.
    pub(super) async fn connect(path: &str) -> Result<Self, Failure> {
        let refused = |error| Failure::failed(format!("cannot connect to the stream `{path}`: {error}"));
        UnixStream::connect(path).await.map(Self).map_err(refused)
    }
}

impl Attached {
    /// Asks the engine for the streams by `POST path`. Whatever fails from here on is not tried again: the process may
    /// have begun.
    pub(super) async fn open(
        engine: &Engine,
        path: &str,
        json: Option<String>,
        tty: bool,
        tried: &str,
    ) -> Result<Self, Failure> {
        let once = |failure: Failure| Failure { retryable: false, ..failure }.outcome(Outcome::Unknown);
        match engine.switch(path, "tcp", &[], json).await.map_err(once)? {
            Switched::Yes(io) => Ok(Self { io: TokioIo::new(io), tty }),
            Switched::No(_, said) => {
                Err(Failure::failed(format!("{tried}: {}", said.trim_end().trim_end_matches('.'))))
            }
        }
    }

    /// Carries bytes both ways until the process prints no more. `resize` is done at each new size of the terminal.
    pub(super) async fn join(self, peer: Peer, resize: impl AsyncFn(TerminalSize)) -> Result<(), Failure> {
        let tty = self.tty;
        let (from_engine, to_engine) = tokio::io::split(self.io);
        let (from_peer, to_peer) = peer.0.into_split();
        tokio::select! {
            told = down(from_engine, to_peer, tty) => told,
            gone = up(from_peer, to_engine, resize) => Err(gone),
        }
    }

    /// Tells each line that the process prints, until it prints no more.
    pub(super) async fn tell(mut self, cx: &Context) -> Result<(), Failure> {
        let (mut out, mut err, mut frames) = (Lines::default(), Lines::default(), Frames::default());
        let mut tell = |line| cx.output("", line);
        let mut piece = vec![0; PIECE];
        loop {
            let read = self.io.read(&mut piece).await.map_err(broken)?;
            match self.tty {
                _ if read == 0 => break,
                true => out.push(&piece[..read], &mut tell),
                false => frames.push(&piece[..read]),
            }
            while let Some(frame) =
                frames.next_frame().map_err(|error| broken(std::io::Error::other(error)))?
            {
                let lines = if frame.stream == STDERR { &mut err } else { &mut out };
                lines.push(&frame.bytes, &mut tell);
            }
        }
        out.finish(&mut tell);
        err.finish(&mut tell);
        Ok(())
    }
}

/// From the engine to the caller.
async fn down(
    mut engine: impl AsyncRead + Unpin,
    mut peer: impl AsyncWrite + Unpin,
    tty: bool,
) -> Result<(), Failure> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = engine.read(&mut piece).await.map_err(broken)?;
        if read == 0 {
            // A caller that is gone by now has got what it wanted.
            let _ = peer.shutdown().await;
            return Ok(());
        }
        // What the engine frames is framed as the caller expects it.
        let written = match tty {
            true => peer.write_all(&frame(STDOUT, &piece[..read])).await,
            false => peer.write_all(&piece[..read]).await,
        };
        written.map_err(|_| abandoned())?;
    }
}

/// From the caller to the engine, until the caller is gone.
async fn up(
    mut peer: impl AsyncRead + Unpin,
    mut engine: impl AsyncWrite + Unpin,
    resize: impl AsyncFn(TerminalSize),
) -> Failure {
    let (mut piece, mut frames) = (vec![0; PIECE], Frames::default());
    loop {
        let read = match peer.read(&mut piece).await {
            Ok(read @ 1..) => read,
            _ => return abandoned(),
        };
        frames.push(&piece[..read]);
        loop {
            match frames.next_frame() {
                Ok(Some(frame)) => take(frame, &mut engine, &resize).await,
                Ok(None) => break,
                Err(error) => return Failure::invalid(format!("the stream has sent {error}")),
            }
        }
    }
}

/// Whether the process takes its input is its own affair.
async fn take(frame: Frame, engine: &mut (impl AsyncWrite + Unpin), resize: &impl AsyncFn(TerminalSize)) {
    if let Some(size) = frame.size() {
        resize(size).await;
    } else if frame.stream == STDIN && frame.bytes.is_empty() {
        let _ = engine.shutdown().await;
    } else if frame.stream == STDIN {
        let _ = engine.write_all(&frame.bytes).await;
        let _ = engine.flush().await;
    }
}

fn broken(error: std::io::Error) -> Failure {
    let message = "the connection to the process broke off; it may still run";
    Failure::new(FailureKind::Unreachable, message).outcome(Outcome::Unknown).cause(error)
}

fn abandoned() -> Failure {
    Failure::cancelled().outcome(Outcome::Unknown)
}
