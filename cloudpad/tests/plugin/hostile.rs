//! Every way to misbehave that we could think of, one test each; the table is in `main.rs`. A test first runs the plugin
//! without the host and shows that it does what it is here for. Then the host has to come to an end with it, in bounded time,
//! with an error that names the plugin and says what it did, and no process of it may be left.

mod alone;
mod calls;
mod files;
mod floods;
mod libraries;
mod lines;
mod places;

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use cloudpad_plugin_api::{Failure, FailureKind};

use super::kit::{Bench, text};

/// Longer than anything takes. No plugin may hold the host up for ever.
const BOUND: Duration = Duration::from_secs(300);

/// Ends all tests when the one that holds it takes too long.
pub struct Watch(#[expect(dead_code, reason = "it is held")] Sender<()>);

impl Watch {
    pub fn new() -> Self {
        let (done, wait) = channel();
        let name = thread::current().name().unwrap_or_default().to_owned();
        thread::spawn(move || {
            if wait.recv_timeout(BOUND) == Err(RecvTimeoutError::Timeout) {
                panic_everywhere(&name);
            }
        });
        Self(done)
    }
}

#[expect(clippy::print_stderr, reason = "nobody else can say it")]
fn panic_everywhere(name: &str) {
    eprintln!("`{name}` has not come to an end within {} s", BOUND.as_secs());
    std::process::exit(101);
}

impl Bench {
    /// The plugin gets a call that changes something, and is at fault over it.
    #[track_caller]
    pub fn at_fault(&self, path: &Path, expected: &str) -> Failure {
        let _watch = Watch::new();
        let failure = self.fails(path);
        assert_eq!(failure.kind, FailureKind::Crashed, "{failure}");
        self.names_it(path, &text(&failure), expected);
        failure
    }

    /// The plugin cannot be had to say hello.
    #[track_caller]
    pub fn never_opens(&self, path: &Path, expected: &str) {
        let _watch = Watch::new();
        self.names_it(path, &self.refused(path), expected);
    }

    #[track_caller]
    fn names_it(&self, path: &Path, said: &str, expected: &str) {
        let who = format!("plugin `x` (`{}`) ", path.display());
        assert!(said.starts_with(&who) && said.contains(expected), "not `{expected}`: {said}");
        self.assert_gone();
    }
}
