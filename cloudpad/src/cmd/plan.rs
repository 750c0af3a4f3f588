//! `cloudpad plan`: tells what `deploy` would do, and does not do it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cloudpad_plugin_api::stage::source::Location;

use super::args::{Global, Select};
use super::session::Session;
use super::{Ended, Refused};
use crate::config::Config;
use crate::look::At;
use crate::plan::{Plan, SavedPlan, Until};
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;
use crate::{project, words};

/// Show what `deploy` would do
#[derive(clap::Args)]
pub(super) struct Args {
    /// Exit with 3 when there is something to do, else with 1 when something is left out, such as a host that cannot be reached
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
        let code = if self.exit_code { code(&plan) } else { exit::OK };
        if let Some(file) = &self.out {
            let saved = SavedPlan::new(&session.config, goal, &looked.observed, plan);
            project::write_private(file, &words::json_line(&saved))?;
            self.check_is_true_yet(&session, file, &saved)?;
            term.status(&format!("saved; `cloudpad deploy --plan {}` carries it out", file.display()));
        }
        term.data(&text);
        Ok(code)
    }

    /// A plan that is saved among the files of an image makes another image of it, and is out of date at once.
    fn check_is_true_yet(&self, session: &Session, file: &Path, saved: &SavedPlan) -> Result<(), Refused> {
        if !is_in_a_source(file, &session.config) {
            return Ok(());
        }
        let now = session.look(&self.select.selection(), At::Images)?.observed.images;
        let changed = now.values().find(|image| saved.seen.images.get(&image.name) != Some(&image.reference));
        let Some(image) = changed else { return Ok(()) };
        project::remove(file)?;
        let (file, image) = (file.display(), &image.name);
        Err(Refusal::new(format!(
            "`{file}` would be one of the files that image `{image}` is made from, and change it"
        ))
        .hint("save the plan in `.cloudpad/` or outside of the source, or list it in `.dockerignore`")
        .into())
    }
}

/// What tells a script of a plan. One that leaves something out does not say that all is as it should be.
fn code(plan: &Plan) -> u8 {
    match (plan.is_empty(), plan.is_incomplete()) {
        (false, _) => exit::CHANGES,
        (true, true) => exit::FAILED,
        (true, false) => exit::OK,
    }
}

fn is_in_a_source(file: &Path, config: &Config) -> bool {
    config.sources.values().any(|source| match &source.location {
        Location::Directory { path } => project::is_inside(file, path),
        _ => false,
    })
}
