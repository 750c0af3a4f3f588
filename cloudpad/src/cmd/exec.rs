//! `cloudpad exec`: a command in a container that runs, or in all of a service.

use std::sync::Arc;

use cloudpad_plugin_api::model::TerminalSize;
use cloudpad_plugin_api::stage::deploy::{Exec, Named};
use cloudpad_plugin_api::{Event, Failure, Reply, Request};
use serde_json::json;

use super::args::Global;
use super::interact::{code, interact};
use super::session::Session;
use super::whom::{Seen, Whom};
use super::{Ended, Refused};
use crate::instances::{Found, running};
use crate::report::exit;
use crate::term::Term;
use crate::words::{self, Prefixes, plural};

/// Run a command in a container that runs, with a terminal where there is one
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    whom: Whom,
    /// In all instances at once, without input; each line with its instance in front
    #[arg(long)]
    all: bool,
    /// As this user, such as `root` or `1000:1000`
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// In this directory of the container
    #[arg(long, value_name = "PATH")]
    workdir: Option<String>,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true)]
    command: Vec<String>,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("exec", false, global, term)?;
        let seen = self.whom.look(&session)?;
        let target = &self.whom.target;
        if seen.found.is_empty() && seen.incomplete {
            return Ok(exit::FAILED);
        }
        let running = running(&session.config, seen.found.clone(), target)?;
        if self.all || term.is_json() {
            let chosen = if self.all { &running[..] } else { &running[..1] };
            return self.everywhere(&session, &seen, chosen);
        }
        let [first, others @ ..] = &running[..] else { return Ok(exit::FAILED) };
        if !others.is_empty() {
            let count = plural(running.len(), "container");
            term.status(&format!("in {}, the first of {count} of `{target}`", first.words()));
        }
        let exec = self.request(&session, &seen, first)?;
        interact(&session, |tty, stream| Request::DeployExec(Exec { tty, stream, ..exec }))
    }

    fn request(&self, session: &Session, seen: &Seen, found: &Found) -> Result<Exec, Refused> {
        Ok(Exec {
            host: seen.host(found)?,
            project: session.config.project.clone(),
            container: Named { id: Some(found.container.id.clone()), name: found.container.name.clone() },
            command: self.command.clone(),
            tty: None::<TerminalSize>,
            env: Default::default(),
            user: self.user.clone(),
            workdir: self.workdir.clone(),
            stream: None,
        })
    }

    fn everywhere(&self, session: &Session, seen: &Seen, chosen: &[Found]) -> Ended {
        session.runner.stop.let_be_at_once();
        let mut prefixes =
            Prefixes::new(chosen.iter().map(Found::label).collect::<Vec<_>>().iter().map(String::as_str));
        let mut calls = Vec::new();
        for found in chosen {
            let request = Request::DeployExec(self.request(session, seen, found)?);
            let tell = teller(&session.term, found, prefixes.of(&found.label()));
            let runner = session.runner.clone();
            let call =
                move || runner.providers.call(&request, "", Arc::new(tell), runner.stop.cancel().clone());
            calls.push((found, call));
        }
        let outcomes = session.wait_for(async {
            let begun: Vec<_> =
                calls.into_iter().map(|(found, call)| (found, tokio::task::spawn_blocking(call))).collect();
            let mut outcomes = Vec::new();
            for (found, call) in begun {
                outcomes.push((
                    found,
                    call.await.unwrap_or_else(|error| Err(Failure::failed(error.to_string()))),
                ));
            }
            outcomes
        });
        let failed = outcomes
            .iter()
            .filter(|(found, outcome)| !told_to_be_well(&session.term, found, outcome))
            .count();
        if failed > 0 && chosen.len() > 1 {
            let count = plural(chosen.len(), "container");
            session.term.error(&format!("the command has failed in {failed} of {count}"));
        }
        if let ([(_, Ok(reply))], false) = (&outcomes[..], self.all) {
            return Ok(code(reply));
        }
        Ok(match (session.runner.stop.is_requested(), failed) {
            (true, _) => exit::INTERRUPTED,
            (false, 0) if !seen.incomplete => exit::OK,
            _ => exit::FAILED,
        })
    }
}

/// Prints each line that is printed there.
fn teller(term: &Arc<Term>, found: &Found, prefix: String) -> impl Fn(Event) + Send + Sync + use<> {
    let term = term.clone();
    let (instance, host) = (found.container.instance.to_string(), found.host.clone());
    move |event| match event {
        Event::Output { line, .. } if term.is_json() => {
            term.data(&words::json_line(&json!({ "instance": instance, "host": host, "line": line })));
        }
        Event::Output { line, .. } => term.data(&format!("{prefix}{line}\n")),
        Event::Log { message, .. } => term.warn(&format!("{host}: {message}")),
        _ => {}
    }
}

/// Tells how it went in one container, and whether well.
fn told_to_be_well(term: &Term, found: &Found, outcome: &Result<Reply, Failure>) -> bool {
    let (instance, host) = (found.container.instance.to_string(), &found.host);
    match outcome {
        Ok(reply) => {
            let code = code(reply);
            if term.is_json() {
                term.data(&words::json_line(
                    &json!({ "instance": instance, "host": host, "exit_code": code }),
                ));
            } else if code != 0 {
                term.error(&format!("{}: exit code {code}", found.words()));
            }
            code == 0
        }
        Err(failure) => {
            if term.is_json() {
                term.data(&words::json_line(
                    &json!({ "instance": instance, "host": host, "error": failure }),
                ));
            } else {
                term.error(&format!("{}: {}", found.words(), words::failure(failure)));
            }
            false
        }
    }
}
