//! `cloudpad restart`: stops containers and starts them again, a few at a time.

use std::sync::Arc;

use cloudpad_plugin_api::Request;

use super::Ended;
use super::args::Global;
use super::whose::Whose;
use crate::config::{Amount, OnFailure};
use crate::look::At;
use crate::plan;
use crate::report::exit;
use crate::term::Term;

const UNLED: &str = "what has not come up gets no requests: `cloudpad restart` again, or `cloudpad deploy`, waits until it serves and leads \
                     requests to it";

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
            Amount::Count(0) | Amount::Percent(0) => At::Health,
            _ => At::PastAround,
        };
        let (looked, goal) = self.whose.look(&session, at)?;
        let plan = self.whose.plan(&session, (&looked, &goal), plan::restart)?;
        // There is nothing else to start than what has not come up.
        let code = self.whose.carry_out(&session, &plan, (&looked, &goal), OnFailure::Stop)?;
        let leaves = plan.actions.iter().any(|action| matches!(action.request, Request::DeployRoute(_)));
        if code == exit::FAILED && leaves {
            term.status(UNLED);
        }
        Ok(code)
    }
}
