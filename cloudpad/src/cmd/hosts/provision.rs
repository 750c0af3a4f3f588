//! `cloudpad hosts provision`: brings bare machines to where Cloudpad can use them.

use std::collections::BTreeSet;
use std::sync::Arc;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Failure, Request};

use super::chosen;
use crate::cmd::args::{Global, SelectHosts};
use crate::cmd::consent::consent;
use crate::cmd::session::Session;
use crate::cmd::{Ended, Refused};
use crate::plan::Plan;
use crate::provision::{self, Seen};
use crate::refusal::Refusal;
use crate::term::Term;
use crate::words;

/// Install and start an engine on bare machines, and let Cloudpad's user use it
///
/// On Debian and Ubuntu; other systems are only looked at. It takes a login as root, or as a user for whom `sudo` asks no password.
/// An engine that is there already is neither replaced nor restarted. With `--verbose` the scripts that do it are shown.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    select: SelectHosts,
}

impl Args {
    pub(super) fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("hosts provision", true, global, term)?;
        let seen = look(&session, chosen(&session, &self.select)?)?;
        let plan = provision::plan(&seen);
        let mut plan = plan.map_err(|problems| session.refuses(problems.into()))?;
        session.announce(&mut plan, session.time());
        if let Some(code) = session.ended_by(&plan) {
            return Ok(code);
        }
        scripts(&plan).iter().for_each(|script| term.detail(script));
        consent(&words::plan(&plan), self.yes, term, |question| session.confirm(question))?;
        if term.is_reticent() {
            session.warn_of(&plan);
        }
        Ok(session.carry_out_everywhere(&plan))
    }
}

/// What is so on the hosts. One that cannot be looked at keeps all from being touched.
fn look(session: &Session, hosts: Vec<Arc<Host>>) -> Result<Vec<(Arc<Host>, Seen)>, Refused> {
    let (mut seen, mut failures): (Vec<_>, Vec<Failure>) = Default::default();
    let looks = session.look_at_machines(&hosts, &[])?;
    for (host, look) in hosts.into_iter().zip(looks) {
        match look {
            Ok(look) => seen.push((host, look)),
            Err(failure) => failures.push(failure.on(&host.name)),
        }
    }
    if failures.is_empty() { Ok(seen) } else { Err(Refusal::Failures(failures).into()) }
}

/// The scripts that a plan runs, each once.
fn scripts(plan: &Plan) -> Vec<&str> {
    let mut known = BTreeSet::new();
    let script = plan.actions.iter().filter_map(|action| match &action.request {
        Request::DeployCommand(command) => {
            command.command.iter().position(|word| word == "-c").and_then(|at| command.command.get(at + 1))
        }
        _ => None,
    });
    script.map(|script| script.trim_end()).filter(|script| known.insert(*script)).collect()
}
