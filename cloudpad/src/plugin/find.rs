//! Which file is the plugin that is asked for: one decision over what was read from disk. Pure.
//!
//! A plugin is known by its file's name, and is not run to be found. Provider `aws` of stage `inventory` is
//! `cloudpad-aws-inventory` or, where the same folder has no such file, `cloudpad-aws`; what follows
//! `cloudpad-` is the plugin's *name*. Places are gone through in the order of [`Place`], and the first that
//! has it wins. What the project itself brings must work: where that cannot be used, nothing else takes its
//! place unseen. Elsewhere, what cannot be used is passed over.

use std::path::{Path, PathBuf};

use cloudpad_plugin_api::Stage;

pub use super::file_name::{Carrier, read as read_name};
use super::sum::Sum;

/// Where a plugin may be, in the order in which places are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `[plugins.NAME]` in `Cloudpad.toml`.
    Config,
    /// Linked into the program.
    BuiltIn,
    /// `.cloudpad/plugins` of the project.
    Project,
    /// The user's plugin folder.
    User,
    /// One of the system's plugin folders.
    System,
    /// An entry of `PATH`.
    Path,
}

impl Place {
    /// The place in words.
    pub fn words(self) -> &'static str {
        match self {
            Place::Config => "named in Cloudpad.toml",
            Place::BuiltIn => "built in",
            Place::Project => "the project's",
            Place::User => "the user's",
            Place::System => "the system's",
            Place::Path => "on PATH",
        }
    }

    /// Whether what is here belongs to the project, and so has to work.
    fn must_work(self) -> bool {
        matches!(self, Place::Config | Place::Project)
    }
}

/// A file, or a provider that is linked in, that has the name of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What follows `cloudpad-`: a provider, or a provider and a stage.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// How it runs.
    pub carrier: Carrier,
    /// The file; empty for what is built in.
    pub path: PathBuf,
    /// Why it cannot be used.
    pub fault: Option<String>,
    /// The sum that it has to have, since the user trusts no other.
    pub trusted: Option<Sum>,
}

/// What was read, in the order in which places are gone through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Every folder that could be read, with the candidates in it.
    pub folders: Vec<Vec<Candidate>>,
    /// What was passed over, and why.
    pub passed: Vec<Passed>,
    /// The project's own folder, where it is there and cannot be read. What comes after it may be anybody's, and may
    /// have the name of what is in there.
    pub unread: Option<Passed>,
}

/// A folder that was not looked into, or a file that has nearly the name of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Where it is; as it stands in `PATH` where it is an entry that leads nowhere.
    pub path: PathBuf,
    /// Why it was passed over.
    pub why: String,
}

impl Passed {
    pub(super) fn new(path: &Path, why: impl Into<String>) -> Self {
        Self { path: path.to_owned(), why: why.into() }
    }
}

/// What there is for one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding<'a> {
    /// What is used. Where it has a fault, that is an error.
    pub used: Option<&'a Candidate>,
    /// What would be used if the former were not there.
    pub shadowed: Vec<&'a Candidate>,
    /// What was passed over for a fault.
    pub rejected: Vec<&'a Candidate>,
}

/// What serves `stage` under the name `provider`.
pub fn find<'a>(listing: &'a Listing, stage: Stage, provider: &str) -> Finding<'a> {
    decide(listing, |candidate| rank(candidate, stage, provider))
}

/// What has this name of all that is not built in, whatever the stages that it serves.
pub fn named<'a>(listing: &'a Listing, name: &str) -> Finding<'a> {
    decide(listing, |candidate| (is_file(candidate) && candidate.name == name).then_some(0))
}

/// What `cloudpad NAME` runs where no command of that name is built in: the very file that is the plugin.
pub fn command<'a>(listing: &'a Listing, name: &str) -> Finding<'a> {
    let is_program = |candidate: &Candidate| candidate.carrier == Carrier::Executable;
    decide(listing, |candidate| (is_program(candidate) && candidate.name == name).then_some(0))
}

impl Listing {
    /// Every candidate, in the order in which places are gone through.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.folders.iter().flatten()
    }

    /// The names of all that is not built in, sorted.
    pub fn names(&self) -> Vec<&str> {
        let files = self.candidates().filter(|candidate| is_file(candidate));
        let mut names: Vec<&str> = files.map(|candidate| candidate.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The names that are `provider`'s and end in a stage, sorted.
    pub fn names_of(&self, provider: &str) -> Vec<&str> {
        let its = |name: &&str| stage_of(name).is_some_and(|(_, own)| own == provider);
        self.names().into_iter().filter(its).collect()
    }

    /// The providers of `stage` and no other, sorted: those that are built in, and those of files whose names
    /// end in it.
    pub fn providers_only(&self, stage: Stage) -> Vec<&str> {
        let only = |candidate: &&Candidate| match candidate.carrier {
            Carrier::BuiltIn(own) => own == stage,
            _ => stage_of(&candidate.name).is_some_and(|(own, _)| own == stage),
        };
        self.sorted(self.candidates().filter(only), stage)
    }

    /// The providers that may serve `stage`, sorted: a file does not say which stages a provider serves
    /// unless its name ends in one.
    pub fn providers(&self, stage: Stage) -> Vec<&str> {
        self.sorted(self.candidates().filter(|candidate| candidate.fault.is_none()), stage)
    }

    fn sorted<'a>(&self, candidates: impl Iterator<Item = &'a Candidate>, stage: Stage) -> Vec<&'a str> {
        let mut names: Vec<&str> = candidates.filter_map(|candidate| provider(candidate, stage)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// How well it fits, best first; none where it does not.
fn rank(candidate: &Candidate, stage: Stage, provider: &str) -> Option<usize> {
    if let Carrier::BuiltIn(own) = candidate.carrier {
        return (own == stage && candidate.name == provider).then_some(0);
    }
    match candidate.name.strip_prefix(provider)? {
        "" => Some(1),
        rest => (rest.strip_prefix('-') == Some(stage.name())).then_some(0),
    }
}

fn provider(candidate: &Candidate, stage: Stage) -> Option<&str> {
    let name = candidate.name.as_str();
    if let Carrier::BuiltIn(own) = candidate.carrier {
        return (own == stage).then_some(name);
    }
    match stage_of(name) {
        Some((own, provider)) => (own == stage).then_some(provider),
        None => Some(name),
    }
}

/// The stage in which a plugin's name ends, and the provider before it.
pub fn stage_of(name: &str) -> Option<(Stage, &str)> {
    let ending = |stage: Stage| Some((stage, name.strip_suffix(stage.name())?.strip_suffix('-')?));
    Stage::ALL.into_iter().find_map(ending)
}

fn is_file(candidate: &Candidate) -> bool {
    !matches!(candidate.carrier, Carrier::BuiltIn(_))
}

fn decide(listing: &Listing, rank: impl Fn(&Candidate) -> Option<usize>) -> Finding<'_> {
    let mut finding = Finding::default();
    for folder in &listing.folders {
        let fitting = folder.iter().filter_map(|candidate| Some((rank(candidate)?, candidate)));
        let mut fitting: Vec<_> = fitting.collect();
        fitting.sort_by_key(|(rank, candidate)| (*rank, candidate.carrier, &candidate.path));
        for (_, candidate) in fitting {
            match (&candidate.fault, finding.used) {
                (Some(_), None) if candidate.place.must_work() => finding.used = Some(candidate),
                (Some(_), _) => finding.rejected.push(candidate),
                (None, None) => finding.used = Some(candidate),
                (None, Some(_)) => finding.shadowed.push(candidate),
            }
        }
    }
    finding
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
