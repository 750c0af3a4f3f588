//! `cloudpad stats`: what containers use.

mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{Measure, Measured};
use cloudpad_plugin_api::{Failure, Reply, Request};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::args::Global;
use super::display;
use super::session::Session;
use super::whom::Those;
use super::{Ended, Refused};
use crate::config::Config;
use crate::listing::usage::{self, Row};
use crate::report::exit;
use crate::run::Runner;
use crate::term::Term;
use crate::words;
use crate::{everywhere, instances};

/// Show what containers use of processors, memory, networks and disks
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    those: Those,
    /// Keep the table up to date until interrupted; with `--json`, print a line each time that all hosts have been asked
    #[arg(short, long)]
    watch: bool,
}

/// A measurement that has ended.
type Answer = (Measure, Result<Measured, Failure>);

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        if self.watch {
            display::check(term)?;
        }
        let session = Session::open("stats", false, global, term)?;
        let hosts = self.those.hosts(&session)?;
        session.runner.stop.let_be_at_once();
        let stop = session.runner.stop.clone();
        let ended = session.wait_for(async {
            match self.watch {
                true => watch::watch(self, &session, hosts).await,
                false => self.once(&session, hosts).await,
            }
        });
        // Whoever has had enough is told of no more.
        if stop.is_requested() { Ok(exit::INTERRUPTED) } else { ended }
    }

    fn request(&self, session: &Session, host: Arc<Host>) -> Measure {
        Measure { host, project: session.config.project.clone(), services: self.those.services() }
    }

    async fn once(&self, session: &Session, hosts: Vec<Arc<Host>>) -> Ended {
        let (mut answers, mut under_way) = (Answers::default(), JoinSet::new());
        for host in hosts {
            under_way.spawn(measure(session.runner.clone(), self.request(session, host), Duration::ZERO));
        }
        while let Some(answer) = under_way.join_next().await {
            answers.take(answer.ok().map(|(request, outcome)| (request.host.name.clone(), outcome)));
        }
        let (rows, errors) = (self.rows(&answers), answers.errors());
        if rows.is_empty() && errors.is_empty() && !session.runner.stop.is_requested() {
            self.nothing(&session.config, &answers)?;
        }
        let term = &session.term;
        term.data(&if term.is_json() { words::json_line(&usage::json(&rows)) } else { usage::table(&rows) });
        errors.iter().for_each(|error| term.error(error));
        Ok(if errors.is_empty() { exit::OK } else { exit::FAILED })
    }

    fn rows(&self, answers: &Answers) -> Vec<Row> {
        let mut rows = Vec::new();
        for (host, measured) in answers.measured() {
            let meant =
                measured.containers.iter().filter(|usage| self.those.mean(&usage.instance.to_string()));
            rows.extend(meant.map(|usage| Row { host: host.clone(), usage: usage.clone() }));
        }
        usage::sort(&mut rows);
        rows
    }

    /// Refuses to say nothing of what was named.
    fn nothing(&self, config: &Config, answers: &Answers) -> Result<(), Refused> {
        let Some(target) = self.those.first() else { return Ok(()) };
        let stopped = answers.measured().find_map(|(host, measured)| {
            let stopped = measured.stopped.iter().find(|instance| self.those.mean(&instance.to_string()))?;
            Some(format!("{stopped} on {host}"))
        });
        Err(match stopped {
            Some(stopped) => instances::stopped(target, &stopped).into(),
            None => instances::nowhere(config, target).into(),
        })
    }
}

/// What each host has answered last.
#[derive(Default)]
struct Answers(BTreeMap<String, Result<Measured, Failure>>);

impl Answers {
    fn take(&mut self, answer: Option<(String, Result<Measured, Failure>)>) {
        self.0.extend(answer);
    }

    fn measured(&self) -> impl Iterator<Item = (&String, &Measured)> {
        self.0.iter().filter_map(|(host, outcome)| Some((host, outcome.as_ref().ok()?)))
    }

    fn errors(&self) -> Vec<String> {
        let failed = self.0.iter().filter_map(|(host, outcome)| Some((host, outcome.as_ref().err()?)));
        failed.map(|(host, failure)| format!("{host}: {}", words::failure(failure))).collect()
    }
}

/// Asks one host, after a pause.
async fn measure(runner: Runner, request: Measure, pause: Duration) -> Answer {
    sleep(pause).await;
    let call = Request::DeployStats(request.clone());
    let outcome = everywhere::one(&runner, call, String::new(), |_| ()).await.and_then(|reply| match reply {
        Reply::Measured(measured) => Ok(measured),
        _ => Err(Failure::failed("the answer is no measurement")),
    });
    (request, outcome)
}
