//! `cloudpad plugin list`: what plugins there are, and what of the project uses them.

use std::sync::Arc;

use cloudpad_plugin_api::{Failure, Plugin, Stage};

use crate::catalogue::{Catalogue, Given};
use crate::cmd::args::Global;
use crate::cmd::around::Around;
use crate::cmd::{Ended, built_in};
use crate::plugin::find::{Candidate, Carrier};
use crate::plugin::start;
use crate::report::exit;
use crate::term::Term;
use crate::words::json_line;

/// List providers and plugins' commands; none of them is run
#[derive(clap::Args)]
pub(super) struct Args {
    /// Also list what is not used, and why
    #[arg(long)]
    all: bool,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let around = Around::look(global)?;
        // What is wrong with a lock is told where a plugin is used that it is about.
        let lock = around.setup.lock().ok().flatten();
        let version = |candidate: &Candidate| match candidate.carrier {
            Carrier::BuiltIn(stage) => version_built_in(stage, &candidate.name),
            _ => lock.as_ref()?.version(&candidate.name).map(str::to_owned),
        };
        let objection = |candidate: &Candidate| {
            let launch = match candidate.carrier {
                Carrier::BuiltIn(_) => return None,
                _ => around.setup.guarded(candidate),
            };
            launch.and_then(|launch| start::check(&launch)).err().map(|failure: Failure| failure.to_string())
        };
        let given = Given {
            listing: &around.listing,
            chosen: &around.chosen(term),
            built_in: &built_in().into_iter().map(|(name, _)| name).collect(),
            version: &version,
            objection: &objection,
        };
        let catalogue = Catalogue::new(&given, self.all);
        term.data(&if term.is_json() { json_line(&catalogue) } else { catalogue.text() });
        Ok(exit::OK)
    }
}

fn version_built_in(stage: Stage, provider: &str) -> Option<String> {
    let all = Plugin::built_in();
    let has =
        |plugin: &&&Plugin| plugin.providers.iter().any(|own| own.stage() == stage && own.name == provider);
    all.iter().find(has).map(|plugin| plugin.version.to_owned())
}
