//! `cloudpad check`: tells every problem of the config, and touches nothing.

use std::sync::Arc;

use cloudpad_plugin_api::{Placement, Stage};

use super::args::Global;
use super::environments::{faults, refuse, told};
use super::{Ended, Refused, session};
use crate::config::{Config, Place, Problem};
use crate::dockerfiles;
use crate::inventory::list;
use crate::look;
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
        let (mut problems, placement) = all(&project, chosen, term)?;
        for name in &others {
            let (more, _) = all(&project, Some(name), term)?;
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
            "{} is fine: {}, {}{}{others}",
            project.display_name(),
            plural(config.services.len(), "service"),
            plural(config.images.len(), "image"),
            hosts(&config, placement),
        ));
        Ok(exit::OK)
    }
}

/// The hosts of a config, in words. What lists others is not asked.
fn hosts(config: &Config, placement: Placement) -> String {
    let own = plural(config.hosts.len(), "host");
    let inventory = config.stages.get(&Stage::Inventory).and_then(|choice| choice.provider.as_deref());
    match (placement, inventory) {
        (Placement::Cluster, _) => ", in a cluster".to_owned(),
        (Placement::Hosts, Some(provider)) => format!(", {own} and what inventory `{provider}` lists"),
        (Placement::Hosts, None) => format!(", {own}"),
    }
}

/// All that is wrong in an environment, with its bytes in the file, and who decides what runs where.
fn all(
    project: &Project,
    environment: Option<&str>,
    term: &Arc<Term>,
) -> Result<(Vec<Problem>, Placement), Refused> {
    let found = faults(project, environment)?;
    if !found.is_empty() {
        return Ok((found, Placement::Hosts));
    }
    let loaded = session::read(project.clone(), environment)?;
    let mut problems = dockerfiles::missing(&loaded.config);
    let chosen = Providers::choose(&loaded.config, &session::setup(&loaded.project, term));
    let placement = chosen.as_ref().map_or(Placement::Hosts, Providers::placement);
    match chosen {
        Ok(providers) if placement == Placement::Cluster => {
            problems.extend(look::unfit(&loaded.config, &providers)?);
        }
        Ok(_) => {}
        Err(more) => problems.extend(more),
    }
    let bytes = |place| match place {
        Place::Key(key) => loaded.config.places.find(&key).map(Place::Bytes),
        bytes => Some(bytes),
    };
    let placed = |problem: Problem| Problem { place: problem.place.and_then(bytes), ..problem };
    Ok((problems.into_iter().map(placed).collect(), placement))
}
