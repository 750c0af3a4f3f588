//! `cloudpad logs`: what containers have printed, on all hosts, in the order of time.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use clap_complete::ArgValueCandidates;
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::cluster;
use cloudpad_plugin_api::stage::deploy::Logs;
use cloudpad_plugin_api::{FailureKind, Placement, Request};
use serde_json::json;

use super::args::{Global, since};
use super::session::Session;
use super::{Ended, complete};
use crate::instances::{Target, not_mistyped, nowhere};
use crate::interleave::Line;
use crate::inventory::Selection;
use crate::plan::CLUSTER;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::run::Runner;
use crate::tail::{Told, tail};
use crate::term::Term;
use crate::words::{self, Prefixes};

/// Print what containers have printed, of all instances on all hosts
///
/// A line of more than 64 KiB goes on in the next one.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only of these services or instances, such as `web` or `web.2`; of all where none is named
    #[arg(value_name = "SERVICE[.N]", add = ArgValueCandidates::new(complete::services))]
    targets: Vec<Target>,
    /// Go on with what they print, until interrupted
    #[arg(short, long)]
    follow: bool,
    /// Nothing older, such as `10m`, `1h`, or `2026-11-26T08:15:00Z`
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<i64>,
    /// So many of the last lines of each container
    #[arg(long, value_name = "N")]
    tail: Option<u64>,
    /// Only lines with this text; may be given several times
    #[arg(long, value_name = "TEXT")]
    grep: Vec<String>,
    /// Each line with its time
    #[arg(long)]
    timestamps: bool,
    /// Only on this host
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(complete::hosts))]
    host: Vec<String>,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("logs", false, global, term)?;
        for target in &self.targets {
            not_mistyped(&session.config, &target.service)?;
        }
        let services = self.targets.iter().map(|target| target.service.clone()).collect();
        let selection = Selection { services, hosts: self.host.clone(), ..Selection::default() };
        let requests: Vec<_> = match session.runner.providers.placement() {
            Placement::Hosts => {
                let hosts = session.hosts(&selection)?;
                let of_host = |host| self.requests(&session, &host).into_iter().map(Request::DeployLogs);
                hosts.into_iter().flat_map(of_host).collect()
            }
            Placement::Cluster => {
                let host = Host::new(CLUSTER, Host::LOCAL).into();
                self.requests(&session, &host).into_iter().map(of_cluster).collect()
            }
        };
        session.runner.stop.let_be_at_once();
        let runner = session.runner.clone();
        let (found, failed) = session.listening(|| self.read(term, &runner, requests))?;
        if term.is_closed() {
            return Ok(exit::OK);
        }
        if session.runner.stop.is_requested() {
            return Ok(exit::INTERRUPTED);
        }
        match &self.targets[..] {
            _ if failed => Ok(exit::FAILED),
            [target, ..] if found == 0 && session.config.jobs.contains_key(&target.service) => {
                Err(of_job(&target.service).into())
            }
            [target, ..] if found == 0 => Err(nowhere(&session.config, target).into()),
            [] if found == 0 => Err(Refusal::new("there is no container of the project").into()),
            _ => Ok(exit::OK),
        }
    }

    /// How many containers there were, and whether a host has failed.
    fn read(&self, term: &Term, runner: &Runner, requests: Vec<Request>) -> (u32, bool) {
        let (mut prefixes, mut found, mut failed) = (Prefixes::default(), 0, false);
        // A host may have been asked for several instances.
        let mut lost = BTreeSet::new();
        tail(runner, requests, self.follow, |told| {
            match told {
                Told::Lines(lines) => self.print(term, &mut prefixes, &lines),
                Told::Note(note) => term.status(&note),
                Told::Lost(host, failure) => {
                    if lost.insert(host.clone()) {
                        term.warn(&format!("{host}: {}", words::lost(&failure)));
                    }
                }
                Told::Back(host) => {
                    if lost.remove(&host) {
                        term.status(&format!("{host}: followed again"));
                    }
                }
                Told::Ended(_, Ok(containers)) => found += containers,
                Told::Ended(_, Err(failure)) if failure.kind == FailureKind::Cancelled => {}
                Told::Ended(host, Err(failure)) => {
                    failed = true;
                    term.error(&format!("{host}: {}", words::failure(&failure)));
                }
            }
            !term.is_closed()
        });
        (found, failed)
    }

    /// Services that are meant as a whole need one request, instances one each.
    fn requests(&self, session: &Session, host: &Arc<cloudpad_plugin_api::model::Host>) -> Vec<Logs> {
        let request = |services: Vec<String>, number| Logs {
            host: host.clone(),
            project: session.config.project.clone(),
            services,
            number,
            follow: self.follow,
            since: self.since,
            tail: self.tail,
        };
        if self.targets.is_empty() {
            return vec![request(Vec::new(), None)];
        }
        let (whole, single): (Vec<&Target>, Vec<&Target>) =
            self.targets.iter().partition(|target| target.number.is_none());
        let whole: Vec<_> = whole.into_iter().map(|target| target.service.clone()).collect();
        let single = single.into_iter().map(|target| request(vec![target.service.clone()], target.number));
        let whole = (!whole.is_empty()).then(|| request(whole, None));
        whole.into_iter().chain(single).collect()
    }

    fn print(&self, term: &Term, prefixes: &mut Prefixes, lines: &[Line]) {
        let wanted =
            |line: &&Line| self.grep.is_empty() || self.grep.iter().any(|text| line.text.contains(text));
        let mut text = String::new();
        for line in lines.iter().filter(wanted) {
            let time = line
                .time
                .map(|time| DateTime::from_timestamp_nanos(time).to_rfc3339_opts(SecondsFormat::Nanos, true));
            if term.is_json() {
                let stream = if line.stderr { "stderr" } else { "stdout" };
                text += &words::json_line(&json!({
                    "time": time, "instance": line.instance, "host": line.host, "stream": stream, "line": line.text
                }));
                continue;
            }
            text += &prefixes.of(&format!("{}@{}", line.instance, line.host));
            if self.timestamps {
                text += &time.unwrap_or_default();
                text.push(' ');
            }
            text += &line.text;
            text.push('\n');
        }
        if !text.is_empty() {
            term.data(&text);
        }
    }
}

/// A job's container is there only until the deploy is done that it goes with.
fn of_job(job: &str) -> Refusal {
    let message =
        format!("there is no container of job `{job}`: it goes when the deploy is done, or the run by hand");
    Refusal::new(message).hint(
        "what it printed is in the journal of that run, on the machine that it was begun on: `.cloudpad/journal`, a file for each time that `cloudpad history` lists",
    )
}

/// The same of a cluster, which knows where its instances are.
fn of_cluster(request: Logs) -> Request {
    let Logs { host: _, project, services, number, follow, since, tail } = request;
    Request::ClusterLogs(cluster::Logs { project, services, number, follow, since, tail })
}
