//! Several streams of bytes on one connection, framed as on the attached streams of Docker's API: a byte that says which
//! stream it is, three zeros, the length as a big-endian number of four bytes, and so many bytes. Pure.
//!
//! A request of stage `deploy` that names a `stream` means the path of a unix socket on which the caller listens. The provider
//! connects to it, and both speak frames until the provider is done.

use crate::model::TerminalSize;

/// To the provider: input of the process. A frame of no bytes is its end.
pub const STDIN: u8 = 0;
/// From the provider: what the process has printed.
pub const STDOUT: u8 = 1;
/// From the provider: what the process has printed to standard error.
pub const STDERR: u8 = 2;
/// To the provider: the terminal has another size, two big-endian numbers of two bytes, columns and rows.
pub const RESIZE: u8 = 4;

/// How long what stands before a frame's bytes is.
pub const HEADER: usize = 8;
/// The most bytes of one frame.
pub const MAX: usize = 16 * 1024 * 1024;

/// So many bytes of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Which stream, such as [`STDOUT`]. One that is not known is to be ignored.
    pub stream: u8,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A frame as it is sent.
pub fn frame(stream: u8, bytes: &[u8]) -> Vec<u8> {
    // Whoever sends more at once than a number of four bytes can say has not cut it into pieces.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut frame = Vec::with_capacity(HEADER + bytes.len());
    frame.extend_from_slice(&[stream, 0, 0, 0]);
    frame.extend_from_slice(&length);
    frame.extend_from_slice(bytes);
    frame
}

/// The frame that tells a terminal's size.
pub fn resize(size: TerminalSize) -> Vec<u8> {
    let [columns, rows] = [size.columns.to_be_bytes(), size.rows.to_be_bytes()];
    frame(RESIZE, &[columns, rows].concat())
}

impl Frame {
    /// The size that a frame of stream [`RESIZE`] tells.
    pub fn size(&self) -> Option<TerminalSize> {
        let &[c1, c0, r1, r0] = self.bytes.as_slice() else { return None };
        let size = TerminalSize { columns: u16::from_be_bytes([c1, c0]), rows: u16::from_be_bytes([r1, r0]) };
        (self.stream == RESIZE).then_some(size)
    }
}

/// What was read of a connection, cut into frames.
#[derive(Debug, Default)]
pub struct Frames {
    read: Vec<u8>,
}

/// A frame says that it has more than [`MAX`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong(pub usize);

impl std::fmt::Display for TooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a frame of {} bytes, and at most {MAX} are taken", self.0)
    }
}

impl std::error::Error for TooLong {}

impl Frames {
    /// Takes what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.read.extend_from_slice(bytes);
    }

    /// The next frame, where all of it was read.
    ///
    /// # Errors
    /// What was read is no frame.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, TooLong> {
        let Some((&[stream, _, _, _, a, b, c, d], rest)) = self.read.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > MAX {
            return Err(TooLong(length));
        }
        let Some(bytes) = rest.get(..length) else { return Ok(None) };
        let frame = Frame { stream, bytes: bytes.to_vec() };
        self.read.drain(..HEADER + length);
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_whole_however_they_come() {
        let size = TerminalSize { rows: 40, columns: 258 };
        let sent = [frame(STDOUT, b"one"), resize(size), frame(STDIN, b""), frame(9, b"new")].concat();
        assert_eq!(&sent[..11], b"\x01\0\0\0\0\0\0\x03one");
        assert_eq!(&sent[11..23], b"\x04\0\0\0\0\0\0\x04\x01\x02\0\x28");
        for step in [1, 3, sent.len()] {
            let (mut frames, mut read) = (Frames::default(), Vec::new());
            for piece in sent.chunks(step) {
                frames.push(piece);
                while let Some(frame) = frames.next_frame().unwrap() {
                    read.push(frame);
                }
            }
            let streams: Vec<_> = read.iter().map(|frame| (frame.stream, frame.bytes.len())).collect();
            assert_eq!(streams, [(STDOUT, 3), (RESIZE, 4), (STDIN, 0), (9, 3)]);
            assert_eq!((read[1].size(), read[0].size()), (Some(size), None));
        }
    }

    #[test]
    fn what_is_no_frame_is_not_waited_for() {
        let mut frames = Frames::default();
        frames.push(b"HTTP/1.1 200 OK");
        assert_eq!(frames.next_frame(), Err(TooLong(0x2f31_2e31)));
    }
}
