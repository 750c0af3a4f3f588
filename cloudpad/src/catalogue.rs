//! What plugins there are and what uses them, as `cloudpad plugin list` tells it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Stage;
use serde::Serialize;

use crate::plugin::find::{self, Candidate, Carrier, Finding, Listing};
use crate::words::columns;

/// What a catalogue is made from.
pub struct Given<'a> {
    /// All that was found.
    pub listing: &'a Listing,
    /// The provider of each stage of the project.
    pub chosen: &'a BTreeMap<Stage, String>,
    /// The commands that are built in.
    pub built_in: &'a BTreeSet<String>,
    /// The version of a candidate, where that is known without running it.
    pub version: &'a dyn Fn(&Candidate) -> Option<String>,
    /// Why a candidate that the project uses may not be used, its own fault aside.
    pub objection: &'a dyn Fn(&Candidate) -> Option<String>,
}

/// Providers and commands, and what of them is not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Catalogue {
    providers: Vec<ProviderRow>,
    commands: Vec<CommandRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unused: Option<Vec<UnusedRow>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ProviderRow {
    /// None where the file does not say which.
    stage: Option<Stage>,
    provider: String,
    /// None where there is no such provider, which somebody has chosen all the same.
    carrier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The stages of the project that it does.
    used_for: Vec<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct CommandRow {
    command: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct UnusedRow {
    /// A path, or what is built in.
    what: String,
    why: String,
}

impl Catalogue {
    /// Sorts out what was found. `all`: also what is shadowed or was passed over.
    pub fn new(given: &Given<'_>, all: bool) -> Self {
        let providers = providers(given);
        let commands = commands(given.listing, given.built_in);
        let unused = all.then(|| {
            let findings = providers.iter().map(|(_, finding)| finding);
            unused(given.listing, findings.chain(commands.iter().map(|(_, finding)| finding)))
        });
        let command = |(name, finding): (&str, Finding<'_>)| {
            let used = finding.used?;
            Some(CommandRow { command: name.to_owned(), path: path(used), fault: used.fault.clone() })
        };
        Self {
            providers: providers.into_iter().map(|(row, _)| row).collect(),
            commands: commands.into_iter().filter_map(command).collect(),
            unused,
        }
    }

    /// As tables.
    pub fn text(&self) -> String {
        let heading = ["STAGE", "PROVIDER", "CARRIER", "VERSION", "USED FOR", "WHERE"];
        let mut text = table(heading, self.providers.iter().map(ProviderRow::cells));
        text += &later(["COMMAND", "WHERE"], self.commands.iter().map(CommandRow::cells));
        let unused = self.unused.iter().flatten();
        text + &later(["NOT USED", "WHY"], unused.map(|row| [row.what.clone(), row.why.clone()]))
    }
}

/// The commands that plugins are, by name.
pub fn commands<'a>(listing: &'a Listing, built_in: &BTreeSet<String>) -> Vec<(&'a str, Finding<'a>)> {
    let names = listing.names().into_iter().filter(|name| !built_in.contains(*name));
    names.map(|name| (name, find::command(listing, name))).collect()
}

/// Those that serve one stage, stage by stage, then those that do not say which.
fn providers<'a>(given: &Given<'a>) -> Vec<(ProviderRow, Finding<'a>)> {
    let mut rows = Vec::new();
    let mut shown = BTreeSet::new();
    for stage in Stage::ALL {
        let chosen = given.chosen.get(&stage).map(String::as_str);
        let only = given.listing.providers_only(stage);
        for name in only.into_iter().chain(chosen).collect::<BTreeSet<_>>() {
            let finding = find::find(given.listing, stage, name);
            shown.extend(finding.used.map(|used| &used.path));
            rows.push((given.row(Some(stage), name, &finding), finding));
        }
    }
    for name in given.listing.names() {
        let finding = find::named(given.listing, name);
        let is_new = finding.used.is_some_and(|used| !shown.contains(&used.path));
        if is_new && find::stage_of(name).is_none() {
            rows.push((given.row(None, name, &finding), finding));
        }
    }
    rows
}

impl Given<'_> {
    fn row(&self, stage: Option<Stage>, provider: &str, finding: &Finding<'_>) -> ProviderRow {
        let uses = |stage: &Stage| self.chosen.get(stage).is_some_and(|chosen| chosen == provider);
        let used_for: Vec<Stage> = stage.into_iter().filter(uses).collect();
        let fault = match finding.used {
            Some(used) if used_for.is_empty() => used.fault.clone(),
            Some(used) => used.fault.clone().or_else(|| (self.objection)(used)),
            None => Some(nothing(finding)),
        };
        let file = finding.used.filter(|used| !used.path.as_os_str().is_empty());
        ProviderRow {
            stage,
            provider: provider.to_owned(),
            carrier: finding.used.map(|used| carrier(used.carrier)),
            version: finding.used.and_then(|used| (self.version)(used)),
            used_for,
            path: file.map(path),
            fault,
        }
    }
}

fn nothing(finding: &Finding<'_>) -> String {
    match finding.rejected.first() {
        Some(rejected) => format!("`{}` cannot be used: {}", path(rejected), fault(rejected)),
        None => "there is no such plugin".to_owned(),
    }
}

/// What no finding uses, each file once.
fn unused<'a>(listing: &Listing, findings: impl Iterator<Item = &'a Finding<'a>>) -> Vec<UnusedRow> {
    let mut rows: BTreeMap<String, String> = BTreeMap::new();
    for finding in findings {
        for rejected in &finding.rejected {
            rows.entry(path(rejected)).or_insert_with(|| fault(rejected));
        }
        let Some(used) = finding.used else { continue };
        for shadowed in finding.shadowed.iter().filter(|shadowed| shadowed.path != used.path) {
            let what = match shadowed.carrier {
                Carrier::BuiltIn(_) => words(shadowed),
                _ => path(shadowed),
            };
            rows.entry(what).or_insert_with(|| format!("{} goes before it", words(used)));
        }
    }
    let passed = listing
        .passed
        .iter()
        .map(|passed| UnusedRow { what: passed.path.display().to_string(), why: passed.why.clone() });
    rows.into_iter().map(|(what, why)| UnusedRow { what, why }).chain(passed).collect()
}

fn words(used: &Candidate) -> String {
    match used.carrier {
        Carrier::BuiltIn(stage) => format!("the built-in {stage} provider `{}`", used.name),
        _ => format!("`{}`", path(used)),
    }
}

fn path(candidate: &Candidate) -> String {
    candidate.path.display().to_string()
}

fn fault(candidate: &Candidate) -> String {
    candidate.fault.clone().unwrap_or_default()
}

fn carrier(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::BuiltIn(_) => "built in",
        Carrier::Executable => "executable",
        Carrier::Library => "library",
    }
}

impl ProviderRow {
    fn cells(&self) -> [String; 6] {
        let used_for: Vec<&str> = self.used_for.iter().map(|stage| stage.name()).collect();
        [
            self.stage.map_or("any", Stage::name).to_owned(),
            self.provider.clone(),
            self.carrier.unwrap_or("missing").to_owned(),
            self.version.clone().unwrap_or_default(),
            used_for.join(", "),
            place(self.path.as_deref(), self.fault.as_deref()),
        ]
    }
}

impl CommandRow {
    fn cells(&self) -> [String; 2] {
        [self.command.clone(), place(Some(&self.path), self.fault.as_deref())]
    }
}

fn place(path: Option<&str>, fault: Option<&str>) -> String {
    match (path, fault) {
        (path, None) => path.unwrap_or_default().to_owned(),
        (Some(path), Some(fault)) => format!("{path} cannot be used: {fault}"),
        (None, Some(fault)) => fault.to_owned(),
    }
}

fn table<const N: usize>(heading: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<_> = std::iter::once(heading.map(str::to_owned)).chain(rows).collect();
    columns(&rows)
}

/// A table below others; nothing where it has no rows.
fn later<const N: usize>(heading: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut rows = rows.peekable();
    if rows.peek().is_none() { String::new() } else { "\n".to_owned() + &table(heading, rows) }
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
