//! The user's wish to stop: once to begin nothing new, twice to break off what is under way, three times to leave. I/O:
//! signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cloudpad_plugin_api::Cancel;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::report::exit;
use crate::term::{Term, restore_terminal};

/// Whether the user wants to stop. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Stop {
    requested: watch::Sender<bool>,
    /// Whether the first wish breaks off what is under way.
    at_once: Arc<AtomicBool>,
    cancel: Cancel,
}

impl Stop {
    /// Listens for SIGINT, SIGTERM and SIGHUP, for as long as the runtime lives. A terminal that is closed, or a
    /// connection to it that breaks, would else leave instances without service that are being replaced.
    ///
    /// # Errors
    /// When the system does not let us listen.
    pub fn on_signals(term: Arc<Term>) -> std::io::Result<Self> {
        let stop = Self::default();
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        if hangup_counts() {
            kinds.push(SignalKind::hangup());
        }
        for kind in kinds {
            let (mut signal, wish, term) = (signal(kind)?, stop.clone(), term.clone());
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    wish.heard(&term);
                }
            });
        }
        Ok(stop)
    }

    fn heard(&self, term: &Term) {
        if self.cancel.is_cancelled() {
            // What is under way does not end, and nobody waits for it any more. Plugins end when they hear nothing more.
            term.warn("left without waiting for what was under way");
            restore_terminal();
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
        if self.at_once.load(Ordering::Relaxed) {
            self.requested.send_replace(true);
            self.cancel.cancel();
        } else if self.requested.send_replace(true) {
            term.warn("stopping now; once more leaves without waiting for what is under way");
            self.cancel.cancel();
        } else {
            term.warn(
                "stopping: what is under way is finished, nothing new is begun; once more stops at once",
            );
        }
    }

    /// From now on one wish is enough to break off what is under way: nothing has to be finished.
    pub fn let_be_at_once(&self) {
        self.at_once.store(true, Ordering::Relaxed);
    }

    /// The same, until `work` is done.
    pub async fn at_once_during<T>(&self, work: impl Future<Output = T>) -> T {
        let before = self.at_once.swap(true, Ordering::Relaxed);
        let done = work.await;
        self.at_once.store(before, Ordering::Relaxed);
        done
    }

    /// The same wish, and a way of its own to break off what is under way.
    pub fn apart(&self) -> Self {
        let apart = Self { cancel: Cancel::new(), ..self.clone() };
        let cancel = apart.cancel.clone();
        self.cancel.on_cancel(move || cancel.cancel());
        apart
    }

    /// Whether the user wants to stop.
    pub fn is_requested(&self) -> bool {
        *self.requested.borrow()
    }

    /// Comes back when the user wants to stop.
    pub async fn requested(&self) {
        // It cannot be closed, since `self` holds the sender.
        let _ = self.requested.subscribe().wait_for(|requested| *requested).await;
    }

    /// Comes back when the user wants more than what was wanted when this was asked: to stop, or to break off what is
    /// under way.
    pub async fn more(&self) {
        if !self.is_requested() {
            return self.requested().await;
        }
        let broken_off = Arc::new(Notify::new());
        let heard = broken_off.clone();
        self.cancel.on_cancel(move || heard.notify_one());
        broken_off.notified().await;
    }

    /// Waits for so long, or until the user wants to stop; returns whether that is so.
    pub async fn within(&self, time: Duration) -> bool {
        timeout(time, self.requested()).await.is_ok()
    }

    /// What breaks off actions under way.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

/// Whether to listen for SIGHUP. Who has started us with `nohup` wants it to be ignored, and listening would end
/// that; where it cannot be found out, the system's own handling stays.
fn hangup_counts() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| hangup_is_not_ignored(&status))
}

/// Reads the set of ignored signals in the form of Linux' `/proc/PID/status`, in which SIGHUP is the lowest bit.
fn hangup_is_not_ignored(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 0)
}

#[cfg(test)]
mod tests {
    use super::hangup_is_not_ignored;

    #[test]
    fn an_ignored_hangup_stays_ignored() {
        let cases = [
            ("Name:\tcloudpad\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n", true),
            ("SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n", false),
            ("nothing that is known", false),
        ];
        for (status, expected) in cases {
            assert_eq!(hangup_is_not_ignored(status), expected, "{status}");
        }
    }
}
