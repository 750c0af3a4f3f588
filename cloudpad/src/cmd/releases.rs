//! `cloudpad releases`: lists what was deployed, and what of it one can go back to.

use std::sync::Arc;

use super::Ended;
use super::args::{Global, Select};
use super::session::Session;
use crate::look::At;
use crate::plan::Until;
use crate::releases::{Past, table};
use crate::term::Term;
use crate::words;

/// List the releases that hosts remember, newest first
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    select: Select,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("releases", false, global, term)?;
        let selection = self.select.selection();
        let looked = session.look(&selection, At::Past)?;
        if let Some(seen) = &looked.observed.cluster {
            let table = || crate::listing::cluster::releases(seen);
            term.data(&if term.is_json() { words::json_line(&seen.releases) } else { table() });
            return Ok(crate::report::exit::OK);
        }
        let goal = session.goal(Until::Deploy, selection, &looked);
        let past = Past {
            config: &session.config,
            inventory: &looked.inventory,
            scope: &looked.scope,
            observed: &looked.observed,
        };
        let rows = past.rows(&goal);
        term.data(&if term.is_json() { words::json_line(&rows) } else { table(&rows) });
        for host in past.forgetful() {
            term.warn(&format!("{host}: its provider of stage `deploy` does not remember releases"));
        }
        Ok(session.tell_unseen(&looked.observed))
    }
}
