//! New connections to an engine, each over the host's one transport. I/O.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use cloudpad_plugin_api::{Failure, FailureKind};
use cloudpad_transport::{Stream, Transport};
use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;

use crate::Endpoint;

/// The remote command that joins its standard streams to the engine's socket. It finds the engine by
/// itself, and needs the docker client on the host.
const DIAL_STDIO: &str = "docker system dial-stdio";

/// Opens connections for the HTTP client.
#[derive(Clone)]
pub(crate) struct Connector {
    transport: Arc<dyn Transport>,
    endpoint: Endpoint,
    // Set once forwarding was found to be off, so that no later connection tries it again.
    by_command: Arc<AtomicBool>,
}

impl Connector {
    pub(crate) fn new(transport: Arc<dyn Transport>, endpoint: Endpoint) -> Self {
        Self { transport, endpoint, by_command: Arc::default() }
    }

    pub(crate) fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    pub(crate) async fn open(self) -> Result<Stream, Failure> {
        let path = match &self.endpoint {
            Endpoint::Tcp { host, port } => return self.transport.tcp(host, *port).await,
            Endpoint::Unix(path) => path,
        };
        if self.by_command.load(Ordering::Relaxed) {
            return self.transport.exec(DIAL_STDIO).await;
        }
        match self.transport.unix(path).await {
            Err(failure) if failure.kind == FailureKind::Unsupported => {
                self.by_command.store(true, Ordering::Relaxed);
                self.transport.exec(DIAL_STDIO).await
            }
            other => other,
        }
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = Io;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Io, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.open().await.map(|stream| Io(TokioIo::new(stream))) })
    }
}

/// A stream as the HTTP client wants it.
pub(crate) struct Io(TokioIo<Stream>);

impl Connection for Io {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    // Otherwise the client copies every body into one buffer with its head.
    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
