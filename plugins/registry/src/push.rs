//! The engine's push request. Talks to the engine.
//!
//! It is made by hand because the engine's client (`bollard` 0.21) leaves out of each line which layer it
//! is about, and the digest at the end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use cloudpad_engine::{Access, Engine, refusal};
use cloudpad_plugin_api::{Context, Failure, FailureKind, Outcome};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;

use crate::patience::Refused;
use crate::progress::{Layers, Line};
use crate::target::Target;

/// A push that was done.
pub struct Done {
    /// The image's digest in the registry.
    pub digest: String,
    /// How many bytes of layers were sent, before they were compressed.
    pub sent: u64,
}

/// Pushes the image that is tagged as `target`.
///
/// # Errors
/// `unreachable` when the registry does not answer or does not let us in, `failed` when it refuses.
pub async fn run(cx: &Context, engine: &Engine, target: &Target, access: &Access) -> Result<Done, Refused> {
    let response = send(engine, target, access).await?;
    let status = response.status();
    let mut lines = Lines { body: response.into_body(), rest: Vec::new() };
    let refused = |said: &str, layers: &Layers| {
        let tried = format!("could not push `{}`", target.reference());
        let refusal = refusal::explain(&tried, said, "push", &target.registry, access);
        let outcome = if layers.done() == 0 { Outcome::None } else { Outcome::Partial };
        let refused = Refused::from(refusal);
        Refused { failure: refused.failure.outcome(outcome), ..refused }
    };
    let mut layers = Layers::default();
    while let Some(line) = lines.next().await? {
        if status != StatusCode::OK {
            return Err(refused(&said(&line), &layers));
        }
        let line: Line = serde_json::from_slice(&line).map_err(|error| broken(&error))?;
        if let Some(error) = &line.error {
            return Err(refused(error, &layers));
        }
        if layers.take(line) {
            cx.bytes(&format!("pushing to {}", target.registry), layers.done(), Some(layers.total()));
        }
    }
    let sent = layers.done();
    let digest =
        layers.digest.ok_or_else(|| refused("the engine ended without a digest", &Layers::default()))?;
    Ok(Done { digest, sent })
}

async fn send(engine: &Engine, target: &Target, access: &Access) -> Result<Response<Incoming>, Failure> {
    let stream = TokioIo::new(engine.stream().await?);
    let (mut sender, connection) = http1::handshake(stream).await.map_err(|error| broken(&error))?;
    // It ends with the answer, or when that is dropped.
    tokio::spawn(connection);
    sender.send_request(request(target, access)?).await.map_err(|error| broken(&error))
}

fn request(target: &Target, access: &Access) -> Result<Request<Empty<Bytes>>, Failure> {
    // The engine wants the header even where there are no credentials.
    let auth = serde_json::to_vec(&access.credentials).map_err(|error| broken(&error))?;
    Request::post(format!("/images/{}/push?tag={}", target.name, target.tag))
        .header(header::HOST, "docker")
        .header("X-Registry-Auth", URL_SAFE.encode(auth))
        .body(Empty::new())
        .map_err(|error| Failure::invalid(format!("`{}` cannot be pushed: {error}", target.reference())))
}

fn broken(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        FailureKind::Unreachable,
        "the push was broken off, because the engine does not answer as it should",
    )
    .cause(error)
    .outcome(Outcome::Unknown)
    .retryable()
}

/// What the engine says where it does not even begin: `{"message": …}`.
fn said(body: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let message = json.as_ref().and_then(|json| json["message"].as_str());
    message.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned)
}

/// The lines of an answer.
struct Lines {
    body: Incoming,
    rest: Vec<u8>,
}

impl Lines {
    /// The next line that is not empty; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.drain(..=end).as_slice().trim_ascii().to_vec();
                if !line.is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            match self.body.frame().await {
                Some(frame) => {
                    let frame = frame.map_err(|error| broken(&error))?;
                    self.rest.extend(frame.data_ref().into_iter().flatten());
                }
                None => {
                    let line = std::mem::take(&mut self.rest).trim_ascii().to_vec();
                    return Ok(Some(line).filter(|line| !line.is_empty()));
                }
            }
        }
    }
}
