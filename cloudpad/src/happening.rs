//! Listens to what happens to containers on several hosts, and to which hosts there are, and goes on when a connection was lost.
//! I/O: plugins, clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cloudpad_plugin_api::stage::deploy::{Events, Happened};
use cloudpad_plugin_api::stage::inventory::Watch;
use cloudpad_plugin_api::{Event, Failure, Level, Progress, Reply, Request, Stage};

use crate::again::{Ear, Opens, Pause, call_again};
use crate::project;
use crate::run::Runner;

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
        let (mut since, mut pause) = (None, Pause::default());
        loop {
            let call = Request::InventoryWatch(Watch { since: since.clone() });
            match providers.call(&call, "", Arc::new(|_| {}), cancel.clone()) {
                Ok(Reply::Watched(watched)) => {
                    (since, pause) = (Some(watched.now), Pause::default());
                    changed();
                }
                Err(failure) if failure.retryable && !pause.is_broken_off(&cancel) => {}
                _ => return,
            }
        }
    });
}

/// What is known of one host between two calls.
#[derive(Default)]
struct Known {
    ear: Ear,
    /// From when on nothing has been heard yet, in nanoseconds since 1970; 0 where that is not known.
    unheard: AtomicI64,
}

fn follow<H: Fn(&str, Heard) + Send + Sync + 'static>(runner: &Runner, mut request: Events, hear: &Arc<H>) {
    let (host, known) = (request.host.name.clone(), Arc::new(Known::default()));
    let cancel = runner.stop.cancel();
    let call = || {
        let emit = {
            let (host, known, hear) = (host.clone(), known.clone(), hear.clone());
            move |event| known.take(event).into_iter().for_each(|heard| hear(&host, heard))
        };
        let unheard = Some(known.unheard.load(Ordering::Relaxed)).filter(|time| *time > 0);
        request.since = unheard.or(request.since);
        let call = Request::DeployEvents(request.clone());
        runner.providers.call(&call, "", Arc::new(emit), cancel.clone())
    };
    let outcome = call_again(cancel, &known.ear, call, |failure| hear(&host, Heard::Lost(failure)));
    let ended = |_| Failure::failed("it has stopped telling what happens");
    hear(&host, Heard::Ended(outcome.map_or_else(|failure| failure, ended)));
}

impl Known {
    fn take(&self, event: Event) -> Option<Heard> {
        match event {
            Event::Progress(Progress { label, .. }) if label == Events::LISTENING => {
                if self.unheard.load(Ordering::Relaxed) == 0 {
                    // Nobody has said yet what time it is there.
                    self.unheard.store(project::nanoseconds(), Ordering::Relaxed);
                }
                match self.ear.opens() {
                    Opens::First => Some(Heard::Listening),
                    Opens::Again | Opens::Still => Some(Heard::Back),
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
