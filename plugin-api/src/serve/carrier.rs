//! What carries messages between a host and a plugin. Pure.

use std::io;

/// Where the host's messages come from.
pub(crate) trait Incoming {
    /// The next message; nothing when the host has no more.
    ///
    /// # Errors
    /// What came is no message.
    fn recv(&mut self) -> Result<Option<&[u8]>, String>;
}

/// Where messages to the host go.
pub(crate) trait Outgoing: Send {
    /// Sends one message, at once and whole.
    ///
    /// # Errors
    /// The host is gone.
    fn send(&mut self, message: &[u8]) -> io::Result<()>;
}
