//! Bytes between two ends, in a buffer that stays where it is while it holds any. Pure.

/// Bytes that are moved at once; as many as come in one packet.
pub(crate) const CHUNK: usize = 32 * 1024;
/// As many as are moved at once to the host while there are more: the thread at the other end of the pipe is
/// not woken for each packet. libssh2 puts 32,700 bytes into a packet and leaves no rest of these.
const LONG: usize = 8 * 32_700;

/// Bytes on their way, from `start` on.
pub(crate) struct Chunk {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Chunk {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; CHUNK].into(), start: 0, end: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(crate) fn take(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    pub(crate) fn clear(&mut self) {
        self.start = self.end;
    }

    /// All of the chunk, which must be empty.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The same; longer when all of it was needed the last time.
    pub(crate) fn more_space(&mut self) -> &mut [u8] {
        if self.end == self.bytes.len() && self.end < LONG {
            *self = Self { bytes: vec![0; LONG].into(), start: 0, end: 0 };
        }
        &mut self.bytes
    }

    pub(crate) fn filled(&mut self, count: usize) {
        self.start = 0;
        self.end = count.min(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_chunk_that_was_full_becomes_longer() {
        let mut chunk = Chunk::new();
        for (filled, then) in [(10, CHUNK), (CHUNK, LONG), (10, LONG), (LONG, LONG)] {
            chunk.filled(filled);
            chunk.clear();
            assert_eq!(chunk.more_space().len(), then, "after {filled} bytes");
        }
    }
}
