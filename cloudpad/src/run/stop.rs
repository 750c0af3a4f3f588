//! The user's wish to stop: once to begin nothing new, twice to break off what is under way. I/O: signals.

use std::sync::Arc;

use cloudpad_plugin_api::Cancel;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::term::Term;

/// Whether the user wants to stop. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Stop {
    requested: watch::Sender<bool>,
    cancel: Cancel,
}

impl Stop {
    /// Listens for SIGINT and SIGTERM, for as long as the runtime lives.
    ///
    /// # Errors
    /// When the system does not let us listen.
    pub fn on_signals(term: Arc<Term>) -> std::io::Result<Self> {
        let stop = Self::default();
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
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
        if self.requested.send_replace(true) {
            term.warn("stopping now");
            self.cancel.cancel();
        } else {
            term.warn(
                "stopping: what is under way is finished, nothing new is begun; once more stops at once",
            );
        }
    }

    /// The same wish, and a way of its own to break off what is under way.
    pub fn apart(&self) -> Self {
        let apart = Self { requested: self.requested.clone(), cancel: Cancel::new() };
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

    /// What breaks off actions under way.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}
