//! Completion of command lines: what a shell is told when somebody presses tab. Talks to the shell through
//! `clap_complete`; of plugins it knows the names, and runs none.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::{env, iter};

use clap::builder::ValueHint;
use clap::{Arg, CommandFactory};
use clap_complete::engine::ValueCompleter;
use clap_complete::{CompleteEnv, CompletionCandidate, PathCompleter};

use super::{Cli, built_in, not_run};
use crate::catalogue::commands;
use crate::config::{self, Config};
use crate::plugin::find::{self, Finding, Listing};
use crate::plugin::setup::Setup;
use crate::project::{self, Project};
use crate::report::exit;

/// Answers a shell that has asked, and returns the exit code; none where nobody has.
pub(super) fn asked() -> Option<u8> {
    let here = project::working_directory().ok();
    match CompleteEnv::with_factory(command).try_complete(env::args_os(), here.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(exit::OK),
        Err(error) => Some(not_run(&error)),
    }
}

/// The command line, with those of plugins. Only they know their arguments, and they are not asked: files are
/// offered.
fn command() -> clap::Command {
    let words: Vec<OsString> = env::args_os().skip_while(|word| word != "--").skip(2).collect();
    let plugins = of_plugins();
    if let [name, _, ..] = words.as_slice()
        && plugins.iter().any(|(known, _)| name == known.as_str())
    {
        return clap::Command::new("cloudpad")
            .disable_help_flag(true)
            .arg(Arg::new("words").num_args(0..).allow_hyphen_values(true).value_hint(ValueHint::AnyPath));
    }
    let of_plugin = |(name, path)| clap::Command::new(name).about(path);
    Cli::command().subcommands(plugins.into_iter().map(of_plugin))
}

/// The commands that plugins are, each with its path.
fn of_plugins() -> Vec<(String, String)> {
    let built_in = built_in().into_iter().map(|(name, _)| name).collect();
    let listing = listing();
    let usable = |(name, finding): (&str, Finding<'_>)| {
        let used = finding.used.filter(|used| used.fault.is_none())?;
        Some((name.to_owned(), used.path.display().to_string()))
    };
    commands(&listing, &built_in).into_iter().filter_map(usable).collect()
}

/// All commands.
pub(super) fn all_commands() -> Vec<CompletionCandidate> {
    built_in().into_iter().chain(of_plugins()).map(|(name, _)| CompletionCandidate::new(name)).collect()
}

/// The project's plugins and those of the machine.
fn listing() -> Listing {
    let project = Project::look().unwrap_or_default();
    let Ok(setup) = Setup::here(project.as_ref()) else { return Listing::default() };
    let plugins = configs(project.as_ref()).into_iter().flat_map(|config| config.plugins);
    if project.is_some() { setup.listing(&plugins.collect()) } else { setup.listing_of_machine() }
}

/// The config, as it is without an environment and as it is in each. Those that have problems are left out.
fn configs(project: Option<&Project>) -> Vec<Config> {
    let Some(project) = project else { return Vec::new() };
    let environments = config::environments(&project.text);
    let chosen = iter::once(None).chain(environments.iter().map(|name| Some(name.as_str())));
    let load = |environment| {
        let (text, dir) = (&project.text, &project.dir);
        config::load(&config::Input { text, dir, environment, var: &project::variable }).ok()
    };
    chosen.filter_map(load).collect()
}

fn candidates(names: impl Fn(&Config) -> Vec<String>) -> Vec<CompletionCandidate> {
    let project = Project::look().unwrap_or_default();
    let names: BTreeSet<String> = configs(project.as_ref()).iter().flat_map(names).collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The project's environments.
pub(super) fn environments() -> Vec<CompletionCandidate> {
    let project = Project::look().unwrap_or_default();
    let names = project.map(|project| config::environments(&project.text)).unwrap_or_default();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The project's services.
pub(super) fn services() -> Vec<CompletionCandidate> {
    candidates(|config| config.services.keys().cloned().collect())
}

/// The groups of the project's services.
pub(super) fn groups() -> Vec<CompletionCandidate> {
    candidates(|config| config.services.values().flat_map(|service| service.groups.clone()).collect())
}

/// The project's hosts, as far as its config knows them.
pub(super) fn hosts() -> Vec<CompletionCandidate> {
    candidates(|config| config.hosts.iter().map(|host| host.name.clone()).collect())
}

/// The roles of the project's hosts.
pub(super) fn roles() -> Vec<CompletionCandidate> {
    candidates(|config| config.hosts.iter().flat_map(|host| host.roles.clone()).collect())
}

/// The plugins that there are, what is built in aside.
pub(super) fn plugins() -> Vec<CompletionCandidate> {
    let listing = listing();
    let usable = |name: &&str| find::named(&listing, name).used.is_some_and(|used| used.fault.is_none());
    let names = listing.names().into_iter().filter(usable);
    names.map(|name| CompletionCandidate::new(name.to_owned())).collect()
}

/// As [`plugins`], and files.
pub(super) fn plugins_and_files(typed: &OsStr) -> Vec<CompletionCandidate> {
    let begins = |name: &CompletionCandidate| {
        let name = name.get_value().as_encoded_bytes();
        name.starts_with(typed.as_encoded_bytes())
    };
    let names = plugins().into_iter().filter(begins);
    names.chain(PathCompleter::file().complete(typed)).collect()
}
