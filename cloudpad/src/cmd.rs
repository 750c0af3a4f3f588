//! The command line: one file per command, which declares its arguments, calls, and reports.

mod args;
mod around;
mod build;
mod check;
mod complete;
mod config;
mod consent;
mod deploy;
mod display;
mod doctor;
mod environments;
mod events;
mod exec;
mod foreign;
mod help;
mod history;
mod hosts;
mod init;
mod interact;
mod list;
mod lock;
mod logs;
mod maintenance;
mod plan;
mod plugin;
mod plugin_host;
mod prune;
mod ps;
mod push;
mod registry;
mod releases;
mod relisted;
mod remove;
mod restart;
mod rollback;
mod run;
mod scale;
mod secrets;
mod session;
mod start;
mod stats;
mod stop;
mod trust;
mod whom;
mod whose;

use std::ffi::OsString;
use std::sync::Arc;

use anstream::ColorChoice;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::Problem;
use crate::refusal::{Refusal, Told};
use crate::report::exit;
use crate::term::{Style, Term};
use crate::words;
use args::Global;

/// From source control to running containers on every host.
#[derive(Parser)]
#[command(name = "cloudpad", version, propagate_version = true, disable_help_subcommand = true)]
#[command(arg_required_else_help = true, subcommand_value_name = "COMMAND")]
#[command(
    after_help = "Plugins bring more commands: `cloudpad foo` runs `cloudpad-foo`, and `--list` prints them."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    /// Print all commands, those of plugins too
    #[arg(long)]
    list: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    Doctor(doctor::Args),
    Check(check::Args),
    Config(config::Args),
    Plan(plan::Args),
    Build(build::Args),
    Push(push::Args),
    Deploy(deploy::Args),
    Releases(releases::Args),
    Rollback(rollback::Args),
    Prune(prune::Args),
    Registry(registry::Args),
    History(history::Args),
    Stop(stop::Args),
    Start(start::Args),
    Restart(restart::Args),
    Scale(scale::Args),
    Remove(remove::Args),
    Ps(ps::Args),
    Lock(lock::Args),
    Maintenance(maintenance::Args),
    Logs(logs::Args),
    Events(events::Args),
    Stats(stats::Args),
    Exec(exec::Args),
    Run(run::Args),
    Hosts(hosts::Args),
    Secrets(secrets::Args),
    Plugin(plugin::Args),
    Trust(trust::Args),
    Help(help::Args),
    #[command(name = crate::plugin::HOST)]
    PluginHost(plugin_host::Args),
    /// A plugin's name and its arguments.
    #[command(external_subcommand)]
    Foreign(Vec<OsString>),
}

impl Command {
    /// Whether it changes something, and so tells of events rather than prints data.
    fn acts(&self) -> bool {
        match self {
            Command::Hosts(hosts) => hosts.acts(),
            Command::Registry(registry) => registry.acts(),
            Command::Build(_)
            | Command::Push(_)
            | Command::Deploy(_)
            | Command::Rollback(_)
            | Command::Prune(_)
            | Command::Stop(_)
            | Command::Start(_)
            | Command::Restart(_)
            | Command::Scale(_)
            | Command::Remove(_)
            | Command::Maintenance(_) => true,
            _ => false,
        }
    }

    /// Whether something may be other on a host afterwards, also by what somebody has run there.
    fn may_change(&self) -> bool {
        self.acts() || matches!(self, Command::Exec(_) | Command::Run(_) | Command::Hosts(_))
    }
}

/// How a command ended: with an exit code, or by refusing to do anything. A refusal comes with the
/// renderer for problems, which knows the file's text.
type Ended = Result<u8, Refused>;

/// A refusal, and the file that its problems are about.
#[derive(Clone)]
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
    // First of all: the shell that has asked takes all that is printed for its answer.
    complete::asked().unwrap_or_else(|| match Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(error) => not_run(&advised(error)),
    })
}

impl Cli {
    fn run(self) -> u8 {
        let wrong = |kind, message: &str| not_run(&Cli::command().error(kind, message));
        let acts = self.command.as_ref().is_some_and(Command::acts);
        let may_change = self.command.as_ref().is_some_and(Command::may_change);
        let term = Arc::new(Term::of_process(self.global.style(acts)));
        let ended = match (self.list, self.command) {
            (false, Some(command)) => command.run(&self.global, &term),
            (true, None) => list::run(&self.global, &term),
            (true, Some(_)) => return wrong(ErrorKind::ArgumentConflict, "`--list` goes without a command"),
            (false, None) => return wrong(ErrorKind::MissingSubcommand, "no command is named"),
        };
        let code = ended.unwrap_or_else(|refused| {
            refused.show(&term);
            refused.refusal.exit_code()
        });
        match term.lost() {
            None => code,
            Some(error) => {
                let done = acts && code == exit::OK;
                let done = if done { "; what was asked for is done all the same" } else { "" };
                term.error(&format!("could not write to stdout, which is not complete: {error}{done}"));
                // Where hosts may have changed, whoever reads the exit code must not take what was told for all of it.
                match (may_change, code) {
                    (true, exit::OK) => exit::FAILED,
                    (true, code) => code,
                    (false, _) => exit::REFUSED,
                }
            }
        }
    }
}

impl Command {
    fn run(self, global: &Global, term: &Arc<Term>) -> Ended {
        match self {
            Command::Init(args) => args.run(term),
            Command::Doctor(args) => args.run(global, term),
            Command::Check(args) => args.run(global, term),
            Command::Config(args) => args.run(global, term),
            Command::Plan(args) => args.run(global, term),
            Command::Build(args) => args.run(global, term),
            Command::Push(args) => args.run(global, term),
            Command::Deploy(args) => args.run(global, term),
            Command::Releases(args) => args.run(global, term),
            Command::Rollback(args) => args.run(global, term),
            Command::Prune(args) => args.run(global, term),
            Command::Registry(args) => args.run(global, term),
            Command::History(args) => args.run(global, term),
            Command::Stop(args) => args.run(global, term),
            Command::Start(args) => args.run(global, term),
            Command::Restart(args) => args.run(global, term),
            Command::Scale(args) => args.run(global, term),
            Command::Remove(args) => args.run(global, term),
            Command::Ps(args) => args.run(global, term),
            Command::Lock(args) => args.run(global, term),
            Command::Maintenance(args) => args.run(global, term),
            Command::Logs(args) => args.run(global, term),
            Command::Events(args) => args.run(global, term),
            Command::Stats(args) => args.run(global, term),
            Command::Exec(args) => args.run(global, term),
            Command::Run(args) => args.run(global, term),
            Command::Hosts(args) => args.run(global, term),
            Command::Secrets(args) => args.run(global, term),
            Command::Plugin(args) => args.run(global, term),
            Command::Trust(args) => args.run(term),
            Command::Help(args) => args.run(global),
            Command::PluginHost(args) => args.run(),
            Command::Foreign(words) => {
                foreign::first(&words)?;
                foreign::run(&words, global)
            }
        }
    }
}

/// The commands that are built in, each with a line about it.
fn built_in() -> Vec<(String, String)> {
    let command = Cli::command();
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    let about = |command: &clap::Command| command.get_about().map(ToString::to_string).unwrap_or_default();
    shown.map(|command| (command.get_name().to_owned(), about(command))).collect()
}

/// An error with a tip of ours, where an option is missed that other commands have.
fn advised(mut error: clap::Error) -> clap::Error {
    let option = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(option)) if error.kind() == ErrorKind::UnknownArgument => option.as_str(),
        _ => return error,
    };
    let tip = match option {
        "--service" => "services are named without an option here, as in `cloudpad logs web`",
        "--group" | "--role" => "name the services; `--host` selects hosts where the command takes it",
        _ => return error,
    };
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
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
    }

    #[test]
    fn an_option_of_other_commands_is_answered_with_what_takes_its_place() {
        let said = |arguments: &[&str]| match Cli::try_parse_from(["cloudpad"].iter().chain(arguments)) {
            Err(error) => advised(error).render().to_string(),
            Ok(_) => panic!("{arguments:?} are understood"),
        };
        for command in ["logs", "exec", "stats", "stop"] {
            let said = said(&[command, "--service", "a"]);
            assert!(said.contains("tip: services are named without an option"), "{said}");
        }
        let said = said(&["stop"]);
        assert!(said.contains("--all"), "{said}");
    }

    #[test]
    fn json_is_asked_for_wherever_it_stands_among_the_options() {
        let wants = |arguments: &[&str]| wants_json(arguments.iter().map(OsString::from));
        assert!(wants(&["cloudpad", "deploy", "--nosuch", "--json"]));
        assert!(!wants(&["cloudpad", "deploy", "--nosuch", "--", "--json"]));
    }
}
