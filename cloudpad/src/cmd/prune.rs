//! `cloudpad prune`: removes from hosts what nothing needs any more.

use std::sync::Arc;

use super::Ended;
use super::args::{Global, Lock, Select};
use super::consent::agreed;
use super::session::Session;
use crate::look::At;
use crate::plan::{self, Until};
use crate::term::Term;

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
        let session = Session::open("prune", true, global, term)?.exclusive("prune", &self.lock);
        let selection = self.select.selection();
        let looked = session.look(&selection, At::Past)?;
        let goal = session.goal(Until::Deploy, selection, &looked);
        let mut plan =
            plan::prune(&session.config, &looked.inventory, &looked.observed, &goal, &self.one_offs)
                .map_err(|problems| session.refuses(problems.into()))?;
        session.tell(&mut plan, &goal);
        let on_failure = session.config.deploy.on_failure;
        agreed(&session, ("", &plan), self.yes, (&looked, &goal), on_failure)
    }
}
