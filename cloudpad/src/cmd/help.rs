//! `cloudpad help`: the help of a command, as `cloudpad COMMAND --help` shows it.

use std::ffi::OsString;
use std::iter;

use clap::Parser;
use clap_complete::ArgValueCandidates;

use super::args::Global;
use super::{Cli, Command, Ended, complete, foreign, not_run};
use crate::report::exit;

/// Show what a command does, and its arguments
#[derive(clap::Args)]
pub(super) struct Args {
    /// The command; `cloudpad --list` prints all
    #[arg(add = ArgValueCandidates::new(complete::all_commands))]
    command: Vec<OsString>,
}

impl Args {
    pub(super) fn run(self, global: &Global) -> Ended {
        let words = iter::once("cloudpad".into()).chain(self.command).chain(["--help".into()]);
        match Cli::try_parse_from(words) {
            Ok(Cli { command: Some(Command::Foreign(words)), .. }) => foreign::run(&words, global),
            // No built-in command takes `--help` for anything else.
            Ok(_) => Ok(exit::OK),
            Err(error) => Ok(not_run(&error)),
        }
    }
}
