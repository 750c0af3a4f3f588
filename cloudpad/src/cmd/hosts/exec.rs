//! `cloudpad hosts exec`: runs a command on many hosts at once.

use std::sync::{Arc, Mutex, PoisonError};

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::Command;
use cloudpad_plugin_api::{Event, Reply, Request};

use super::chosen;
use crate::cmd::Ended;
use crate::cmd::args::{Global, SelectHosts};
use crate::cmd::session::Session;
use crate::everywhere::{self, Answer};
use crate::report::exit;
use crate::run::MOST_AT_ONCE;
use crate::term::Term;
use crate::words::outputs::{self, Line, Output};

/// Run a command on the hosts, all at once
///
/// A line of more than 64 KiB goes on in the next one.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Print what hosts have said once for all that have said the same, when they are done
    #[arg(long)]
    summary: bool,
    /// End it on a host where it takes longer
    #[arg(long, value_name = "DURATION", value_parser = super::duration)]
    timeout: Option<u64>,
    /// On how many hosts at once
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_AT_ONCE as u32,
          value_parser = clap::value_parser!(u32).range(1..=MOST_AT_ONCE as i64))]
    at_once: u32,
    /// One argument is a line for the shell of the host, several are a program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
    #[command(flatten)]
    select: SelectHosts,
}

impl Args {
    pub(super) fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("hosts exec", false, global, term)?;
        session.runner.stop.let_be_at_once();
        let hosts: Arc<[Arc<Host>]> = chosen(&session, &self.select)?.into();
        let request = |host: &Arc<Host>| {
            let command =
                Command { host: host.clone(), command: self.command.clone(), timeout_ms: self.timeout };
            Request::DeployCommand(command)
        };
        let requests = hosts.iter().map(request).collect();
        let show = Arc::new(Show::new(term.clone(), self.summary, &hosts));
        let (on_event, on_answer) = (show.clone(), show.clone());
        session.wait_for(everywhere::ask(
            &session.runner,
            requests,
            self.at_once as usize,
            move |index, event| on_event.event(index, event),
            |answer| on_answer.answer(answer),
        ));
        let all = show.finish();
        Ok(match (session.runner.stop.is_requested(), all) {
            (true, _) => exit::INTERRUPTED,
            (false, true) => exit::OK,
            (false, false) => exit::FAILED,
        })
    }
}

/// Shows what comes, at once or in the end.
struct Show {
    term: Arc<Term>,
    summary: bool,
    width: usize,
    outputs: Mutex<Vec<Output>>,
}

impl Show {
    fn new(term: Arc<Term>, summary: bool, hosts: &[Arc<Host>]) -> Self {
        let outputs: Vec<_> = hosts.iter().map(|host| Output::of(&host.name)).collect();
        let width = hosts.iter().map(|host| host.name.chars().count()).max().unwrap_or(0);
        Self { term, summary, width, outputs: Mutex::new(outputs) }
    }

    fn event(&self, index: usize, event: Event) {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(output) = outputs.get_mut(index) else { return };
        match event {
            Event::Output { source, line, .. } => {
                let line = Line { is_error: source == "stderr", text: line };
                if self.summary {
                    output.lines.push(line);
                } else if self.term.is_json() {
                    self.term.data(&outputs::line_json(&output.host, &line));
                } else {
                    let text = outputs::prefixed(&output.host, self.width, &line.text);
                    if line.is_error { self.term.aside(&text) } else { self.term.data(&(text + "\n")) }
                }
            }
            Event::Log { level: cloudpad_plugin_api::Level::Warn, message } => {
                self.term.warn(&format!("{}: {message}", output.host));
            }
            _ => {}
        }
    }

    fn answer(&self, answer: Answer) {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(output) = outputs.get_mut(answer.index) else { return };
        output.ended = match answer.outcome {
            Ok(Reply::Exited(exited)) => Some(Ok(exited)),
            Ok(_) => None,
            Err(failure) => Some(Err(failure)),
        };
        if self.term.is_json() && !self.summary {
            self.term.data(&outputs::end_json(output));
        }
    }

    /// Shows what is left to be shown; whether it has worked everywhere.
    fn finish(&self) -> bool {
        let outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        if self.summary {
            let groups = outputs::grouped(&outputs);
            self.term.data(&if self.term.is_json() {
                outputs::groups_json(&groups)
            } else {
                outputs::groups(&groups)
            });
        }
        outputs::failures(&outputs).iter().for_each(|text| self.term.error(text));
        outputs.iter().all(Output::has_worked)
    }
}
