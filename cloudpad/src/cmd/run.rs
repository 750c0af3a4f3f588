//! `cloudpad run`: a container of its own for one command, like those of a service; or a job of the config.

mod job;

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{ContainerSpec, Restart};
use cloudpad_plugin_api::stage::deploy::Run;

use super::args::{Global, Lock};
use super::interact::interact;
use super::session::Session;
use super::whom::Whom;
use super::{Ended, Refused};
use crate::instances::{Found, nowhere};
use crate::look;
use crate::one_offs;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;

/// Run a command in a new container with a service's image, environment, secrets, networks and volumes; or a job
///
/// A job has the project to itself while it runs, as a deploy has.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    lock: Lock,
    /// The command and its arguments; a job has its own
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    command: Vec<String>,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("run", false, global, term)?;
        let name = &self.whom.target.service;
        if let Some(job) = session.config.jobs.get(name).cloned() {
            let session = session.exclusive(&format!("run {name}"), &self.lock);
            return job::run(&session, name, &job, &self.whom, &self.command);
        }
        job::not_mistyped(&session, name)?;
        if self.command.is_empty() {
            let refusal = Refusal::new(format!("no command is named that `{name}` should run"));
            return Err(refusal
                .hint(format!("write it after the name: `cloudpad run {name} -- COMMAND`"))
                .into());
        }
        let seen = self.whom.look(&session)?;
        if seen.found.is_empty() && seen.incomplete {
            return Ok(exit::FAILED);
        }
        let target = &self.whom.target;
        // As what runs, or else as what ran last.
        let is_up = |found: &&Found| found.container.state.is_up();
        let like = seen.found.iter().find(is_up).or(seen.found.first());
        let like = like.ok_or_else(|| nowhere(&session.config, target))?;
        let host = seen.host(like)?;
        let spec = self.spec(&session, like)?;
        session.term.status(&format!(
            "in a new container like {}, release {}",
            like.words(),
            like.container.release
        ));
        let service = like.container.instance.service.clone();
        let container = session.one_off(&service);
        let (project, release) = (session.config.project.clone(), like.container.release.clone());
        let labels = BTreeMap::from([(one_offs::LIKE.to_owned(), service)]);
        let (timeout_ms, keep) = (None, false);
        let run = Run {
            host,
            project,
            release,
            container,
            labels,
            spec: spec.into(),
            timeout_ms,
            keep,
            tty: None,
            stream: None,
        };
        interact(&session, |tty, stream| Request::DeployRun(Run { tty, stream, ..run }))
    }

    /// What the service is made from, but for what only the service itself can have.
    fn spec(&self, session: &Session, like: &Found) -> Result<ContainerSpec, Refused> {
        let container = &like.container;
        let Some(spec) = &container.spec else {
            let message = format!("what container `{}` was made from is not understood", container.name);
            return Err(Refusal::new(message)
                .hint("it was made by another version of Cloudpad; deploy it anew")
                .into());
        };
        let mut spec = ContainerSpec { command: Some(self.command.clone()), ..ContainerSpec::clone(spec) };
        (spec.ports, spec.health, spec.restart) = (Vec::new(), None, Restart::No);
        let names = spec.secrets.values().map(|secret| secret.name.clone()).collect();
        let marks = session.wait_for(look::secrets(&session.runner, names))?;
        for secret in spec.secrets.values_mut() {
            let mark = marks.get(&secret.name).cloned().unwrap_or_default();
            if secret.mark != mark {
                session.term.warn(&format!(
                    "secret `{}` has another value than when the service was deployed",
                    secret.name
                ));
            }
            secret.mark = mark;
        }
        Ok(spec)
    }
}
