//! An image out of one engine and into another, as one stream that is never held in memory. I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind};
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

use super::compress::Compressor;
use super::export::Export;
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
    /// The names under which it is loaded. They mean the same image here; there is at least one.
    pub(super) names: Vec<String>,
    pub(super) diff_ids: Vec<String>,
    pub(super) share: Share,
    /// The diff ids of layers by the digests of their blobs, where these differ.
    pub(super) blobs: BTreeMap<String, String>,
    /// About how many bytes it is before compression, where that is known.
    pub(super) size: Option<u64>,
}

impl Parcel {
    /// The name by which it is known.
    pub(super) fn reference(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }
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
    let packing = pack(cx.clone(), from.apart(), parcel.clone(), pieces);
    let sent = Arc::new(AtomicU64::new(0));
    let counter = sent.clone();
    let body =
        futures_util::stream::poll_fn(move |cx| arriving.poll_recv(cx)).inspect_ok(move |piece: &Bytes| {
            counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
        });
    let docker = to.patient().await.map_err(NotSent::Failed)?;
    let loaded = async {
        let quiet = ImportImageOptions { quiet: true, ..Default::default() };
        let mut steps = docker.import_image_stream(quiet, body, None);
        while let Some(step) = steps.next().await {
            step?;
        }
        Ok(())
    }
    .await;
    // By now the stream is gone, so packing ends too, whatever came of it.
    let packed = packing.await.unwrap_or_else(|error| Err(io::Error::other(error)));
    outcome(parcel.reference(), packed, loaded).map(|()| sent.load(Ordering::Relaxed))
}

/// The diff ids of an image's layers by the digests of their blobs. An engine with a containerd store
/// exports blobs in the form in which it got them, and tells only at the end of the export which layer
/// each is; so the export is read once just for that. Other engines' blobs go by their diff ids.
pub(super) async fn blobs(
    from: &Engine,
    reference: &str,
    diff_ids: &[String],
) -> Result<BTreeMap<String, String>, Failure> {
    if !has_containerd_store(from).await? {
        return Ok(BTreeMap::new());
    }
    let (engine, name) = (from.apart(), reference.to_owned());
    let read = spawn_blocking(move || repack::layer_blobs(Export::open(&engine, &[name])?)).await;
    let listed = read.unwrap_or_else(|error| Err(io::Error::other(error)));
    let listed = listed.map_err(|error| unreadable(reference, error))?.unwrap_or_default();
    Ok(listed.into_iter().zip(diff_ids.iter().cloned()).collect())
}

async fn has_containerd_store(engine: &Engine) -> Result<bool, Failure> {
    let info = engine.docker().await?.info().await;
    let info = info.map_err(|error| failure("could not ask this machine's engine for its store", &error))?;
    let mut pairs = info.driver_status.iter().flatten();
    Ok(pairs.any(|pair| pair.iter().any(|text| text.starts_with("io.containerd.snapshotter"))))
}

fn unreadable(reference: &str, error: io::Error) -> Failure {
    Failure::failed(format!("could not read image `{reference}` from this machine's engine")).cause(error)
}

/// Packs the image on a thread of its own, since compression is work.
fn pack(
    cx: Context,
    from: Engine,
    parcel: Parcel,
    pieces: Sender<io::Result<Bytes>>,
) -> JoinHandle<io::Result<()>> {
    spawn_blocking(move || {
        let packed = pack_into(&cx, &from, &parcel, &pieces);
        if let Err(error) = &packed {
            // Without an error, the engine would take what it has got so far for the whole.
            let _ = pieces.blocking_send(Err(io::Error::new(error.kind(), "the image broke off")));
        }
        packed
    })
}

fn pack_into(
    cx: &Context,
    from: &Engine,
    parcel: &Parcel,
    pieces: &Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let hand_on = |piece| pieces.blocking_send(Ok(piece)).map_err(|_| ErrorKind::BrokenPipe.into());
    let mut output = Told { cx, size: parcel.size, done: 0, told: 0, inner: Compressor::new(hand_on) };
    let mut export = Export::open(from, &parcel.names)?;
    match &parcel.share {
        Share::Layers(lacking) => {
            let wanted = Wanted {
                names: &parcel.names,
                folder: &format!("blobs-{:016x}", RandomState::new().build_hasher().finish()),
                diff_ids: &parcel.diff_ids,
                lacking,
                blobs: &parcel.blobs,
            };
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
            Err(NotSent::Failed(unreadable(reference, error)))
        }
        (_, Err(error)) => {
            let failure = failure(&format!("could not load image `{reference}`"), &error);
            let answered = status(&error).is_some() || matches!(error, Error::DockerStreamError { .. });
            Err(if answered { NotSent::Refused(failure) } else { NotSent::Failed(failure) })
        }
        (Err(_), Ok(())) => Ok(()),
    }
}
