//! `cloudpad trust`: lets the project's own plugins run.

use std::sync::Arc;

use super::Ended;
use super::consent::consent;
use crate::plugin::setup::Setup;
use crate::plugin::trust::{State, Store};
use crate::project::Project;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;
use crate::words::{self, plugins};

/// Trust the plugins of this project (`.cloudpad/plugins`), as they are now
#[derive(clap::Args)]
pub(super) struct Args {
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    /// Trust none of them any more
    #[arg(long, conflicts_with = "yes")]
    revoke: bool,
}

impl Args {
    pub(super) fn run(&self, term: &Arc<Term>) -> Ended {
        let project = Project::find()?;
        let Some(store) = Setup::of_process(&project.dir).trust else {
            return Err(Refusal::new("there is no place to remember what you trust: HOME is not set").into());
        };
        if self.revoke {
            store.forget(&project.dir)?;
            term.status("no plugin of this project is trusted any more");
            return Ok(exit::OK);
        }
        self.trust(&project, &store, term)
    }

    fn trust(&self, project: &Project, store: &Store, term: &Arc<Term>) -> Ended {
        let surveyed = store.survey(&project.dir)?;
        if term.is_json() {
            term.data(&words::json_line(&surveyed));
        }
        if surveyed.iter().all(|plugin| plugin.state == State::Trusted) {
            term.status(&plugins::trusted(&surveyed));
            return Ok(exit::OK);
        }
        consent(&plugins::survey(&surveyed), self.yes, term, |question| match term.confirm(question) {
            true => Ok(()),
            false => Err(Refusal::new("nothing was done")),
        })?;
        store.trust(&project.dir, &surveyed)?;
        term.status("trusted, until a file changes");
        Ok(exit::OK)
    }
}
