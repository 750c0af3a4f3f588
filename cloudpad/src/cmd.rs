//! The command line: one file per command, which declares its arguments, calls, and reports.

mod args;
mod build;
mod check;
mod config;
mod deploy;
mod init;
mod plan;
mod plugin_host;
mod ps;
mod push;
mod session;

use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::config::Problem;
use crate::refusal::{Refusal, Told};
use crate::report::exit;
use crate::term::Term;
use crate::words;
use args::Global;

/// From source control to running containers on every host.
#[derive(Parser)]
#[command(name = "cloudpad", version, propagate_version = true, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    Check(check::Args),
    Config(config::Args),
    Plan(plan::Args),
    Build(build::Args),
    Push(push::Args),
    Deploy(deploy::Args),
    Ps(ps::Args),
    #[command(name = crate::plugin::HOST)]
    PluginHost(plugin_host::Args),
}

impl Command {
    /// Whether it changes something, and so tells of events rather than prints data.
    fn acts(&self) -> bool {
        matches!(self, Command::Build(_) | Command::Push(_) | Command::Deploy(_))
    }
}

/// How a command ended: with an exit code, or by refusing to do anything. A refusal comes with the
/// renderer for problems, which knows the file's text.
type Ended = Result<u8, Refused>;

/// A refusal, and the file that its problems are about.
struct Refused {
    refusal: Refusal,
    file: Option<FileText>,
}

/// A config file as it was read.
#[derive(Clone)]
struct FileText {
    name: String,
    text: String,
    places: crate::config::Places,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, file: None }
    }
}

/// Does what the arguments say, and returns the exit code.
pub fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come as errors too; both write to where they belong.
            let _ = error.print();
            return if error.use_stderr() { exit::REFUSED } else { exit::OK };
        }
    };
    let acts = cli.command.acts();
    let term = Arc::new(Term::of_process(cli.global.style(acts)));
    let ended = match cli.command {
        Command::Init(args) => args.run(&term),
        Command::Check(args) => args.run(&cli.global, &term),
        Command::Config(args) => args.run(&cli.global, &term),
        Command::Plan(args) => args.run(&cli.global, &term),
        Command::Build(args) => args.run(&cli.global, &term),
        Command::Push(args) => args.run(&cli.global, &term),
        Command::Deploy(args) => args.run(&cli.global, &term),
        Command::Ps(args) => args.run(&cli.global, &term),
        Command::PluginHost(args) => args.run(),
    };
    let code = ended.unwrap_or_else(|refused| {
        refused.show(&term);
        refused.refusal.exit_code()
    });
    match term.lost() {
        None => code,
        Some(error) => {
            term.error(&format!("could not write to stdout, which is not complete: {error}"));
            // Where hosts may have changed, how that went is what counts.
            if acts { code } else { exit::REFUSED }
        }
    }
}

impl Refused {
    fn show(&self, term: &Term) {
        if term.is_json() {
            let locate = |problem: &Problem| {
                let FileText { name, text, places } = self.file.as_ref()?;
                crate::config::position(problem, places, text, name)
            };
            term.data(&words::json_line(&Told::new(&self.refusal, locate)));
        }
        term.refusal(&self.refusal, |problems| match &self.file {
            Some(file) => {
                crate::config::render(problems, &file.places, &file.text, &file.name, term.is_coloured())
            }
            None => problems.iter().map(words::problem).collect(),
        });
    }
}
