//! `cloudpad lock`: keeps everybody from deploying while it runs.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Ended;
use super::args::{Global, Lock};
use super::session::Session;
use crate::inventory::Selection;
use crate::look::At;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;
use crate::words;

/// How often it is seen to that the lock is still there.
const CHECK: Duration = Duration::from_secs(10);

/// Keep everybody from deploying, until it is interrupted
#[derive(clap::Args)]
pub(super) struct Args {
    /// What to tell those who are refused meanwhile
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    lock: Lock,
}

/// That nobody else deploys from now on.
#[derive(Serialize)]
struct Taken {
    project: String,
    hosts: Vec<String>,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("lock", false, global, term)?.exclusive(&self.what(), &self.lock);
        let looked = session.look(&Selection::default(), At::Hosts)?;
        let unseen: Vec<_> = looked.observed.unseen().map(|(_, failure)| failure.clone()).collect();
        if !unseen.is_empty() {
            return Err(Refusal::Failures(unseen).into());
        }
        let hosts: Vec<_> = looked.observed.hosts.keys().cloned().collect();
        term.status(&words::locked(&session.config.project, &hosts));
        if term.is_json() {
            let project = session.config.project.prefix();
            term.data(&words::json_line(&Taken { project, hosts }));
        }
        session.runner.stop.let_be_at_once();
        match session.keep_lock(CHECK) {
            None => {
                term.status("the lock is given back");
                Ok(exit::OK)
            }
            Some(why) => {
                term.error(&why);
                Ok(exit::FAILED)
            }
        }
    }

    /// What others read as what the lock is held for.
    fn what(&self) -> String {
        match &self.message {
            Some(message) => {
                format!("lock: {}", message.chars().filter(|c| !c.is_control()).collect::<String>())
            }
            None => "lock".to_owned(),
        }
    }
}
