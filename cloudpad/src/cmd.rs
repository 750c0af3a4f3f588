//! The command line: one file per command, which declares its arguments, calls, and reports.

mod args;
mod build;
mod check;
mod config;
mod deploy;
mod init;
mod plan;
mod plugin;
mod plugin_host;
mod ps;
mod push;
mod session;

use std::ffi::OsString;
use std::sync::Arc;

use anstream::ColorChoice;
use clap::{Parser, Subcommand};

use crate::config::Problem;
use crate::refusal::{Refusal, Told};
use crate::report::exit;
use crate::term::{Style, Term};
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
    Plugin(plugin::Args),
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
        Err(error) => return not_run(&error),
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
        Command::Plugin(args) => args.run(&term),
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

/// Help and version come as errors too; both write to where they belong.
fn not_run(error: &clap::Error) -> u8 {
    let _ = error.print();
    if !error.use_stderr() {
        return exit::OK;
    }
    if wants_json(std::env::args_os()) {
        let style =
            Style { json: true, events: false, quiet: false, verbose: false, colour: ColorChoice::Never };
        Term::of_process(style).data(&words::json_line(&Told::new(&misused(error), |_| None)));
    }
    exit::REFUSED
}

/// Whether JSON was asked for by arguments that are not understood as a whole.
fn wants_json(arguments: impl IntoIterator<Item = OsString>) -> bool {
    arguments.into_iter().take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

/// What is wrong with the arguments: what clap says before its hints and the usage.
fn misused(error: &clap::Error) -> Refusal {
    let text = error.render().to_string();
    let said = text.split("\n\n").next().unwrap_or_default();
    let said = said.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let message = said.strip_prefix("error: ").unwrap_or(&said);
    Refusal::new(message).hint("`cloudpad --help` and `cloudpad COMMAND --help` say what can be given")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn message(arguments: &[&str]) -> String {
        let all = ["cloudpad"].iter().chain(arguments);
        let Err(error) = Cli::try_parse_from(all) else { panic!("{arguments:?} are understood") };
        match misused(&error) {
            Refusal::Message { message, .. } => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_wrong_with_the_arguments_is_told_without_the_usage() {
        assert_eq!(message(&["deploy", "--nosuch", "--json"]), "unexpected argument '--nosuch' found");
        assert_eq!(message(&["dploy"]), "unrecognized subcommand 'dploy'");
        let none = message(&["--json"]);
        assert!(none.starts_with("'cloudpad' requires a subcommand"), "{none}");
    }

    #[test]
    fn json_is_asked_for_wherever_it_stands_among_the_options() {
        let wants = |arguments: &[&str]| wants_json(arguments.iter().map(OsString::from));
        assert!(wants(&["cloudpad", "deploy", "--nosuch", "--json"]));
        assert!(!wants(&["cloudpad", "deploy", "--nosuch", "--", "--json"]));
    }
}
