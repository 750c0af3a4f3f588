//! Carries the client's requests to the engine, over connections that are kept and used again. I/O.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::BollardRequest;
use bollard::errors::Error;
use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::Instant;

use crate::connector::Connector;

/// Sends requests, and counts them.
#[derive(Clone)]
pub(crate) struct Sender {
    http: Client<Connector, UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>>,
    requests: Arc<AtomicU64>,
    heard: Heard,
}

/// When the engine has last answered a request, or taken a piece of one.
#[derive(Clone)]
struct Heard(Arc<Mutex<Instant>>);

impl Heard {
    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Sender {
    pub(crate) fn new(connector: Connector) -> Self {
        let mut builder = Client::builder(TokioExecutor::new());
        // A connection is a channel of the transport: it costs nothing while it idles.
        builder.pool_idle_timeout(None::<Duration>);
        let heard = Heard(Arc::new(Mutex::new(Instant::now())));
        Self { http: builder.build(connector), requests: Arc::default(), heard }
    }

    /// When the engine has last answered a request, or taken a piece of one. One that is hung takes what
    /// fits into the buffers on the way to it, and no more.
    pub(crate) fn heard(&self) -> Instant {
        *self.heard.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) async fn send(self, request: BollardRequest) -> Result<Response<Incoming>, Error> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let heard = self.heard.clone();
        let request = url_safe_credentials(request).map(|body| {
            let taken = move |frame| {
                heard.now();
                frame
            };
            body.map_frame(taken).boxed_unsync()
        });
        let response = self.http.request(request).await?;
        self.heard.now();
        Ok(response)
    }
}

/// Engines read credentials in the URL-safe alphabet of base64; the client (0.21.1) writes them in the
/// standard one, which fails for some passwords.
fn url_safe_credentials(mut request: BollardRequest) -> BollardRequest {
    for name in ["x-registry-auth", "x-registry-config"] {
        let Some(value) = request.headers().get(name).and_then(|v| v.to_str().ok()) else { continue };
        if let Ok(value) = HeaderValue::from_str(&value.replace('+', "-").replace('/', "_")) {
            request.headers_mut().insert(name, value);
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_travel_in_the_url_safe_alphabet() {
        let request = hyper::Request::get("http://docker/").header("x-registry-auth", "fn5+/w==");
        let request = url_safe_credentials(request.body(bollard::body_full("".into())).unwrap());
        assert_eq!(request.headers()["x-registry-auth"], "fn5-_w==");
    }
}
