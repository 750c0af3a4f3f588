//! Connections to the engine that leave HTTP/1 behind for HTTP/2, as BuildKit's endpoints ask for.

use std::pin::Pin;
use std::task::{Context, Poll};

use cloudpad_engine::{Engine, Switched};
use cloudpad_plugin_api::Failure;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;

/// Opens `path` of the engine with more `headers`; none where the engine has no such endpoint.
///
/// # Errors
/// `unreachable`, when the engine does not answer.
pub async fn upgrade(
    engine: &Engine,
    path: &str,
    headers: &[(&str, String)],
) -> Result<Option<Upgraded>, Failure> {
    match engine.switch(path, "h2c", headers, None).await? {
        Switched::Yes(connection) => Ok(Some(connection)),
        Switched::No(..) => Ok(None),
    }
}

/// An upgraded connection, for a server that takes connections from a listener.
pub struct Accepted(TokioIo<Upgraded>);

impl Accepted {
    /// Takes what [`upgrade`] gave.
    pub fn new(connection: Upgraded) -> Self {
        Self(TokioIo::new(connection))
    }
}

impl Connected for Accepted {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Accepted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
