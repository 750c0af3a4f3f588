//! An image as this machine's engine exports it. I/O, on the thread that reads it.
//!
//! The connection belongs to that thread, too: were it on another one, each frame that the engine sends would
//! wake both.

use std::io::{self, Read};
use std::pin::Pin;

use bollard::errors::Error;
use bytes::Bytes;
use cloudpad_engine::Engine;
use futures_util::{Stream, StreamExt};
use tokio::runtime::{Builder, Runtime};

/// The bytes of an export. To be used and dropped on a thread that may block.
pub(super) struct Export {
    // The runtime outlives what runs on it: fields are dropped in this order.
    frames: Pin<Box<dyn Stream<Item = Result<Bytes, Error>>>>,
    frame: Bytes,
    runtime: Runtime,
}

impl Export {
    /// Asks `engine` for the image with these names.
    pub(super) fn open(engine: &Engine, names: &[String]) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let docker = runtime.block_on(engine.apart().patient()).map_err(io::Error::other)?;
        let frames = Box::pin(docker.export_images(&names.iter().map(String::as_str).collect::<Vec<_>>()));
        Ok(Self { frames, frame: Bytes::new(), runtime })
    }
}

impl Read for Export {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.frame.is_empty() {
            match self.runtime.block_on(self.frames.next()) {
                Some(frame) => self.frame = frame.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let count = buf.len().min(self.frame.len());
        buf[..count].copy_from_slice(&self.frame.split_to(count));
        Ok(count)
    }
}
