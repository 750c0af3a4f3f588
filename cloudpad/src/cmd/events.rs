//! `cloudpad events`: what happens to containers, on all hosts, as it happens.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use cloudpad_plugin_api::FailureKind;
use cloudpad_plugin_api::stage::deploy::{Events, Happened};

use super::Ended;
use super::args::{Global, since};
use super::session::Session;
use super::whom::Those;
use crate::happening::{Heard, listen};
use crate::interleave::Window;
use crate::report::exit;
use crate::run::Runner;
use crate::term::Term;
use crate::words::{self, Prefixes, happened};

/// Print what happens to containers on all hosts, as it happens
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    those: Those,
    /// Also what has happened since, as far as the hosts remember, such as `10m`, `1h`, or `2026-11-26T08:15:00Z`
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<i64>,
}

/// What is heard of a host.
type Message = (String, Heard);

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("events", false, global, term)?;
        let hosts = self.those.hosts(&session)?;
        let project = session.config.project.clone();
        let services = self.those.services();
        let request =
            |host| Events { host, project: project.clone(), services: services.clone(), since: self.since };
        let requests: Vec<_> = hosts.into_iter().map(request).collect();
        session.runner.stop.let_be_at_once();
        let runner = session.runner.clone();
        let failed = session.listening(|| self.follow(term, &runner, requests))?;
        match () {
            () if term.is_closed() => Ok(exit::OK),
            () if session.runner.stop.is_requested() => Ok(exit::INTERRUPTED),
            () if failed => Ok(exit::FAILED),
            () => Ok(exit::OK),
        }
    }

    /// Whether no host is listened to any more.
    fn follow(&self, term: &Term, runner: &Runner, requests: Vec<Events>) -> bool {
        let (send, receive) = channel();
        listen(runner, requests, move |host, heard| drop(send.send((host.to_owned(), heard))));
        let failed = self.as_they_come(term, &receive);
        runner.stop.cancel().cancel();
        failed
    }

    /// Each event a little later than it comes, so that earlier ones of other hosts can overtake it.
    fn as_they_come(&self, term: &Term, receive: &Receiver<Message>) -> bool {
        let (mut window, mut prefixes, mut failed) = (Window::default(), Prefixes::default(), false);
        while !term.is_closed() {
            let due = window.next_due().map(|due| due.saturating_duration_since(Instant::now()));
            let message = match due {
                Some(wait) => receive.recv_timeout(wait),
                None => receive.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok((host, Heard::Happened(happened))) => {
                    window.push(happened.time, (host, happened), Instant::now());
                }
                Ok((host, heard)) => failed |= tell(term, &host, &heard),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    window
                        .finish()
                        .iter()
                        .for_each(|(host, happened)| self.print(term, &mut prefixes, host, happened));
                    break;
                }
            }
            let now = Instant::now();
            while let Some((host, happened)) = window.pop(now) {
                self.print(term, &mut prefixes, &host, &happened);
            }
        }
        failed
    }

    fn print(&self, term: &Term, prefixes: &mut Prefixes, host: &str, happened: &Happened) {
        if !self.those.mean(&happened.source) {
            return;
        }
        if term.is_json() {
            return term.data(&words::json_line(&happened::json(host, happened)));
        }
        let prefix = prefixes.of(&format!("{}@{host}", happened.source));
        term.data(&format!("{prefix}{}\n", happened::line(happened)));
    }
}

/// Tells what is heard beside events; whether it is that there is no more.
fn tell(term: &Term, host: &str, heard: &Heard) -> bool {
    match heard {
        Heard::Note(note) => term.status(&format!("{host}: {note}")),
        Heard::Listening => term.detail(&format!("{host}: listening")),
        Heard::Back => term.status(&format!("{host}: listening again")),
        Heard::Lost(failure) => term.warn(&format!("{host}: {}", words::lost(failure))),
        Heard::Ended(failure) if failure.kind == FailureKind::Cancelled => {}
        Heard::Ended(failure) => {
            term.error(&format!("{host}: {}", words::failure(failure)));
            return true;
        }
        Heard::Happened(_) => {}
    }
    false
}
