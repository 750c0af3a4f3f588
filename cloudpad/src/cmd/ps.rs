//! `cloudpad ps`: lists what runs.

use std::sync::Arc;

use super::Ended;
use super::args::{Global, Select};
use super::session::Session;
use crate::instances::not_mistyped;
use crate::listing;
use crate::look::At;
use crate::observed::HostState;
use crate::plan;
use crate::report::exit;
use crate::term::Term;
use crate::words;

/// List what runs on the hosts
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    select: Select,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("ps", false, global, term)?;
        let selection = self.select.selection();
        for service in &selection.services {
            not_mistyped(&session.config, service)?;
        }
        let looked = session.look(&selection, At::Hosts)?;
        let is_meant =
            |name: &str| looked.inventory.index(name).is_some_and(|at| looked.scope.hosts.contains(&at));
        let covers = |service: &str| looked.scope.covers(service, &session.config);
        let rows = listing::rows(&looked.observed, &is_meant, &covers);
        term.data(&if term.is_json() { words::json_line(&rows) } else { listing::table(&rows) });
        for (host, service) in plan::in_maintenance(&looked.observed, &covers) {
            if is_meant(host) {
                term.warn(&words::routes::in_maintenance(service, host));
            }
        }
        let mut code = exit::OK;
        for (host, state) in looked.observed.hosts.iter().filter(|(host, _)| is_meant(host)) {
            if let HostState::Unseen(failure) = state {
                term.error(&format!("{host}: {}", words::failure(failure)));
                code = exit::FAILED;
            }
        }
        Ok(code)
    }
}
