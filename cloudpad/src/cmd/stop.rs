//! `cloudpad stop`: stops containers, and takes them out of their routes before.

use std::sync::Arc;

use super::Ended;
use super::args::Global;
use super::whose::Whose;
use crate::config::OnFailure;
use crate::look::At;
use crate::plan;
use crate::term::Term;

/// Stop containers until they are started again, by `start` or by the next deploy
///
/// With `--all`, what is protected is left running.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    whose: Whose,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = self.whose.open("stop", global, term)?;
        let (looked, goal) = self.whose.look(&session, At::Health)?;
        let plan = self.whose.plan(&session, (&looked, &goal), plan::stop)?;
        // What is stopped by then is what was asked for.
        self.whose.carry_out(&session, &plan, (&looked, &goal), OnFailure::Stop)
    }
}
