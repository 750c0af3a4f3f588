//! Messages between two threads, for tests: one plays the host. Pure but for its channels.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::{Incoming, Outgoing};

/// The host's side.
pub(crate) struct HostSide {
    /// To the plugin; it has no more when this is dropped.
    pub(crate) to: Sender<Vec<u8>>,
    /// From the plugin; when it is dropped, the host is gone.
    pub(crate) from: Receiver<Vec<u8>>,
}

/// Where the plugin's messages come from.
pub(crate) struct FromMemory {
    from: Receiver<Vec<u8>>,
    last: Vec<u8>,
}

/// Where the plugin's messages go.
pub(crate) struct ToMemory(Sender<Vec<u8>>);

/// A host, and what a plugin speaks to it through.
pub(crate) fn pair() -> (HostSide, FromMemory, ToMemory) {
    let (to, incoming) = channel();
    let (outgoing, from) = channel();
    (HostSide { to, from }, FromMemory { from: incoming, last: Vec::new() }, ToMemory(outgoing))
}

impl Incoming for FromMemory {
    fn recv(&mut self) -> Result<Option<&[u8]>, String> {
        match self.from.recv() {
            Ok(message) => {
                self.last = message;
                Ok(Some(&self.last))
            }
            Err(_) => Ok(None),
        }
    }
}

impl Outgoing for ToMemory {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.0.send(message.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
