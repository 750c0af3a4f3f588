//! `cloudpad registry`: commands about the images that a registry keeps of the project.

mod list;
mod prune;
mod seen;

use std::sync::Arc;

use clap::Subcommand;

use super::Ended;
use super::args::Global;
use crate::term::Term;

/// List the project's images in the registry, and remove those that nothing needs
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Ls(list::Args),
    Prune(prune::Args),
}

impl Args {
    /// Whether it changes something.
    pub(super) fn acts(&self) -> bool {
        matches!(self.command, Command::Prune(_))
    }

    pub(super) fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        match self.command {
            Command::Ls(args) => args.run(global, term),
            Command::Prune(args) => args.run(global, term),
        }
    }
}
