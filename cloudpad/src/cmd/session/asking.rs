//! What a command asks outside of any plan: the user, a provider, the journals, hosts' disks.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use cloudpad_plugin_api::stage::deploy::Machine;
use cloudpad_plugin_api::{Emit, Event, Failure, Level, Reply, Request};

use super::Session;
use crate::cmd::Refused;
use crate::departed;
use crate::everywhere;
use crate::history::{self, Run};
use crate::journal;
use crate::look::Looked;
use crate::plan::{self, Goal, Note, Plan, Until};
use crate::refusal::Refusal;
use crate::run::MOST_AT_ONCE;
use crate::term::Unseen;

impl Session {
    /// Asks a question whose answer is typed and not shown.
    ///
    /// # Errors
    /// When there is nobody who answers, or the user stops it.
    pub(in crate::cmd) fn type_unseen(&self, question: &str) -> Result<String, Refusal> {
        let failed = |error| Refusal::new(format!("the terminal cannot be read: {error}"));
        let unseen = Unseen::begin().map_err(failed)?;
        let (answer, answered) = tokio::sync::oneshot::channel();
        let (term, question) = (self.term.clone(), question.to_owned());
        std::thread::spawn(move || answer.send(term.answer(&question)));
        let typed = self.wait_for(async {
            tokio::select! {
                biased;
                () = self.runner.stop.requested() => Err(Refusal::Stopped),
                said = answered => said.map_err(io::Error::other).flatten().map_err(failed),
            }
        });
        drop(unseen);
        typed
    }

    /// The journals of what was done from here, the oldest first.
    pub(in crate::cmd) fn journals(&self) -> Vec<journal::Found> {
        journal::found(&self.cache, |_| true)
    }

    /// What there is to say of hosts that the project has left, where a deploy is about all of it.
    pub(in crate::cmd) fn departed(&self, looked: &Looked, goal: &Goal) -> Vec<Note> {
        let narrows = goal.select.narrows_hosts() || goal.select.narrows_services();
        if narrows || goal.until != Until::Deploy || goal.restore.is_some() {
            return Vec::new();
        }
        let Looked { inventory, observed, .. } = looked;
        let journals = journal::found(&self.cache, departed::tells);
        let runs: Vec<Run<'_>> = journals.iter().flat_map(readable).collect();
        match &observed.cluster {
            Some(seen) => departed::notes_of_hosts(&self.config.project, seen, &runs),
            None => departed::notes(&self.config.project, inventory, observed, &runs),
        }
    }

    /// Asks hosts to which the plan brings images whether they have room for them, and notes where they have little. One
    /// that does not tell, or whose provider does not, is taken to have enough.
    pub(in crate::cmd) fn look_for_room(&self, plan: &mut Plan, looked: &Looked) -> Result<(), Refused> {
        let requests = plan::look_for_room(plan);
        let hosts: Vec<_> = requests.iter().filter_map(Request::host).map(|host| host.name.clone()).collect();
        let mut disks = BTreeMap::new();
        let answers = everywhere::ask(
            &self.runner,
            requests,
            MOST_AT_ONCE,
            |_, _| {},
            |answer| {
                if let Ok(Reply::Machine(Machine { disk: Some(disk), .. })) = answer.outcome {
                    disks.extend(hosts.get(answer.index).map(|host| (host.clone(), disk)));
                }
            },
        );
        self.wait_for(answers);
        let notes = plan::room(plan, &looked.inventory, &looked.observed, &disks)
            .map_err(|problems| self.refuses(problems.into()))?;
        plan.notes.extend(notes);
        Ok(())
    }

    /// Asks a provider something that is no part of a plan.
    ///
    /// # Errors
    /// What the provider answers; that the user stops it.
    pub(in crate::cmd) fn ask(&self, request: Request) -> Result<Reply, Refused> {
        let (providers, term) = (self.runner.providers.clone(), self.term.clone());
        let cancel = self.runner.stop.cancel().clone();
        let emit: Emit = Arc::new(move |event| match event {
            Event::Log { level: Level::Warn, message } => term.warn(&message),
            Event::Log { level: Level::Info, message } => term.status(&message),
            _ => {}
        });
        let asked = cancel.clone();
        let reply = self.wait_for(async {
            let mut work = tokio::task::spawn_blocking(move || providers.call(&request, "", emit, asked));
            let done = tokio::select! {
                done = &mut work => done,
                () = self.runner.stop.requested() => {
                    cancel.cancel();
                    work.await
                }
            };
            done.unwrap_or_else(|error| Err(Failure::failed(error.to_string())))
        });
        if self.runner.stop.is_requested() {
            return Err(Refusal::Stopped.into());
        }
        reply.map_err(|failure| Refusal::Failures(vec![failure]).into())
    }
}

/// The runs of a journal; one that cannot be read is for `history` to tell.
fn readable(found: &journal::Found) -> Vec<Run<'_>> {
    let text = found.text.as_deref().unwrap_or_default();
    history::read("", text, found.under_way).unwrap_or_default()
}
