//! `cloudpad plugin describe`: what a plugin says of itself.

use std::sync::Arc;

use clap_complete::ArgValueCandidates;
use cloudpad_plugin_api::wire::PluginHello;
use cloudpad_plugin_api::{Cancel, Plugin};

use crate::cmd::args::Global;
use crate::cmd::around::Around;
use crate::cmd::{Ended, complete};
use crate::plugin::external::External;
use crate::refusal::Refusal;
use crate::report::exit;
use crate::term::Term;
use crate::words::{json_line, plugins};

/// Start a plugin, and show what it says of itself
#[derive(clap::Args)]
pub(super) struct Args {
    /// Its name, as in `cloudpad plugin list`
    #[arg(add = ArgValueCandidates::new(complete::plugins))]
    name: String,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let around = Around::look(global)?;
        let hello = match around.launch(&self.name) {
            Ok(launch) => {
                let plugin = External::new(launch, around.setup.limits, Arc::default());
                plugin.hello(&Cancel::new()).map_err(|failure| Refusal::Failures(vec![failure]))?
            }
            Err(refused) => built_in(&self.name).ok_or(refused)?,
        };
        term.data(&if term.is_json() { json_line(&hello) } else { plugins::hello(&hello) });
        Ok(exit::OK)
    }
}

/// What the plugin that is built in and has this provider would say.
fn built_in(provider: &str) -> Option<PluginHello> {
    let has = |plugin: &&&Plugin| plugin.providers.iter().any(|own| own.name == provider);
    Plugin::built_in().iter().find(has).map(|plugin| plugin.hello())
}
