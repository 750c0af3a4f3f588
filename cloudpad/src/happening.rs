//! Listens to what happens to containers on several hosts, and to which hosts there are, and goes on when a connection was lost.
//! I/O: plugins, clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use cloudpad_plugin_api::stage::deploy::{Events, Happened};
use cloudpad_plugin_api::stage::inventory::Watch;
use cloudpad_plugin_api::{Cancel, Event, Failure, Level, Progress, Reply, Request, Stage};

use crate::project;
use crate::run::Runner;

/// How long a host that was lost is left alone at first; each time it is not there, twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How long at the most.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What is heard of a host.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// From now on nothing is missed.
    Listening,
    /// The connection is there again.
    Back,
    /// This.
    Happened(Happened),
    /// Something else for the user.
    Note(String),
    /// The connection is lost. It is tried again.
    Lost(Failure),
    /// There is no more to be heard.
    Ended(Failure),
}

/// Sends the requests, one for each host, and hands what is heard to `hear` with the host's name, on threads of its own, until the
/// user wants to stop or the runner's calls are broken off.
pub fn listen(runner: &Runner, requests: Vec<Events>, hear: impl Fn(&str, Heard) + Send + Sync + 'static) {
    let hear = Arc::new(hear);
    for request in requests {
        let (runner, hear) = (runner.clone(), hear.clone());
        std::thread::spawn(move || follow(&runner, request, &hear));
    }
}

/// Calls `changed` each time that the inventory may list other hosts, once at the beginning too, on a thread of its own and until the
/// runner's calls are broken off. Where its provider does not tell, nothing is heard.
pub fn listen_to_inventory(runner: &Runner, changed: impl Fn() + Send + 'static) {
    let runner = runner.clone();
    let (providers, cancel) = (runner.providers.clone(), runner.stop.cancel().clone());
    if !providers.offers(Stage::Inventory, "inventory.watch", &cancel)
        || !providers.is_parallel(Stage::Inventory, &cancel)
    {
        return;
    }
    std::thread::spawn(move || {
        let (mut since, mut pause) = (None, FIRST_PAUSE);
        loop {
            let call = Request::InventoryWatch(Watch { since: since.clone() });
            match providers.call(&call, "", Arc::new(|_| {}), cancel.clone()) {
                Ok(Reply::Watched(watched)) => {
                    (since, pause) = (Some(watched.now), FIRST_PAUSE);
                    changed();
                }
                Err(failure) if failure.retryable && !cancelled_within(&cancel, pause) => {
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
                _ => return,
            }
        }
    });
}

/// What is known of one host between two calls.
#[derive(Default)]
struct Known {
    /// Whether nothing is missed.
    listening: AtomicBool,
    /// Whether that has ever been so.
    has_listened: AtomicBool,
    /// From when on nothing has been heard yet, in nanoseconds since 1970; 0 where that is not known.
    unheard: AtomicI64,
}

fn follow<H: Fn(&str, Heard) + Send + Sync + 'static>(runner: &Runner, mut request: Events, hear: &Arc<H>) {
    let (host, known) = (request.host.name.clone(), Arc::new(Known::default()));
    let mut pause = FIRST_PAUSE;
    loop {
        let emit = {
            let (host, known, hear) = (host.clone(), known.clone(), hear.clone());
            move |event| known.take(event).into_iter().for_each(|heard| hear(&host, heard))
        };
        let cancel = runner.stop.cancel();
        let call = Request::DeployEvents(request.clone());
        let outcome = runner.providers.call(&call, "", Arc::new(emit), cancel.clone());
        let failure = outcome.err().unwrap_or_else(|| Failure::failed("it has stopped telling what happens"));
        let was_listening = known.listening.swap(false, Ordering::Relaxed);
        let has_listened = known.has_listened.load(Ordering::Relaxed);
        if !has_listened || !failure.retryable || cancel.is_cancelled() {
            return hear(&host, Heard::Ended(failure));
        }
        if was_listening {
            pause = FIRST_PAUSE;
            hear(&host, Heard::Lost(failure));
        }
        if cancelled_within(cancel, pause) {
            return hear(&host, Heard::Ended(Failure::cancelled()));
        }
        pause = LONGEST_PAUSE.min(pause * 2);
        request.since =
            Some(known.unheard.load(Ordering::Relaxed)).filter(|time| *time > 0).or(request.since);
    }
}

impl Known {
    fn take(&self, event: Event) -> Option<Heard> {
        match event {
            Event::Progress(Progress { label, .. }) if label == Events::LISTENING => {
                if self.unheard.load(Ordering::Relaxed) == 0 {
                    // Nobody has said yet what time it is there.
                    self.unheard.store(project::nanoseconds(), Ordering::Relaxed);
                }
                self.listening.store(true, Ordering::Relaxed);
                match self.has_listened.swap(true, Ordering::Relaxed) {
                    true => Some(Heard::Back),
                    false => Some(Heard::Listening),
                }
            }
            Event::Happened(happened) => {
                if let Some(time) = happened.time {
                    self.unheard.store(time.saturating_add(1), Ordering::Relaxed);
                }
                Some(Heard::Happened(happened))
            }
            Event::Log { level: Level::Info | Level::Warn, message } => Some(Heard::Note(message)),
            _ => None,
        }
    }
}

/// Waits for so long; returns whether the calls were broken off meanwhile.
fn cancelled_within(cancel: &Cancel, time: Duration) -> bool {
    let (wake, woken) = channel();
    cancel.on_cancel(move || {
        let _ = wake.send(());
    });
    woken.recv_timeout(time).is_ok()
}
