//! `cloudpad secrets`: commands about the values of secrets.

mod edit;
mod list;
mod set;

use std::sync::Arc;

use clap::Subcommand;
use cloudpad_plugin_api::{FailureKind, Stage};

use super::args::Global;
use super::session::Session;
use super::{Ended, Refused};
use crate::refusal::Refusal;
use crate::term::Term;

/// List, set and edit secrets
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Ls(list::Args),
    Set(set::Args),
    Edit(edit::Args),
}

impl Args {
    pub(super) fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        match self.command {
            Command::Ls(args) => args.run(global, term),
            Command::Set(args) => args.run(global, term),
            Command::Edit(args) => args.run(global, term),
        }
    }
}

/// The refusal of a provider that keeps no secrets itself says who does.
fn kept_elsewhere(session: &Session, refused: Refused) -> Refused {
    let is_unsupported = match &refused.refusal {
        Refusal::Failures(failures) => failures.iter().any(|it| it.kind == FailureKind::Unsupported),
        _ => false,
    };
    if !is_unsupported {
        return refused;
    }
    let choice = session.config.stages.get(&Stage::Secrets);
    let provider = choice.and_then(|choice| choice.provider.as_deref()).unwrap_or_default();
    let hint = match provider {
        "env" => {
            "write it into `.env`, or the files that `config` of the provider names; provider `age` keeps secrets \
                  in an encrypted file"
        }
        "command" => {
            "use the program that `config` of the provider names; provider `age` keeps secrets in an encrypted \
                      file"
        }
        _ => "use the tool that belongs to it; provider `age` keeps secrets in an encrypted file",
    };
    Refusal::new(format!("the secrets provider `{provider}` only reads secrets")).hint(hint).into()
}
