//! Compression for the way to a host: gzip, where it gains something. Hands its output on, and does
//! no I/O of its own.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

/// How much is compressed at a time. Each piece becomes a gzip member of its own; a gzip file may have
/// any number of them (RFC 1952, 2.2), and engines read them all.
const PIECE: usize = 1 << 18;

/// Whether a piece shrinks is tried out on so many parts of it, each of this length.
const PARTS: usize = 4;
const PART: usize = 1 << 10;

/// The most that a stored block holds (RFC 1951, 3.2.4).
const BLOCK: usize = 65_535;

/// The head of a gzip member that says nothing but the method, deflate (RFC 1952, 2.3).
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Compresses what is written to it, piece by piece: layers are long runs of files that are compressed
/// already, or not at all.
pub(super) struct Compressor<F> {
    sink: F,
    piece: Vec<u8>,
}

impl<F: FnMut(Bytes) -> io::Result<()>> Compressor<F> {
    /// Compresses into `sink`, which gets each piece when it is done.
    pub(super) fn new(sink: F) -> Self {
        Self { sink, piece: Vec::with_capacity(PIECE) }
    }

    fn hand_on(&mut self) -> io::Result<()> {
        let packed = if shrinks(&self.piece)? { gzip(&[&self.piece])? } else { stored(&self.piece) };
        self.piece.clear();
        (self.sink)(Bytes::from(packed))
    }
}

/// Whether compression gains at least a tenth, judged by a part of the piece here and there.
fn shrinks(piece: &[u8]) -> io::Result<bool> {
    let every = piece.len().div_ceil(PARTS).max(PART);
    let parts: Vec<_> = piece.chunks(every).map(|chunk| &chunk[..chunk.len().min(PART)]).collect();
    let len: usize = parts.iter().map(|part| part.len()).sum();
    Ok(gzip(&parts)?.len() < len / 10 * 9)
}

fn gzip(parts: &[&[u8]]) -> io::Result<Vec<u8>> {
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    let mut encoder = GzEncoder::new(Vec::with_capacity(len / 2), Compression::fast());
    for part in parts {
        encoder.write_all(part)?;
    }
    encoder.finish()
}

/// A gzip member that holds `piece` as it is. The library's own way to it copies the bytes several times.
fn stored(piece: &[u8]) -> Vec<u8> {
    let mut member = Vec::with_capacity(piece.len() + piece.len() / 1000 + 64);
    member.extend(HEAD);
    let mut blocks = piece.chunks(BLOCK).peekable();
    while let Some(block) = blocks.next() {
        let len = u16::try_from(block.len()).unwrap_or(u16::MAX);
        member.push(u8::from(blocks.peek().is_none()));
        member.extend(len.to_le_bytes());
        member.extend((!len).to_le_bytes());
        member.extend(block);
    }
    let mut crc = Crc::new();
    crc.update(piece);
    member.extend(crc.sum().to_le_bytes());
    member.extend(crc.amount().to_le_bytes());
    member
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

    #[test]
    fn each_piece_is_judged_by_itself() {
        let text = b"all work and no play ".repeat(PIECE / 21 + 1);
        let mixed = [&noise(PIECE)[..], &text[..PIECE], &noise(PIECE), &text[..PIECE]].concat();
        let pieces = compress(&mixed);
        assert_eq!(decompress(&pieces), mixed);
        let shrunk: Vec<_> = pieces.iter().map(|piece| piece.len() < PIECE / 50).collect();
        assert_eq!(shrunk, [false, true, false, true]);
    }

    #[test]
    fn what_shrinks_only_in_places_is_compressed() {
        let mut mixed = noise(PIECE);
        mixed[PIECE / 2..].fill(b'x');
        assert!(compress(&mixed).concat().len() < PIECE * 6 / 10);
    }

    #[test]
    fn pieces_of_any_length_come_back() {
        for len in [1, PART, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK] {
            let noise = noise(len);
            assert_eq!(decompress(&[stored(&noise).into()]), noise, "{len} bytes");
            assert_eq!(decompress(&compress(&noise)), noise, "{len} bytes");
        }
    }
}
