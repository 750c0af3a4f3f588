//! One run in words: what was done where, in the order in which it ended. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::{Reply, Stage};
use serde_json::{Value, from_value};

use super::journalled::{Action, Line};
use super::{Row, Run};
use crate::report::{Phase, Subject};
use crate::words;

/// Tells a run by its row and, where there is one here, by its journal.
pub fn account(row: &Row, run: Option<&Run<'_>>) -> String {
    let Row { run: id, time, by, from, outcome, .. } = row;
    let part = |word: &str, value: &str| match value.is_empty() {
        true => String::new(),
        false => format!(" {word} {value}"),
    };
    let took = run.and_then(|run| run.end).map(|(_, ms)| format!(" ({})", words::seconds(ms)));
    let head = format!(
        "{id}: {}{}{}, {time}: {}{}",
        row.what(),
        part("by", by),
        part("from", from),
        outcome.word(),
        took.unwrap_or_default()
    );
    let lines = match run {
        Some(run) => steps(run),
        None => row.hosts.iter().map(|host| format!("{host}: it is remembered there")).collect(),
    };
    let lines: String = lines.into_iter().map(|line| format!("  {line}\n")).collect();
    format!("{head}\n{lines}")
}

fn steps(run: &Run<'_>) -> Vec<String> {
    let (mut told, mut open) = (Vec::new(), BTreeMap::new());
    let lines = run.text.lines().filter_map(|line| serde_json::from_str(line).ok());
    for line in lines {
        match line {
            Line::Phase { phase: Phase::Undo } => told.push("taking back what was changed".to_owned()),
            Line::Started { phase, action } if phase != Phase::Look => {
                open.insert((phase == Phase::Undo, action.id), subject(action));
            }
            Line::Done { phase, action, ms, reply } if phase != Phase::Look => {
                open.remove(&(phase == Phase::Undo, action.id));
                let reply = answer(&action.method, reply);
                let subject = subject(action);
                let took = words::seconds(ms);
                told.push(format!("{}{} ({took})", prefix(&subject), words::did(&subject, &reply)));
            }
            Line::Failed { phase, action, ms, error } if phase != Phase::Look => {
                open.remove(&(phase == Phase::Undo, action.id));
                let subject = subject(action);
                let (doing, took) = (words::doing(&subject), words::seconds(ms));
                told.push(format!(
                    "{}{doing}: failed ({took}): {}",
                    prefix(&subject),
                    indented(&words::failure(&error))
                ));
            }
            _ => {}
        }
    }
    let state = if run.under_way { "under way" } else { "nobody knows what has come of it" };
    told.extend(open.values().map(|s| format!("{}{}: {state}", prefix(s), words::doing(s))));
    told
}

/// What was answered, as far as words are made of it.
fn answer(method: &str, reply: Value) -> Reply {
    let read = match method {
        "source.fetch" => from_value(reply).map(Reply::Fetched),
        "build.run" => from_value(reply).map(Reply::Built),
        "push.run" => from_value(reply).map(Reply::Pushed),
        "deploy.start" => from_value(reply).map(Reply::Started),
        "deploy.run" => from_value(reply).map(Reply::Ran),
        _ => Ok(Reply::Done),
    };
    read.unwrap_or(Reply::Done)
}

fn subject(action: Action) -> Subject {
    let Action { id, method, host, object } = action;
    let known = Stage::ALL.iter().flat_map(|stage| stage.methods()).find(|known| **known == method);
    Subject { id, method: known.copied().unwrap_or("doing something to"), host, object }
}

fn prefix(subject: &Subject) -> String {
    subject.host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default()
}

/// The text with its further lines below the first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}
