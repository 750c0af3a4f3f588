//! Asks one host, or a cluster, what its containers print, and asks again where it is lost while it is followed. I/O: plugins, clock.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cloudpad_plugin_api::stage::deploy::Events;
use cloudpad_plugin_api::{Event, Progress, Reply, Request};

use super::told::ToldLines;
use super::{Message, Told};
use crate::again::{Ear, Opens, call_again};
use crate::interleave::Line;
use crate::plan::CLUSTER;
use crate::project;
use crate::run::Runner;

/// Sends the request; what is followed is asked for again where it is lost. Nobody may be listening any more: then what is told is
/// dropped.
pub(super) fn ask(runner: &Runner, mut request: Request, send: &SyncSender<Message>) {
    let asked = Arc::new(Asked::new(&mut request, send));
    let cancel = runner.stop.cancel();
    let mut is_again = false;
    let call = || {
        if std::mem::replace(&mut is_again, true) {
            asked.go_on(&mut request);
        }
        let hear = asked.clone();
        runner.providers.call(&request, "", Arc::new(move |event| hear.take(event)), cancel.clone())
    };
    let lost = |failure| asked.tell(Told::Lost(asked.host.clone(), failure));
    let outcome = call_again(cancel, &asked.ear, call, lost).map(|reply| match reply {
        Reply::Logged(logged) => logged.containers,
        _ => 0,
    });
    asked.tell(Told::Ended(asked.host.clone(), outcome));
}

/// What is asked of a host, from one call to the next.
struct Asked {
    /// Its name, or that of a cluster.
    host: String,
    follows: bool,
    send: SyncSender<Message>,
    ear: Ear,
    lines: Mutex<ToldLines>,
}

impl Asked {
    fn new(request: &mut Request, send: &SyncSender<Message>) -> Self {
        let host = request.host().map_or(CLUSTER, |host| &host.name).to_owned();
        let (follows, since, tail) = part(request).map_or((false, None, None), |(f, s, t)| (f, *s, *t));
        let unheard = if tail == Some(0) { since.max(Some(project::nanoseconds())) } else { since };
        let lines = Mutex::new(ToldLines::new(since, unheard));
        Self { host, follows, send: send.clone(), ear: Ear::default(), lines }
    }

    fn lines(&self) -> MutexGuard<'_, ToldLines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the request one for what has not been told.
    fn go_on(&self, request: &mut Request) {
        let mut lines = self.lines();
        if let Some((_, since, tail)) = part(request) {
            (*since, *tail) = (lines.since(), None);
        }
        lines.read_again();
    }

    fn take(&self, event: Event) {
        match event {
            Event::Output { source, line: text, time, stderr } => {
                if self.follows {
                    self.hears();
                    if !self.lines().is_new(&source, stderr, time, Instant::now()) {
                        return;
                    }
                }
                let (instance, host) = instance(source, &self.host);
                self.send(Message::Line(Line { time, instance, host, text, stderr }));
            }
            Event::Log { message, .. } => self.tell(Told::Note(format!("{}: {message}", self.host))),
            Event::Progress(Progress { label, .. }) if self.follows && label == Events::LISTENING => {
                // The provider itself may have lost the host, and begins anew.
                self.lines().read_again();
                self.hears();
            }
            _ => {}
        }
    }

    fn hears(&self) {
        if self.ear.opens() == Opens::Again {
            self.tell(Told::Back(self.host.clone()));
        }
    }

    fn tell(&self, told: Told) {
        self.send(Message::Other(told));
    }

    fn send(&self, message: Message) {
        let _ = self.send.send(message);
    }
}

/// Whether a request follows, from when on, and how many lines of what there is.
fn part(request: &mut Request) -> Option<(bool, &mut Option<i64>, &mut Option<u64>)> {
    match request {
        Request::DeployLogs(logs) => Some((logs.follow, &mut logs.since, &mut logs.tail)),
        Request::ClusterLogs(logs) => Some((logs.follow, &mut logs.since, &mut logs.tail)),
        _ => None,
    }
}

/// Whose line it is, and where that is: a cluster tells of the node too, where it knows it.
fn instance(source: String, host: &str) -> (String, String) {
    match source.split_once('@').filter(|_| host == CLUSTER) {
        Some((instance, node)) => (instance.to_owned(), node.to_owned()),
        None => (source, host.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use cloudpad_plugin_api::model::Project;
    use cloudpad_plugin_api::stage::cluster::Logs;

    use super::*;

    #[test]
    fn what_a_provider_tells_again_is_told_once_and_the_rest_is_asked_for() {
        const SECOND: i64 = 1_000_000_000;
        let project = Arc::new(Project { name: "shop".into(), environment: None });
        let (services, number, follow) = (Vec::new(), None, true);
        let logs = Logs { project, services, number, follow, since: None, tail: Some(1) };
        let mut request = Request::ClusterLogs(logs);
        let (send, told) = sync_channel(16);
        let asked = Asked::new(&mut request, &send);
        let line = |second: i64| Event::Output {
            source: "web.1@n1".to_owned(),
            line: second.to_string(),
            time: Some(second * SECOND),
            stderr: false,
        };
        for seconds in [&[100][..], &[100, 101], &[101]] {
            asked.take(Events::listening());
            seconds.iter().for_each(|second| asked.take(line(*second)));
        }
        asked.go_on(&mut request);
        drop((asked, send));
        let lines = told.iter().map(|told| match told {
            Message::Line(line) => format!("{}@{} {}", line.instance, line.host, line.text),
            Message::Other(_) => "something else".to_owned(),
        });
        assert_eq!(lines.collect::<Vec<_>>(), ["web.1@n1 100", "web.1@n1 101"]);
        assert_eq!(part(&mut request), Some((true, &mut Some(91 * SECOND), &mut None)));
    }
}
