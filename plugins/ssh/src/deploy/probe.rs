//! One try to see whether a container serves: a connection or a GET, made from the host. I/O.

use std::time::Duration;

use bytes::Bytes;
use cloudpad_plugin_api::model::Check;
use cloudpad_plugin_api::{Failure, FailureKind};
use cloudpad_transport::{Stream, Transport};
use http_body_util::Empty;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;

use super::duration;

/// What to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    Tcp,
    /// The path.
    Http(String),
}

/// Where to try it: the container, as the host sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) address: String,
    pub(super) port: u16,
}

/// Why a try was in vain.
#[derive(Debug)]
pub(super) enum Missed {
    /// What came back; the next try may work.
    Now(String),
    /// Nothing did, for so long; the next try may work.
    Late(Duration),
    /// Nothing listens on the port; the next try may work.
    Closed(Failure),
    /// The host did not make the connection, whatever the container does; the next try may work.
    Unmade(Failure),
    /// No try can work: the host does not forward connections.
    Always(Failure),
}

impl Probe {
    /// What is tried with this check, and the container's port; none where the engine makes it.
    pub(super) fn of(check: &Check) -> Option<(Self, u16)> {
        match check {
            Check::Http { port, path } => Some((Probe::Http(path.clone()), *port)),
            Check::Tcp { port } => Some((Probe::Tcp, *port)),
            Check::Command { .. } | Check::Image => None,
        }
    }

    /// Tries once.
    pub(super) async fn attempt(
        &self,
        transport: &dyn Transport,
        target: &Target,
        limit: Duration,
    ) -> Result<(), Missed> {
        let attempt = async {
            match self {
                Probe::Tcp => connect(transport, target).await.map(drop),
                Probe::Http(path) => get(transport, target, path).await,
            }
        };
        match tokio::time::timeout(limit, attempt).await {
            Ok(result) => result,
            Err(_) => Err(Missed::Late(limit)),
        }
    }

    /// What came of a try on that port, for people, and what has been said beside that.
    pub(super) fn tell(&self, port: u16, missed: Missed) -> (String, Option<Failure>) {
        let tried = match self {
            Probe::Tcp => format!("connecting to port {port}"),
            Probe::Http(path) => format!("`GET {path}` on port {port}"),
        };
        match missed {
            Missed::Now(said) => (format!("{tried} {said}"), None),
            Missed::Late(limit) => {
                (format!("{tried} did not answer within {}", duration::words(limit)), None)
            }
            Missed::Closed(cause) => {
                (format!("nothing listens on port {port} in the container"), Some(cause))
            }
            Missed::Unmade(failure) | Missed::Always(failure) => {
                (format!("{tried} was not possible: {failure}"), None)
            }
        }
    }
}

async fn connect(transport: &dyn Transport, target: &Target) -> Result<Stream, Missed> {
    match transport.tcp(&target.address, target.port).await {
        Err(failure) if failure.kind == FailureKind::Unsupported => Err(Missed::Always(failure)),
        Err(failure) if is_refusal(&failure) => Err(Missed::Closed(failure)),
        other => other.map_err(Missed::Unmade),
    }
}

/// Whether the host was there, and the port was not: in the words of SSH servers, and of this machine.
fn is_refusal(failure: &Failure) -> bool {
    let said = failure.to_string();
    said.contains("connect failed") || said.contains("Connection refused")
}

async fn get(transport: &dyn Transport, target: &Target, path: &str) -> Result<(), Missed> {
    let stream = connect(transport, target).await?;
    let broken = |error: hyper::Error| Missed::Now(format!("was not answered: {error}"));
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let request = request(target.port, path).map_err(Missed::Now)?;
    let mut answer = std::pin::pin!(sender.send_request(request));
    // The connection has to be driven while the answer is awaited, and ends when it is dropped. Where it
    // ends first, the answer may have come with its end.
    let answer = tokio::select! {
        answer = &mut answer => answer.map_err(broken)?,
        ended = connection => match (answer.await, ended) {
            (Ok(answer), _) => answer,
            (Err(_), Err(error)) => return Err(broken(error)),
            (Err(_), Ok(())) => return Err(Missed::Now("was not answered".to_owned())),
        },
    };
    match answer.status() {
        status if status.is_success() || status.is_redirection() => Ok(()),
        status => Err(Missed::Now(format!("answered {}", status.as_u16()))),
    }
}

// Frameworks refuse names that they do not know; all of them know this one.
fn request(port: u16, path: &str) -> Result<Request<Empty<Bytes>>, String> {
    Request::get(path)
        .header(header::HOST, format!("localhost:{port}"))
        .header(header::USER_AGENT, "cloudpad")
        .header(header::CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| format!("cannot be asked: {error}"))
}

#[cfg(test)]
mod tests {
    use cloudpad_transport::{BoxFuture, Traffic};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A host on which a server answers and hangs up before anybody gets to read.
    struct Hasty(&'static str);

    impl Transport for Hasty {
        fn unix<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
            Box::pin(async { Err(Failure::unsupported("unix")) })
        }

        fn tcp<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<Stream, Failure>> {
            let (ours, mut theirs) = tokio::io::duplex(1024);
            let answer = self.0;
            tokio::spawn(async move {
                let _ = theirs.read(&mut [0; 1024]).await;
                let _ = theirs.write_all(answer.as_bytes()).await;
            });
            Box::pin(async { Ok(Box::new(ours) as Stream) })
        }

        fn exec<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
            Box::pin(async { Err(Failure::unsupported("exec")) })
        }

        fn traffic(&self) -> Traffic {
            Traffic::default()
        }
    }

    #[tokio::test]
    async fn an_answer_counts_though_the_connection_has_ended() {
        let target = Target { address: "10.0.0.1".into(), port: 80 };
        let attempt = async |answer| {
            let probe = Probe::Http("/up".into());
            probe.attempt(&Hasty(answer), &target, Duration::from_secs(60)).await
        };
        for _ in 0..20 {
            attempt("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
        let nothing = attempt("").await.unwrap_err();
        assert!(matches!(&nothing, Missed::Now(said) if said.contains("was not answered")), "{nothing:?}");
    }

    /// A host whose SSH server answers every wish for a connection with this.
    struct Refuses(FailureKind, &'static str);

    impl Transport for Refuses {
        fn unix<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
            Box::pin(async { Err(Failure::new(self.0, "no").cause(self.1)) })
        }

        fn tcp<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<Stream, Failure>> {
            Box::pin(async { Err(Failure::new(self.0, "no").cause(self.1)) })
        }

        fn exec<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Stream, Failure>> {
            Box::pin(async { Err(Failure::new(self.0, "no").cause(self.1)) })
        }

        fn traffic(&self) -> Traffic {
            Traffic::default()
        }
    }

    #[tokio::test]
    async fn only_a_host_that_never_forwards_is_given_up() {
        let target = Target { address: "10.0.0.1".into(), port: 80 };
        let attempt = async |kind, cause| {
            let host = Refuses(kind, cause);
            Probe::Tcp.attempt(&host, &target, Duration::from_secs(60)).await.unwrap_err()
        };
        assert!(matches!(attempt(FailureKind::Unsupported, "prohibited").await, Missed::Always(_)));
        assert!(matches!(attempt(FailureKind::Unreachable, "no answer in 5 s").await, Missed::Unmade(_)));
        for refusal in ["Channel open failure (connect failed)", "Connection refused (os error 111)"] {
            assert!(matches!(attempt(FailureKind::Unreachable, refusal).await, Missed::Closed(_)));
        }
    }
}
