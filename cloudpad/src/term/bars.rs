//! Live progress on a terminal: one line for each action under way. I/O: terminal, through `indicatif`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cloudpad_plugin_api::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::report::{Phase, Subject};
use crate::words;

/// What tells actions apart: their numbers do not where several plans are looked at in one phase.
type Key = (u8, &'static str, Option<String>, String);

/// The lines of all actions under way.
pub(super) struct Bars {
    multi: MultiProgress,
    running: Mutex<BTreeMap<Key, ProgressBar>>,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { multi: MultiProgress::new(), running: Mutex::new(BTreeMap::new()) }
    }

    pub(super) fn start(&self, phase: Phase, action: &Subject) {
        let host = action.host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default();
        let bar = ProgressBar::new_spinner()
            .with_style(style("{spinner} {prefix:.bold}{msg} {elapsed:.dim}"))
            .with_prefix(host)
            .with_message(words::doing(action));
        let bar = self.multi.add(bar);
        bar.enable_steady_tick(Duration::from_millis(120));
        self.lock().insert(key(phase, action), bar);
    }

    pub(super) fn output(&self, phase: Phase, action: &Subject, line: &str) {
        if let Some(bar) = self.lock().get(&key(phase, action)) {
            bar.set_message(format!("{}: {line}", words::doing(action)));
        }
    }

    pub(super) fn progress(&self, phase: Phase, action: &Subject, progress: &Progress) {
        let running = self.lock();
        let Some(bar) = running.get(&key(phase, action)) else { return };
        let count = if progress.unit == "bytes" { "{bytes}/{total_bytes}" } else { "{pos}/{len}" };
        if let Some(total) = progress.total {
            bar.set_style(style(&format!("{{spinner}} {{prefix:.bold}}{{msg}} {{bar:24}} {count}")));
            bar.set_length(total);
        }
        bar.set_position(progress.done);
    }

    pub(super) fn finish(&self, phase: Phase, action: &Subject) {
        if let Some(bar) = self.lock().remove(&key(phase, action)) {
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
    }

    /// Writes lines above the bars.
    pub(super) fn suspend(&self, write: impl FnOnce()) {
        self.multi.suspend(write);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, ProgressBar>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(phase: Phase, action: &Subject) -> Key {
    (phase as u8, action.method, action.host.clone(), action.object.clone())
}

/// The templates are ours and valid; a plain spinner stands in for one that is not.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
