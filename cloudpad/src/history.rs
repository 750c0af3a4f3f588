//! What was done to the hosts, as `cloudpad history` lists it: what hosts remember, and what journals tell. Pure.
//!
//! Hosts remember what was done in the end, whoever did it; a journal also tells what has failed or was broken off, and what
//! leaves no trace, but only of what was done from where it is. A run that both know is one row.

mod account;
mod journalled;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::stage::deploy::{About, Release};
use serde::Serialize;

use crate::report::Ending;
use crate::words::{self, columns};
pub use account::account;
pub use journalled::{Run, read};

/// A run that has changed something, or tried to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its id, which is that of the release that it made, or would have made.
    pub run: String,
    /// When it began, in UTC.
    pub time: String,
    /// Who has begun it, as far as that is known.
    pub by: String,
    /// From where.
    pub from: String,
    /// The command.
    pub command: String,
    /// The release to which it went back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restores: Option<String>,
    /// What has come of it.
    pub outcome: Outcome,
    /// The services that it was about, sorted.
    pub services: BTreeSet<String>,
    /// The hosts that it was about, sorted.
    pub hosts: BTreeSet<String>,
    /// The journal that tells of it, where there is one here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<String>,
}

/// What has come of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All was done.
    Done,
    /// Nothing failed, but a host was left out.
    Incomplete,
    /// Something failed.
    Failed,
    /// Something failed, and what had been changed was taken back.
    Undone,
    /// The user stopped it.
    Interrupted,
    /// It ended without a word: it was killed, or its machine was.
    BrokenOff,
    /// It goes on.
    UnderWay,
}

impl Outcome {
    fn of(run: &Run<'_>) -> Self {
        match run.end {
            Some((Ending::Done | Ending::NothingToDo, _)) => Self::Done,
            Some((Ending::Incomplete, _)) => Self::Incomplete,
            Some((Ending::Failed, _)) => Self::Failed,
            Some((Ending::Undone, _)) => Self::Undone,
            Some((Ending::Interrupted, _)) => Self::Interrupted,
            None if run.under_way => Self::UnderWay,
            None => Self::BrokenOff,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::Undone => "failed, taken back",
            Self::Interrupted => "interrupted",
            Self::BrokenOff => "broken off",
            Self::UnderWay => "under way",
        }
    }
}

/// Rows of all that `releases` of hosts and `runs` of journals tell, newest first.
pub fn rows<'a>(releases: impl IntoIterator<Item = (&'a str, &'a Release)>, runs: &[Run<'_>]) -> Vec<Row> {
    let mut rows: Vec<Row> = runs.iter().filter(|run| run.has_acted()).map(Row::journalled).collect();
    let mut remembered: BTreeMap<&str, Row> = BTreeMap::new();
    for (host, release) in releases {
        let row = remembered.entry(&release.id).or_insert_with(|| Row::remembered(release));
        row.hosts.insert(host.to_owned());
        row.services.extend(release.changed.iter().cloned());
    }
    for row in remembered.into_values() {
        // Of a plan that was saved and carried out twice, it is the last one that hosts remember.
        let same = |journalled: &&mut Row| journalled.run == row.run && journalled.command == row.command;
        match rows.iter_mut().rev().find(same) {
            Some(journalled) => journalled.add(row),
            None => rows.push(row),
        }
    }
    // Ids sort by time, also where clocks differ. What has one id stays in the order of the journals.
    rows.sort_by(|a, b| a.run.cmp(&b.run));
    rows.reverse();
    rows
}

impl Row {
    fn journalled(run: &Run<'_>) -> Self {
        Self {
            run: run.release.clone(),
            time: words::time(&run.time),
            by: run.by.clone(),
            from: run.from.clone(),
            command: run.command.clone(),
            restores: None,
            outcome: Outcome::of(run),
            services: run.services.clone(),
            hosts: run.hosts.clone(),
            journal: Some(run.file.to_owned()),
        }
    }

    fn remembered(release: &Release) -> Self {
        let About { by, from, command, restores, .. } = (*release.about).clone();
        Self {
            run: release.id.clone(),
            time: words::time(release.id.get(..16).unwrap_or(&release.id)),
            by,
            from,
            command,
            restores,
            outcome: Outcome::Done,
            services: BTreeSet::new(),
            hosts: BTreeSet::new(),
            journal: None,
        }
    }

    /// Adds what hosts remember of the same run.
    fn add(&mut self, remembered: Row) {
        let Row { by, from, restores, services, hosts, .. } = remembered;
        if self.by.is_empty() {
            (self.by, self.from) = (by, from);
        }
        self.restores = restores;
        // The last that a run notes on its hosts says more than a journal that was cut off.
        if self.outcome == Outcome::BrokenOff && self.hosts.is_subset(&hosts) {
            self.outcome = Outcome::Done;
        }
        self.services.extend(services);
        self.hosts.extend(hosts);
    }

    /// The run of which its journal tells, where there is one.
    pub fn of<'r, 'a>(&self, runs: &'r [Run<'a>]) -> Option<&'r Run<'a>> {
        runs.iter().find(|run| Some(run.file) == self.journal.as_deref() && run.release == self.run)
    }

    /// The command, and what it was for.
    fn what(&self) -> String {
        match &self.restores {
            Some(release) => format!("{} to {release}", self.command),
            None => self.command.clone(),
        }
    }
}

/// Rows as a table with a heading.
pub fn table(rows: &[Row]) -> String {
    let heading = ["RUN", "TIME", "BY", "COMMAND", "OUTCOME", "SERVICES", "HOSTS", "FROM"].map(str::to_owned);
    let cells: Vec<[String; 8]> = std::iter::once(heading).chain(rows.iter().map(cells)).collect();
    columns(&cells)
}

fn cells(row: &Row) -> [String; 8] {
    let list = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    [
        row.run.clone(),
        row.time.clone(),
        row.by.clone(),
        row.what(),
        row.outcome.word().to_owned(),
        list(&row.services),
        list(&row.hosts),
        row.from.clone(),
    ]
}
