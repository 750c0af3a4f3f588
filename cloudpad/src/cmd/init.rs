//! `cloudpad init`: writes a first `Cloudpad.toml`.

use std::sync::Arc;

use super::Ended;
use crate::report::exit;
use crate::term::Term;

/// Write a first `Cloudpad.toml`
#[derive(clap::Args)]
pub(super) struct Args {}

impl Args {
    pub(super) fn run(&self, _term: &Arc<Term>) -> Ended {
        Ok(exit::OK)
    }
}
