//! `cloudpad remove`: takes a project off its hosts.

use std::sync::Arc;

use super::Ended;
use super::args::{Global, Lock, Select};
use super::consent::agreed;
use super::session::Session;
use crate::config::OnFailure;
use crate::look::At;
use crate::plan::{self, Until};
use crate::term::Term;

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
        let session = Session::open("remove", true, global, term)?.exclusive("remove", &self.lock);
        let selection = self.select.selection();
        let looked = session.look(&selection, At::Left)?;
        let goal = session.goal(Until::Deploy, selection, &looked);
        let plan = match &looked.observed.cluster {
            Some(seen) => plan::remove_from(&session.config, &looked.scope, seen, &goal),
            None => plan::remove(&session.config, &looked.inventory, &looked.observed, &goal, self.volumes),
        };
        let mut plan = plan.map_err(|problems| session.refuses(problems.into()))?;
        if !plan.actions.is_empty() {
            plan.notes.extend(plan::left_in_registry(&goal));
        }
        session.decided(&mut plan, &looked, &goal);
        // What could not be removed is no reason to bring back the rest.
        agreed(&session, ("", &plan), self.yes, (&looked, &goal), OnFailure::Stop)
    }
}
