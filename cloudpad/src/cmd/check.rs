//! `cloudpad check`: tells every problem of the config, and touches nothing.

use std::sync::Arc;

use super::args::Global;
use super::{Ended, session};
use crate::dockerfiles;
use crate::plugin::Providers;
use crate::report::exit;
use crate::term::Term;
use crate::words::plural;

/// Check `Cloudpad.toml`, without touching anything
#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let loaded = session::load(global)?;
        let mut problems = dockerfiles::missing(&loaded.config);
        let chosen = Providers::choose(&loaded.config, &session::setup(&loaded.project, term));
        problems.extend(chosen.err().into_iter().flatten());
        if !problems.is_empty() {
            return Err(loaded.refuses(problems.into()));
        }
        if term.is_json() {
            term.data("{\"problems\":[]}\n");
        }
        let config = &loaded.config;
        term.status(&format!(
            "{} is fine: {}, {}, {}",
            loaded.project.display_name(),
            plural(config.services.len(), "service"),
            plural(config.images.len(), "image"),
            plural(config.hosts.len(), "host"),
        ));
        Ok(exit::OK)
    }
}
