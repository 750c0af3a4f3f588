//! `cloudpad plugin`: commands about plugins.

mod new;

use std::sync::Arc;

use clap::Subcommand;

use super::Ended;
use crate::term::Term;

/// Make plugins
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    New(new::Args),
}

impl Args {
    pub(super) fn run(self, term: &Arc<Term>) -> Ended {
        match self.command {
            Command::New(args) => args.run(term),
        }
    }
}
