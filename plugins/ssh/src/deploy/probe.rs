//! One try to see whether a container serves: a connection or a GET, made from the host. I/O.

use std::time::Duration;

use bytes::Bytes;
use cloudpad_plugin_api::Failure;
use cloudpad_transport::Transport;
use http_body_util::Empty;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;

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

impl Probe {
    /// Tries once. Where it fails, the text says what came back.
    pub(super) async fn attempt(
        &self,
        transport: &dyn Transport,
        target: &Target,
        limit: Duration,
    ) -> Result<(), String> {
        let attempt = async {
            match self {
                Probe::Tcp => connect(transport, target).await.map(drop),
                Probe::Http(path) => get(transport, target, path).await,
            }
        };
        match tokio::time::timeout(limit, attempt).await {
            Ok(result) => result,
            Err(_) => Err(format!("did not answer within {} ms", limit.as_millis())),
        }
    }

    /// What is tried, for people.
    pub(super) fn describe(&self, port: u16) -> String {
        match self {
            Probe::Tcp => format!("connecting to port {port}"),
            Probe::Http(path) => format!("`GET {path}` on port {port}"),
        }
    }
}

async fn connect(transport: &dyn Transport, target: &Target) -> Result<cloudpad_transport::Stream, String> {
    let refused = |failure: Failure| format!("was not possible: {failure}");
    transport.tcp(&target.address, target.port).await.map_err(refused)
}

async fn get(transport: &dyn Transport, target: &Target, path: &str) -> Result<(), String> {
    let stream = connect(transport, target).await?;
    let broken = |error: hyper::Error| format!("was not answered: {error}");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let request = request(target.port, path)?;
    let answer = async { sender.send_request(request).await.map_err(broken) };
    // The connection has to be driven while the answer is awaited, and ends when it is dropped.
    let answer = tokio::select! {
        answer = answer => answer?,
        ended = connection => return Err(ended.map_or_else(broken, |()| "was not answered".to_owned())),
    };
    match answer.status() {
        status if status.is_success() || status.is_redirection() => Ok(()),
        status => Err(answered(status)),
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

fn answered(status: StatusCode) -> String {
    format!("answered {}", status.as_u16())
}
