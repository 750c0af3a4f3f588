//! `cloudpad prune`: removes from hosts what nothing needs any more.

use std::sync::Arc;

use super::Ended;
use super::args::{Global, Lock, Select};
use super::consent::consent;
use super::session::Session;
use crate::look::At;
use crate::plan::{self, Until};
use crate::term::Term;
use crate::words;

/// Remove containers, images and releases beyond those that are kept
#[derive(clap::Args)]
pub(super) struct Args {
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    /// One-off containers that are to end, though they still run; their names are those of `cloudpad ps`
    #[arg(value_name = "ONE-OFF")]
    one_offs: Vec<String>,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    select: Select,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("prune", true, global, term)?.exclusive("prune", self.lock.wait);
        let selection = self.select.selection();
        let looked = session.look(&selection, At::Past)?;
        let goal = session.goal(Until::Deploy, selection, &looked);
        let plan = plan::prune(&session.config, &looked.inventory, &looked.observed, &goal, &self.one_offs)
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
