//! `cloudpad hosts ls`: what the hosts are, and what of the project runs there.

use std::sync::Arc;

use cloudpad_plugin_api::stage::deploy::Look;
use cloudpad_plugin_api::{FailureKind, Reply, Request};

use super::chosen;
use crate::cmd::Ended;
use crate::cmd::args::{Global, SelectHosts};
use crate::cmd::session::Session;
use crate::everywhere;
use crate::listing::hosts::{self, Row};
use crate::plan::{self, Also};
use crate::report::exit;
use crate::run::MOST_AT_ONCE;
use crate::term::Term;
use crate::words;

/// List hosts: whether they can be reached, what they are, what runs there
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    select: SelectHosts,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("hosts ls", false, global, term)?;
        session.runner.stop.let_be_at_once();
        let chosen = chosen(&session, &self.select)?;
        let mut rows: Vec<Row> = chosen.iter().map(|host| Row::of(host)).collect();
        // Both for one host go over one connection.
        let requests = chosen.iter().flat_map(|host| {
            let observe = plan::look_host(&session.config, host, Also::default());
            [Request::DeployHost(Look { host: host.clone() }), observe]
        });
        let answers = everywhere::ask(
            &session.runner,
            requests.collect(),
            MOST_AT_ONCE,
            |_, _| {},
            |answer| {
                let Some(row) = rows.get_mut(answer.index / 2) else { return };
                match answer.outcome {
                    Ok(Reply::Machine(machine)) => row.machine = Some(machine),
                    Ok(Reply::Observation(seen)) => row.see(&seen),
                    // Another provider need not tell what its hosts are.
                    Err(failure) if failure.kind == FailureKind::Unsupported => {}
                    Err(failure) => row.error = Some(failure),
                    Ok(_) => {}
                }
            },
        );
        session.wait_for(answers);
        term.data(&if term.is_json() { words::json_line(&rows) } else { hosts::table(&rows) });
        let mut code = exit::OK;
        for row in &rows {
            if let Some(failure) = &row.error {
                term.error(&format!("{}: {}", row.name, words::failure(failure)));
                code = exit::FAILED;
            }
        }
        Ok(if session.runner.stop.is_requested() { exit::INTERRUPTED } else { code })
    }
}
