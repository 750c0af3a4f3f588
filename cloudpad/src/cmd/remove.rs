//! `cloudpad remove`: takes a project off its hosts.

use std::sync::Arc;

use super::Ended;
use super::args::{Global, Lock, Select};
use super::consent::consent;
use super::session::Session;
use crate::config::OnFailure;
use crate::look::At;
use crate::plan::{self, Until};
use crate::term::Term;
use crate::words;

/// Remove the project from its hosts: containers, routes, images, networks, releases
#[derive(clap::Args)]
pub(super) struct Args {
    /// Remove volumes too, with all that is in them
    #[arg(long)]
    volumes: bool,
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    select: Select,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let mut session = Session::open("remove", true, global, term)?.exclusive("remove", self.lock.wait);
        // What could not be removed is no reason to bring back the rest.
        session.config.deploy.on_failure = OnFailure::Stop;
        let selection = self.select.selection();
        let looked = session.look(&selection, At::Past)?;
        let goal = session.goal(Until::Deploy, selection, &looked);
        let plan = plan::remove(&session.config, &looked.inventory, &looked.observed, &goal, self.volumes)
            .map_err(|problems| session.refuses(problems.into()))?;
        session.tell(&plan, &goal);
        if plan.actions.is_empty() {
            plan.notes.iter().for_each(|note| term.warn(&note.message));
            return Ok(session.finish());
        }
        consent(&words::plan(&plan), self.yes, term, |question| session.confirm(question))?;
        session.carry_out(&plan, &looked, &goal)
    }
}
