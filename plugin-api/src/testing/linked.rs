//! A linked plugin, spoken to message by message. I/O: a thread.

use std::sync::mpsc::{Receiver, Sender};
use std::thread::{self, JoinHandle};

use crate::Plugin;
use crate::serve::{memory, serve};

/// A linked plugin that serves in a thread of its own: for tests about the very bytes that are said, which
/// [`TestHost`](super::TestHost) does not show.
pub struct Linked {
    /// To the plugin, one message at a time. It ends when this is dropped.
    pub to: Sender<Vec<u8>>,
    /// From the plugin.
    pub from: Receiver<Vec<u8>>,
    /// How it has ended.
    pub served: JoinHandle<Result<(), String>>,
}

impl Linked {
    /// Has a plugin serve.
    pub fn serve(plugin: &'static Plugin) -> Self {
        let (host, mut from, to) = memory::pair();
        let served = thread::spawn(move || serve(plugin, &mut from, Box::new(to)));
        Self { to: host.to, from: host.from, served }
    }
}
