//! `cloudpad start`: starts what was stopped.

use std::sync::Arc;

use super::Ended;
use super::args::Global;
use super::whose::Whose;
use crate::look::At;
use crate::plan;
use crate::term::Term;

/// Start containers that were stopped, and lead requests to them again
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    whose: Whose,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = self.whose.open("start", global, term)?;
        let (looked, goal) = self.whose.look(&session, At::Past)?;
        let plan = self.whose.plan(&session, (&looked, &goal), plan::start)?;
        session.look_at_secrets(plan::secrets(&plan, &looked.observed))?;
        let on_failure = session.config.deploy.on_failure;
        self.whose.carry_out(&session, &plan, (&looked, &goal), on_failure)
    }
}
