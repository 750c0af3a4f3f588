//! `cloudpad hosts provision`: brings bare machines to where Cloudpad can use them.

mod members;

use std::collections::BTreeSet;
use std::sync::Arc;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Failure, Request};

use super::chosen;
use crate::cmd::args::{Global, SelectHosts};
use crate::cmd::consent::consent;
use crate::cmd::session::Session;
use crate::cmd::{Ended, Refused};
use crate::config::Problem;
use crate::plan::Plan;
use crate::provision::etcd::{self, Certificates, Cluster};
use crate::provision::{self, Seen, Wanted};
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;
use crate::words;
use members::Members;

/// Install and start an engine on bare machines, and let Cloudpad's user use it
///
/// On Debian and Ubuntu; other systems are only looked at. It takes a login as root, or as a user for whom `sudo` asks no password.
/// An engine that is there already is neither replaced nor restarted. With `--verbose` the scripts that do it are shown.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Make each of them a member of an etcd cluster too
    ///
    /// Without a member among them they begin one; else those that are none join it. A member that is there is left as it is.
    #[arg(long)]
    etcd: bool,
    /// Go ahead without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    select: SelectHosts,
}

impl Args {
    pub(super) fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("hosts provision", true, global, term)?;
        let members = self.etcd.then(|| Members::of(&session)).transpose()?;
        let seen = look(&session, chosen(&session, &self.select)?, self.etcd)?;
        let halves = halves(&seen, members.as_ref());
        let (first, cluster) = halves.map_err(|problems| session.refuses(problems.into()))?;
        let wish = members.zip(cluster);
        let mut plan = match &wish {
            Some((_, cluster)) => provision::both(&first, etcd::rest(cluster, &Certificates::default())),
            None => first.clone(),
        };
        session.announce(&mut plan, session.time());
        if let Some(code) = session.ended_by(&plan) {
            tell(&wish, term, code);
            return Ok(code);
        }
        scripts(&plan).iter().for_each(|script| term.detail(script));
        consent(&words::plan(&plan), self.yes, term, |question| session.confirm(question))?;
        if term.is_reticent() {
            session.warn_of(&plan);
        }
        carry_out(&session, &first, &wish)?;
        let code = session.finish();
        tell(&wish, term, code);
        Ok(code)
    }
}

/// The plan up to the keys of new members, and the cluster that they are to be in, if one was asked for.
fn halves(
    seen: &[(Arc<Host>, Seen)],
    members: Option<&Members>,
) -> Result<(Plan, Option<Cluster>), Vec<Problem>> {
    let cluster = members.map(|members| members.judge(seen)).transpose();
    match (provision::plan(seen, cluster.as_ref().ok().and_then(Option::as_ref)), cluster) {
        (Ok(first), Ok(cluster)) => Ok((first, cluster)),
        (first, cluster) => Err(first.err().into_iter().chain(cluster.err()).flatten().collect()),
    }
}

/// Has the first half carried out, and the second once all of that is done.
fn carry_out(session: &Session, first: &Plan, wish: &Option<(Members, Cluster)>) -> Result<(), Refused> {
    let Some((members, cluster)) = wish else {
        session.carry_out_everywhere(first);
        return Ok(());
    };
    members.prepare(cluster)?;
    if session.carry_out_everywhere(first) {
        members.certify_and_start(session, cluster);
    } else {
        session.begin(&etcd::rest(cluster, &Certificates::default()));
    }
    Ok(())
}

/// Tells how hosts are read from the cluster, once all is so.
fn tell(wish: &Option<(Members, Cluster)>, term: &Term, code: u8) {
    if let (Some((members, cluster)), exit::OK) = (wish, code)
        && !term.is_json()
    {
        term.data(&members.stage(cluster));
    }
}

/// What is so on the hosts. One that cannot be looked at keeps all from being touched.
fn look(session: &Session, hosts: Vec<Arc<Host>>, etcd: bool) -> Result<Vec<(Arc<Host>, Seen)>, Refused> {
    let (mut seen, mut failures): (Vec<_>, Vec<Failure>) = Default::default();
    let looks = session.look_at_machines(&hosts, Wanted { ports: &[], etcd })?;
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
