//! `cloudpad restart`: stops containers and starts them again, a few at a time.

use std::sync::Arc;

use super::Ended;
use super::args::Global;
use super::whose::Whose;
use crate::config::{Amount, OnFailure};
use crate::look::At;
use crate::plan;
use crate::term::Term;

/// Restart containers, so many at once as an update would
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    whose: Whose,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = self.whose.open("restart", global, term)?;
        // Where a number has to serve, it matters who does on hosts that are not selected.
        let at = match session.config.deploy.min_healthy {
            Amount::Count(0) | Amount::Percent(0) => At::Hosts,
            _ => At::PastAround,
        };
        let (looked, goal) = self.whose.look(&session, at)?;
        let plan = self.whose.plan(&session, (&looked, &goal), plan::restart)?;
        // There is nothing else to start than what has not come up.
        self.whose.carry_out(&session, &plan, (&looked, &goal), OnFailure::Stop)
    }
}
