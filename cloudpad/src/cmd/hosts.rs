//! `cloudpad hosts`: commands about the machines.

mod add;
mod exec;
mod list;
mod listed;
mod provision;
mod rm;
mod ssh;
mod trust;

use std::sync::Arc;

use clap::Subcommand;
use cloudpad_plugin_api::model::Host;

use super::args::{Global, SelectHosts};
use super::session::Session;
use super::{Ended, Refused};
use crate::config;
use crate::term::Term;

/// List, add, prepare and take out hosts, log in to them, and run commands there
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Ls(list::Args),
    Add(add::Args),
    Rm(rm::Args),
    Provision(provision::Args),
    Exec(exec::Args),
    Ssh(ssh::Args),
    Trust(trust::Args),
}

impl Args {
    /// Whether it tells of events rather than prints data.
    pub(super) fn acts(&self) -> bool {
        matches!(self.command, Command::Provision(_))
    }

    pub(super) fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        match self.command {
            Command::Ls(args) => args.run(global, term),
            Command::Add(args) => args.run(global, term),
            Command::Rm(args) => args.run(global, term),
            Command::Provision(args) => args.run(global, term),
            Command::Exec(args) => args.run(global, term),
            Command::Ssh(args) => args.run(global, term),
            Command::Trust(args) => args.run(global, term),
        }
    }
}

/// A duration, in milliseconds.
fn duration(text: &str) -> Result<u64, String> {
    config::duration(text).map_err(|problem| {
        [Some(problem.message), problem.hint].into_iter().flatten().collect::<Vec<_>>().join("; ")
    })
}

/// The hosts that are meant, in the order of the file.
fn chosen(session: &Session, select: &SelectHosts) -> Result<Vec<Arc<Host>>, Refused> {
    session.selected(&select.selection())
}
