//! `cloudpad plugin`: commands about plugins.

mod check;
mod describe;
mod list;
mod lock;
mod new;

use std::sync::Arc;

use clap::Subcommand;

use super::Ended;
use super::args::Global;
use crate::term::Term;

/// List, check, lock and make plugins
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::Args),
    Describe(describe::Args),
    Check(check::Args),
    Lock(lock::Args),
    New(new::Args),
}

impl Args {
    pub(super) fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        match self.command {
            Command::Describe(args) => args.run(global, term),
            Command::Check(args) => args.run(global, term),
            Command::List(args) => args.run(global, term),
            Command::Lock(args) => args.run(term),
            Command::New(args) => args.run(term),
        }
    }
}
