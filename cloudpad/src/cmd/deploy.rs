//! `cloudpad deploy`: brings what runs to what the config says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{Global, Lock, Select};
use super::consent::agreed;
use super::session::Session;
use super::{Ended, Refused};
use crate::inventory::Selection;
use crate::look::{At, Looked};
use crate::plan::{self, Goal, Plan, SavedPlan, Until};
use crate::project;
use crate::refusal::Refusal;
use crate::term::Term;

/// Bring what runs to what `Cloudpad.toml` says
#[derive(clap::Args)]
pub(super) struct Args {
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    /// Carry out a plan that `plan --out FILE` has saved, if what it was made from is still so
    #[arg(long, value_name = "FILE", conflicts_with_all = ["service", "group", "role", "host"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    select: Select,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("deploy", true, global, term)?.exclusive("deploy", &self.lock);
        let (plan, looked, goal) = match &self.plan {
            Some(file) => saved(&session, file)?,
            None => fresh(&session, self.select.selection())?,
        };
        let on_failure = session.config.deploy.on_failure;
        agreed(&session, ("", &plan), self.yes, (&looked, &goal), on_failure)
    }
}

fn fresh(session: &Session, selection: Selection) -> Result<(Plan, Looked, Goal), Refused> {
    let looked = session.look(&selection, At::Everything)?;
    let goal = session.goal(Until::Deploy, selection, &looked);
    let plan = session.plan(&looked, &goal)?;
    Ok((plan, looked, goal))
}

/// A saved plan, if what it was made from is still so.
fn saved(session: &Session, file: &Path) -> Result<(Plan, Looked, Goal), Refused> {
    let mut saved: SavedPlan = project::read_json(file, "a saved plan")?;
    let looked = session.look(&saved.goal.select, At::Everything)?;
    saved.check(&session.config, &looked.observed).map_err(|failure| Refusal::Failures(vec![failure]))?;
    let release = plan::release_name(&saved.plan, &looked.observed, &saved.goal).to_owned();
    session.announce(&mut saved.plan, &release);
    Ok((saved.plan, looked, saved.goal))
}
