//! `cloudpad plan`: tells what `deploy` would do, and does not do it.

use std::path::PathBuf;
use std::sync::Arc;

use super::Ended;
use super::args::{Global, Select};
use super::session::Session;
use crate::look::At;
use crate::plan::{SavedPlan, Until};
use crate::report::exit;
use crate::term::Term;
use crate::{project, words};

/// Show what `deploy` would do
#[derive(clap::Args)]
pub(super) struct Args {
    /// Exit with 3 when there is something to do
    #[arg(long)]
    exit_code: bool,
    /// Save the plan, for `deploy --plan FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    select: Select,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("plan", false, global, term)?;
        let looked = session.look(&self.select.selection(), At::Everything)?;
        let goal = session.goal(Until::Deploy, self.select.selection(), &looked);
        let plan = session.plan(&looked, &goal)?;
        let text = if term.is_json() { words::json_line(&plan) } else { words::plan(&plan) };
        let changes = !plan.actions.is_empty();
        if let Some(file) = &self.out {
            let saved = SavedPlan::new(&session.config, goal, &looked.observed, plan);
            project::write_private(file, &words::json_line(&saved))?;
            term.status(&format!("saved; `cloudpad deploy --plan {}` carries it out", file.display()));
        }
        term.data(&text);
        Ok(if changes && self.exit_code { exit::CHANGES } else { exit::OK })
    }
}
