//! `cloudpad history`: what was done to the hosts, by whom and with what outcome.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::Ended;
use super::args::{Global, Select};
use super::session::Session;
use crate::config::Config;
use crate::history::{self, Row, Run};
use crate::inventory::Selection;
use crate::look::{At, Looked};
use crate::plan::past::known;
use crate::refusal::Refusal;
use crate::term::Term;
use crate::words;

/// List what was done to the hosts, newest first
#[derive(clap::Args)]
pub(super) struct Args {
    /// Tell what is known of this run, step by step
    run: Option<String>,
    /// Only the last so many
    #[arg(short, long, value_name = "N", conflicts_with = "run")]
    number: Option<usize>,
    #[command(flatten)]
    select: Select,
}

/// A journal that can be read.
struct Journal {
    file: String,
    text: String,
    under_way: bool,
}

/// A run with the events of its journal, where there is one here.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    row: &'a Row,
    events: Vec<Value>,
}

impl Args {
    pub(super) fn run(&self, global: &Global, term: &Arc<Term>) -> Ended {
        let session = Session::open("history", false, global, term)?;
        let selection = self.select.selection();
        let looked = session.look(&selection, At::Past)?;
        let journals = journals(&session, term);
        let mut runs: Vec<Run<'_>> = journals.iter().flat_map(|journal| runs(journal, term)).collect();
        runs.retain(|run| run.project == session.config.project.prefix());
        let mut rows = history::rows(releases(&looked), &runs);
        rows.retain(|row| is_meant(row, &selection, &session.config, &looked));
        let code = tell_silent(&session, &looked);
        match &self.run {
            Some(id) => tell(id, &rows, &runs, term)?,
            None => {
                rows.truncate(self.number.unwrap_or(usize::MAX));
                term.data(&if term.is_json() { words::json_line(&rows) } else { history::table(&rows) });
            }
        }
        Ok(code)
    }
}

fn journals(session: &Session, term: &Term) -> Vec<Journal> {
    let mut journals = Vec::new();
    for found in session.journals() {
        let file = found.file.display().to_string();
        match found.text {
            Ok(text) => journals.push(Journal { file, text, under_way: found.under_way }),
            Err(error) => term.warn(&format!("`{file}` is left out: it cannot be read: {error}")),
        }
    }
    journals
}

fn runs<'a>(journal: &'a Journal, term: &Term) -> Vec<Run<'a>> {
    history::read(&journal.file, &journal.text, journal.under_way).unwrap_or_else(|why| {
        term.warn(&format!("`{}` is left out: it is no journal: {why}", journal.file));
        Vec::new()
    })
}

/// What hosts remember, each release with its host.
fn releases(looked: &Looked) -> impl Iterator<Item = (&str, &cloudpad_plugin_api::stage::deploy::Release)> {
    looked.observed.seen().flat_map(|(host, seen)| known(seen).iter().map(move |release| (host, release)))
}

/// Whether a run was about anything that is selected. What is on no host and in no file any more is told where all is.
fn is_meant(row: &Row, selection: &Selection, config: &Config, looked: &Looked) -> bool {
    let Looked { inventory, scope, .. } = looked;
    let is_chosen = |host: &String| inventory.index(host).is_some_and(|at| scope.hosts.contains(&at));
    (!selection.narrows_hosts() || row.hosts.iter().any(is_chosen))
        && (!selection.narrows_services() || row.services.iter().any(|service| scope.covers(service, config)))
}

/// Tells which hosts cannot say what they remember, and returns the exit code for that.
fn tell_silent(session: &Session, looked: &Looked) -> u8 {
    for (host, _) in looked.observed.seen().filter(|(_, seen)| seen.releases.is_none()) {
        session.term.warn(&format!("{host}: its provider of stage `deploy` does not remember releases"));
    }
    session.tell_unseen(&looked.observed)
}

/// Tells all that is known of the runs of this id.
fn tell(id: &str, rows: &[Row], runs: &[Run<'_>], term: &Term) -> Result<(), Refusal> {
    let meant: Vec<_> = rows.iter().filter(|row| row.run == id).map(|row| (row, row.of(runs))).collect();
    if meant.is_empty() {
        let message = format!("neither a host nor a journal here knows a run `{id}`");
        return Err(Refusal::new(message).hint("`cloudpad history` lists those that are known"));
    }
    if term.is_json() {
        let told =
            meant.iter().map(|(row, run)| Told { row, events: run.map(Run::events).unwrap_or_default() });
        term.data(&words::json_line(&told.collect::<Vec<_>>()));
    } else {
        meant.iter().for_each(|(row, run)| term.data(&history::account(row, *run)));
    }
    Ok(())
}
