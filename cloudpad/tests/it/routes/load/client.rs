//! One connection of an HTTP client. It repeats nothing: what a connection is closed over is an error.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Site;

/// Why something was not answered, with all that led to it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// An open connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    name: String,
}

impl Connection {
    pub async fn open(site: &Site) -> Result<Self, Error> {
        let stream = TcpStream::connect((site.address.as_str(), site.port)).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection.with_upgrades());
        Ok(Self { sender, name: site.name.clone() })
    }

    /// Asks, and reads the whole answer: the status, and the page.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: &'static str,
    ) -> Result<(u16, String), Error> {
        self.sender.ready().await?;
        let request = Request::builder().method(method).uri(path).header(HOST, &self.name);
        let answer = self.sender.send_request(request.body(Full::from(body))?).await?;
        let status = answer.status().as_u16();
        let page = answer.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&page).into_owned()))
    }

    /// Makes a websocket of it. What is said on it is echoed.
    pub async fn upgrade(mut self) -> Result<TokioIo<Upgraded>, Error> {
        let request = Request::builder()
            .uri("/socket")
            .header(HOST, &self.name)
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
        let answer = self.sender.send_request(request.body(Full::default())?).await?;
        match answer.status() {
            StatusCode::SWITCHING_PROTOCOLS => Ok(TokioIo::new(hyper::upgrade::on(answer).await?)),
            status => Err(format!("answered {status}").into()),
        }
    }
}

/// An error and what it came from, in one line.
pub fn words(error: &Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}
