//! Waits until containers have answered what they had been asked. I/O.

use std::time::Duration;

use bytes::Bytes;
use cloudpad_plugin_api::{Failure, FailureKind};
use cloudpad_transport::Transport;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::proxy::Kind;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// How long one look may take.
const LOOK: Duration = Duration::from_secs(5);

/// Waits until none of these addresses is answering a request, for `limit` at the most. Where nobody can tell, that long.
pub(super) async fn wait(
    transport: &dyn Transport,
    kind: &dyn Kind,
    front: &str,
    addresses: &[String],
    limit: Duration,
) {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        match timeout(LOOK, status(transport, kind, front)).await {
            Ok(Err(failure)) if failure.kind == FailureKind::Unsupported => return sleep_until(end).await,
            Ok(Ok(status)) => {
                let requests = kind.requests(&status).unwrap_or_default();
                if addresses.iter().all(|address| requests.get(address) == Some(&0)) {
                    return;
                }
            }
            _ => {}
        }
        sleep(PAUSE.min(end.saturating_duration_since(Instant::now()))).await;
    }
}

/// What the proxy tells of the requests that are being answered.
async fn status(transport: &dyn Transport, kind: &dyn Kind, front: &str) -> Result<Bytes, Failure> {
    let (port, path) = kind.status();
    let stream = transport.tcp(front, port).await?;
    let failed = |error: hyper::Error| Failure::failed("the proxy does not tell its status").cause(error);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let request = Request::get(path).header("host", "localhost").body(Empty::<Bytes>::new());
    let request = request.map_err(|error| Failure::failed("the proxy cannot be asked").cause(error))?;
    let answer = async { sender.send_request(request).await?.into_body().collect().await };
    let answer = async { answer.await.map(|body| body.to_bytes()).map_err(failed) };
    tokio::select! {
        answer = answer => answer,
        ended = connection => Err(match ended {
            Err(error) => failed(error),
            Ok(()) => Failure::failed("the proxy does not tell its status"),
        }),
    }
}
