//! Serves a plugin's providers to a host, over whatever carries messages. I/O.
//!
//! - `session`: the conversation: hello, calls, cancels, end.
//! - `desk`: which calls are under way, which wait, and the threads that do them.
//! - `writer`: what goes to the host: one message at a time, and none for a call that has ended.
//! - `carrier`: what carries messages; `lines` over two files, [`abi`](crate::abi) over C functions.
//! - `program`: a plugin as a program of its own.

mod carrier;
mod desk;
mod lines;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod memory;
mod program;
mod session;
mod stdio;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use carrier::{Incoming, Outgoing};
pub use desk::MOST_CALLS;
#[cfg(feature = "testing")]
pub(crate) use program::ASKED;
pub use program::{asked, main};
pub(crate) use session::serve;
pub use stdio::take_stdio;
