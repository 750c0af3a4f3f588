//! Requests to an engine that turn their connection into another protocol's. I/O.

use bytes::Bytes;
use cloudpad_plugin_api::{Failure, FailureKind};
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;

use crate::Engine;

/// How much of an engine's refusal is read.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// What came of such a request.
pub enum Switched {
    /// The connection speaks the other protocol from here on.
    Yes(Upgraded),
    /// The engine has answered with this status and these words instead.
    No(u16, String),
}

impl Engine {
    /// Sends `POST path`, with more `headers` and JSON where there is any, and asks for `protocol`.
    ///
    /// # Errors
    /// `unreachable`, when the engine does not answer.
    pub async fn switch(
        &self,
        path: &str,
        protocol: &str,
        headers: &[(&str, String)],
        json: Option<String>,
    ) -> Result<Switched, Failure> {
        let broken = |error: hyper::Error| {
            let message = format!("the engine broke off at `{path}`: {error}");
            Failure::new(FailureKind::Unreachable, message).retryable()
        };
        let stream = self.stream().await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(connection.with_upgrades());
        let mut request = Request::post(path).header(HOST, "docker");
        request = request.header(CONNECTION, "Upgrade").header(UPGRADE, protocol);
        if json.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request
            .body(Full::new(Bytes::from(json.unwrap_or_default())))
            .map_err(|error| Failure::invalid(format!("`{path}` cannot be asked for: {error}")))?;
        let response = sender.send_request(request).await.map_err(broken)?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return hyper::upgrade::on(response).await.map(Switched::Yes).map_err(broken);
        }
        let status = response.status().as_u16();
        let said = Limited::new(response.into_body(), LONGEST_REFUSAL).collect().await;
        let said = said.map(|body| body.to_bytes()).unwrap_or_default();
        let message = serde_json::from_slice::<serde_json::Value>(&said).ok();
        let message = message.as_ref().and_then(|said| said["message"].as_str());
        Ok(Switched::No(
            status,
            message.map_or_else(|| String::from_utf8_lossy(&said).into_owned(), str::to_owned),
        ))
    }
}
