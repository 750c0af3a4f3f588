//! An image out of one engine and into another, as one stream that is never held in memory. I/O.

use std::collections::BTreeSet;
use std::io::{self, BufReader, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bollard::errors::Error;
use bollard::query_parameters::ImportImageOptions;
use bytes::Bytes;
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::{Context, Failure};
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::mpsc::{self, Sender};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::compress::Compressor;
use super::repack::{self, Wanted};

/// How many compressed pieces may wait for the network.
const WAITING: usize = 4;

/// What is sent of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// All but the layers that the host has: only these, by diff id.
    Layers(BTreeSet<String>),
    /// The export as it is, since it has a form that is not known here.
    Everything,
}

/// An image to send.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) reference: String,
    pub(super) diff_ids: Vec<String>,
    pub(super) share: Share,
    /// About how many bytes it is before compression, where that is known.
    pub(super) size: Option<u64>,
}

/// Why an image has not arrived.
pub(super) enum NotSent {
    /// The host's engine did not take it, and has kept nothing of it.
    Refused(Failure),
    /// The export has a form that is not known here. The host has nothing of it.
    UnknownForm,
    /// Anything else.
    Failed(Failure),
}

/// Sends the image from engine `from` to engine `to`, and says how many bytes went over the wire.
pub(super) async fn send(cx: &Context, from: &Engine, to: &Engine, parcel: &Parcel) -> Result<u64, NotSent> {
    let (pieces, mut arriving) = mpsc::channel(WAITING);
    let packing = pack(cx.clone(), from, parcel.clone(), pieces).await.map_err(NotSent::Failed)?;
    let sent = Arc::new(AtomicU64::new(0));
    let counter = sent.clone();
    let body =
        futures_util::stream::poll_fn(move |cx| arriving.poll_recv(cx)).inspect_ok(move |piece: &Bytes| {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        });
    let docker = to.patient().await.map_err(NotSent::Failed)?;
    let loaded = async {
        let mut steps = docker.import_image_stream(ImportImageOptions::default(), body, None);
        while let Some(step) = steps.next().await {
            step?;
        }
        Ok(())
    }
    .await;
    // By now the stream is gone, so packing ends too, whatever came of it.
    let packed = packing.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    outcome(&parcel.reference, packed, loaded).map(|()| sent.load(Ordering::Relaxed))
}

/// Packs the image on a thread of its own, since compression is work.
async fn pack(
    cx: Context,
    from: &Engine,
    parcel: Parcel,
    pieces: Sender<io::Result<Bytes>>,
) -> Result<JoinHandle<io::Result<()>>, Failure> {
    let export = from.patient().await?.export_image(&parcel.reference).map_err(io::Error::other).boxed();
    let export = SyncIoBridge::new(StreamReader::new(export));
    Ok(spawn_blocking(move || {
        let packed = pack_into(&cx, export, &parcel, &pieces);
        if let Err(error) = &packed {
            // Without an error, the engine would take what it has got so far for the whole.
            let _ = pieces.blocking_send(Err(io::Error::new(error.kind(), "the image broke off")));
        }
        packed
    }))
}

fn pack_into(
    cx: &Context,
    export: impl Read,
    parcel: &Parcel,
    pieces: &Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let hand_on = |piece| pieces.blocking_send(Ok(piece)).map_err(|_| ErrorKind::BrokenPipe.into());
    let mut output = Told { cx, size: parcel.size, done: 0, told: 0, inner: Compressor::new(hand_on) };
    let mut export = BufReader::with_capacity(1 << 18, export);
    match &parcel.share {
        Share::Layers(lacking) => {
            let wanted = Wanted { reference: &parcel.reference, diff_ids: &parcel.diff_ids, lacking };
            repack::repack(&mut export, &mut output, &wanted)?;
            // The end of the stream is the end of the request, after which its connection can be used again.
            io::copy(&mut export, &mut io::sink()).map(drop)
        }
        Share::Everything => {
            io::copy(&mut export, &mut output)?;
            io::Write::flush(&mut output)
        }
    }
}

/// Tells how far the image is, about once per mebibyte.
struct Told<'a, W> {
    cx: &'a Context,
    size: Option<u64>,
    done: u64,
    told: u64,
    inner: W,
}

impl<W: io::Write> io::Write for Told<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.done += written as u64;
        if self.done - self.told >= 1 << 20 {
            self.told = self.done;
            self.cx.bytes("sending layers", self.done, self.size.map(|size| size.max(self.done)));
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Which of two failures came first: when the export breaks off, loading fails because of that.
fn outcome(reference: &str, packed: io::Result<()>, loaded: Result<(), Error>) -> Result<(), NotSent> {
    match (packed, loaded) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(error), _) if error.kind() == ErrorKind::InvalidData => Err(NotSent::UnknownForm),
        (Err(error), loaded) if error.kind() != ErrorKind::BrokenPipe || loaded.is_ok() => {
            let message = format!("could not read image `{reference}` from this machine's engine");
            Err(NotSent::Failed(Failure::failed(message).cause(error)))
        }
        (_, Err(error)) => {
            let failure = failure(&format!("could not load image `{reference}`"), &error);
            let answered = status(&error).is_some() || matches!(error, Error::DockerStreamError { .. });
            Err(if answered { NotSent::Refused(failure) } else { NotSent::Failed(failure) })
        }
        (Err(_), Ok(())) => Ok(()),
    }
}
