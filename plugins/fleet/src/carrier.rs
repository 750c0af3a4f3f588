//! What carries a request to fleet: a stream to its port or socket, from here or from the other end of an SSH connection. I/O.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use cloudpad_plugin_api::{Cancel, Failure};
use cloudpad_transport::{Stream, Transport, connect};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::sync::Mutex;

use crate::config::{Config, Endpoint};

/// The most bytes of an answer. A page of fleet's has a hundred units.
const MOST_BYTES: usize = 64 << 20;

/// Where fleet is, and by which way.
#[derive(Clone)]
pub(crate) struct Carrier {
    config: Config,
    endpoint: Endpoint,
    cancel: Cancel,
}

/// Why there is no answer.
pub(crate) enum Broken {
    /// It may be another time.
    Once(String),
    /// Nobody was reached, and words for that are there.
    Never(Failure),
}

impl Carrier {
    pub fn new(config: Config, cancel: Cancel) -> Result<Self, Failure> {
        Ok(Self { endpoint: config.endpoint()?, config, cancel })
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// One request, on a stream of its own: fleet closes one now and then.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Broken> {
        let stream = self.open().await?;
        let once = |error: &dyn std::fmt::Display| Broken::Once(error.to_string());
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| once(&e))?;
        let driver = Driver(tokio::spawn(async move { drop(connection.await) }));
        let response = sender.send_request(request).await.map_err(|e| once(&e))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await.map_err(|e| once(&e))?;
        drop(driver);
        Ok((status, body.to_bytes()))
    }

    async fn open(&self) -> Result<Stream, Broken> {
        let transport = self.transport().await.map_err(Broken::Never)?;
        let opened = match &self.endpoint {
            Endpoint::Tcp(host, port) => transport.tcp(host, *port).await,
            Endpoint::Unix(path) => transport.unix(path).await,
        };
        opened.map_err(|failure| match failure.retryable || self.config.host().is_local() {
            true => Broken::Once(failure.to_string()),
            false => Broken::Never(failure),
        })
    }

    /// The connection to the machine on which the endpoint is. One to another machine is made once, and shared.
    async fn transport(&self) -> Result<Arc<dyn Transport>, Failure> {
        let (host, options) = (self.config.host(), self.config.options());
        if host.is_local() {
            return connect(&host, &options, &self.cancel).await;
        }
        let key = format!("{host:?} {options:?}");
        let mut open = TUNNELS.lock().await;
        if let Some(transport) = open.get(&key) {
            return Ok(transport.clone());
        }
        let transport = connect(&host, &options, &self.cancel).await?;
        open.insert(key, transport.clone());
        Ok(transport)
    }

    /// Has the next request make a new connection.
    pub async fn forget(&self) {
        TUNNELS.lock().await.remove(&format!("{:?} {:?}", self.config.host(), self.config.options()));
    }
}

/// The connections to other machines, by where and how.
static TUNNELS: LazyLock<Mutex<BTreeMap<String, Arc<dyn Transport>>>> = LazyLock::new(Mutex::default);

/// What reads and writes a stream; it ends with the request.
struct Driver(tokio::task::JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}
