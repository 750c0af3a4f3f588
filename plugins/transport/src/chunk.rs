//! Bytes between two ends, in a buffer that stays where it is. Pure.

/// Bytes that are moved at once; as many as libssh2 puts into one packet.
pub(crate) const CHUNK: usize = 32 * 1024;

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

    pub(crate) fn filled(&mut self, count: usize) {
        self.start = 0;
        self.end = count.min(self.bytes.len());
    }
}
