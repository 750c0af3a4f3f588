//! How long plugins may take, and how much they may send. Pure.

use std::time::Duration;

use cloudpad_plugin_api::wire::MAX_LINE;

/// What a plugin may take of time and memory.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From its start to its hello.
    pub hello: Duration,
    /// For all looks at configurations together, before they are asked to stop.
    pub check: Duration,
    /// From a request to stop to the answer.
    pub cancel: Duration,
    /// From the end of its standard input to its own end.
    pub close: Duration,
    /// From SIGTERM to its end.
    pub term: Duration,
    /// From SIGKILL to its end: a process may hang in the kernel.
    pub kill: Duration,
    /// For which what it left behind may keep its output open; also between two ends that belong together, as that
    /// of its output and its own.
    pub drain: Duration,
    /// For which it may leave standard input unread while a message waits.
    pub read: Duration,
    /// The longest line it may send, in bytes.
    pub line: usize,
    /// How many bytes of one call's events wait for their listener before no more is read.
    pub waiting: usize,
    /// How often one plugin is started in a run: it may die over one host, and others are waiting.
    pub starts: u32,
    /// How deep plugins may start Cloudpad, which starts plugins.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(10),
            check: Duration::from_secs(60),
            cancel: Duration::from_secs(10),
            close: Duration::from_secs(2),
            term: Duration::from_secs(5),
            kill: Duration::from_secs(5),
            drain: Duration::from_secs(1),
            read: Duration::from_secs(30),
            line: MAX_LINE,
            waiting: 256 * 1024,
            starts: 4,
            depth: 4,
        }
    }
}
