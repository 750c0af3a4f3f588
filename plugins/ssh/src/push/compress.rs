//! Compression for the way to a host: gzip, where it gains something. Hands its output on, and does
//! no I/O of its own.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// How much is compressed at a time. Each piece becomes a gzip member of its own; a gzip file may have
/// any number of them (RFC 1952, 2.2), and engines read them all.
const PIECE: usize = 1 << 20;

/// How many pieces are stored as they are after one that did not shrink.
const PAUSE: u32 = 15;

/// Compresses what is written to it, piece by piece.
///
/// Layers are long runs of files that are compressed already, or not at all: a piece that does not
/// shrink is taken as a sign that the next ones will not either.
pub(super) struct Compressor<F> {
    sink: F,
    piece: Vec<u8>,
    pause: u32,
}

impl<F: FnMut(Bytes) -> io::Result<()>> Compressor<F> {
    /// Compresses into `sink`, which gets each piece when it is done.
    pub(super) fn new(sink: F) -> Self {
        Self { sink, piece: Vec::with_capacity(PIECE), pause: 0 }
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let packed = self.pack()?;
        self.piece.clear();
        (self.sink)(Bytes::from(packed))
    }

    fn pack(&mut self) -> io::Result<Vec<u8>> {
        if self.pause > 0 {
            self.pause -= 1;
            return gzip(&self.piece, Compression::none());
        }
        let packed = gzip(&self.piece, Compression::fast())?;
        if packed.len() < self.piece.len() / 10 * 9 {
            return Ok(packed);
        }
        self.pause = PAUSE;
        gzip(&self.piece, Compression::none())
    }
}

fn gzip(piece: &[u8], level: Compression) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(piece.len() + 1024), level);
    encoder.write_all(piece)?;
    encoder.finish()
}

impl<F: FnMut(Bytes) -> io::Result<()>> Write for Compressor<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.hand_on()?;
        }
        Ok(taken)
    }

    /// Hands on what is there. To be called at the end.
    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() { Ok(()) } else { self.hand_on() }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn compress(bytes: &[u8]) -> Vec<Bytes> {
        let mut pieces = Vec::new();
        let mut compressor = Compressor::new(|piece| {
            pieces.push(piece);
            Ok(())
        });
        compressor.write_all(bytes).unwrap();
        compressor.flush().unwrap();
        pieces
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(len).collect()
    }

    fn decompress(pieces: &[Bytes]) -> Vec<u8> {
        let mut bytes = Vec::new();
        flate2::read::MultiGzDecoder::new(&*pieces.concat()).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_shrinks_is_compressed_and_comes_back() {
        let text = b"all work and no play ".repeat(200_000);
        let pieces = compress(&text);
        assert_eq!(decompress(&pieces), text);
        assert!(pieces.concat().len() < text.len() / 50);
    }

    #[test]
    fn what_does_not_shrink_is_stored_and_comes_back() {
        let noise = noise(3 * PIECE + 5);
        let pieces = compress(&noise);
        assert_eq!(decompress(&pieces), noise);
        assert!(pieces.concat().len() < noise.len() + noise.len() / 1000);
    }
}
