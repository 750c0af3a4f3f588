//! `cloudpad check`: tells every problem of the config, and touches nothing.

use std::sync::Arc;

use super::args::Global;
use super::environments::{faults, refuse, told};
use super::{Ended, Refused, session};
use crate::config::{Place, Problem};
use crate::dockerfiles;
use crate::inventory::list;
use crate::plugin::Providers;
use crate::project::Project;
use crate::report::exit;
use crate::term::Term;
use crate::words::plural;

/// Check `Cloudpad.toml`, without touching anything
///
/// In all of its environments, where none is chosen.
#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let project = Project::find()?;
        let places = global.environments(&project.text);
        let (chosen, others) = (global.environment.as_deref(), places.iter().skip(1));
        let others: Vec<&str> = others.filter_map(|place| place.environment.as_deref()).collect();
        let mut problems = all(&project, chosen, term)?;
        for name in &others {
            let more = all(&project, Some(name), term)?;
            // What is wrong everywhere is said once.
            let more: Vec<_> = more.into_iter().filter(|problem| !problems.contains(problem)).collect();
            problems.extend(more.into_iter().map(|problem| told(problem, Some(name))));
        }
        if !problems.is_empty() {
            return Err(refuse(&project, problems));
        }
        if term.is_json() {
            term.data("{\"problems\":[]}\n");
        }
        let config = session::read(project.clone(), chosen)?.config;
        let others = match others[..] {
            [] => String::new(),
            _ => format!("; so it is in environment {}", list(others.iter().copied())),
        };
        term.status(&format!(
            "{} is fine: {}, {}, {}{others}",
            project.display_name(),
            plural(config.services.len(), "service"),
            plural(config.images.len(), "image"),
            plural(config.hosts.len(), "host"),
        ));
        Ok(exit::OK)
    }
}

/// All that is wrong in an environment, with its bytes in the file.
fn all(project: &Project, environment: Option<&str>, term: &Arc<Term>) -> Result<Vec<Problem>, Refused> {
    let found = faults(project, environment)?;
    if !found.is_empty() {
        return Ok(found);
    }
    let loaded = session::read(project.clone(), environment)?;
    let mut problems = dockerfiles::missing(&loaded.config);
    let chosen = Providers::choose(&loaded.config, &session::setup(&loaded.project, term));
    problems.extend(chosen.err().into_iter().flatten());
    let bytes = |place| match place {
        Place::Key(key) => loaded.config.places.find(&key).map(Place::Bytes),
        bytes => Some(bytes),
    };
    Ok(problems
        .into_iter()
        .map(|problem| Problem { place: problem.place.and_then(bytes), ..problem })
        .collect())
}
