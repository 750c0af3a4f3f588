//! The local machine: its sockets and ports. I/O.

use std::io;
use std::sync::Arc;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Failure, FailureKind};
use futures_util::FutureExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::local_command::LocalCommand;
use crate::traffic::Counters;
use crate::{BoxFuture, Running, Stream, Traffic, Transport, local_run, words};

/// The transport to the machine we run on.
#[derive(Default)]
pub(crate) struct Local {
    counters: Arc<Counters>,
}

impl Local {
    fn stream(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Stream {
        Box::new(self.counters.count(stream))
    }
}

impl Transport for Local {
    fn unix<'a>(&'a self, path: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
        async move {
            let stream = UnixStream::connect(path).await.map_err(|error| unix_failure(path, &error))?;
            Ok(self.stream(stream))
        }
        .boxed()
    }

    fn tcp<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Stream, Failure>> {
        async move {
            let stream = TcpStream::connect((host, port))
                .await
                .map_err(|error| unreachable(format!("could not connect to `{host}:{port}`: {error}")))?;
            Ok(self.stream(stream))
        }
        .boxed()
    }

    fn exec<'a>(&'a self, command: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
        std::future::ready(LocalCommand::start(command).map(|command| self.stream(command))).boxed()
    }

    fn run<'a>(&'a self, command: &'a [String]) -> BoxFuture<'a, Result<Running, Failure>> {
        std::future::ready(local_run::start(&words::line(command))).boxed()
    }

    fn traffic(&self) -> Traffic {
        self.counters.traffic(0)
    }
}

pub(crate) fn unreachable(message: String) -> Failure {
    Failure::new(FailureKind::Unreachable, message).on(Host::LOCAL)
}

fn unix_failure(path: &str, error: &io::Error) -> Failure {
    let failure = unreachable(format!("could not open the socket `{path}` of this machine: {error}"));
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            failure.hint("for an engine's socket, the user must be in the group `docker`")
        }
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            failure.hint("start what listens there: for an engine's socket, `systemctl start docker`")
        }
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_socket_is_opened_and_its_bytes_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let echo = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut read, mut write) = stream.split();
            tokio::io::copy(&mut read, &mut write).await.unwrap();
        });
        let local = Local::default();
        let mut stream = local.unix(path.to_str().unwrap()).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut back = String::new();
        stream.read_to_string(&mut back).await.unwrap();
        echo.await.unwrap();
        assert_eq!(back, "hello");
        assert_eq!(local.traffic(), Traffic { sent: 5, received: 5, connections: 0, channels: 1 });
    }

    #[tokio::test]
    async fn a_socket_that_is_not_there_is_named() {
        let failure = Local::default().unix("/nowhere/s").await.err().unwrap();
        assert_eq!(failure.kind, FailureKind::Unreachable);
        assert!(failure.message.contains("`/nowhere/s`"), "{failure}");
    }
}
