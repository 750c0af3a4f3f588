//! `cloudpad config`: prints the config with its environment merged in and its variables replaced.

use std::sync::Arc;

use super::args::Global;
use super::{Ended, session};
use crate::config;
use crate::report::exit;
use crate::term::Term;

/// Print the config as it is understood, with defaults, environment and variables
#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let config = session::load(global)?.config;
        term.data(&if term.is_json() { config::show_json(&config) } else { config::show(&config) });
        Ok(exit::OK)
    }
}
