//! `cloudpad --list`: every command, built in or a plugin.

use serde::Serialize;

use super::args::Global;
use super::around::Around;
use super::{Ended, built_in};
use crate::catalogue::commands;
use crate::report::exit;
use crate::term::Term;
use crate::words::{columns, json_line};

#[derive(Serialize)]
struct Row {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// Lists them, those that are built in first. Runs none of them.
pub(super) fn run(global: &Global, term: &Term) -> Ended {
    let around = Around::look(global)?;
    let mut rows: Vec<Row> =
        built_in().into_iter().map(|(name, about)| Row { name, about: Some(about), path: None }).collect();
    let built_in = rows.iter().map(|row| row.name.clone()).collect();
    for (name, finding) in commands(&around.listing, &built_in) {
        if let Some(used) = finding.used.filter(|used| used.fault.is_none()) {
            let path = Some(used.path.display().to_string());
            rows.push(Row { name: name.to_owned(), about: None, path });
        }
    }
    let cells = |row: Row| [row.name, row.about.or(row.path).unwrap_or_default()];
    let told = if term.is_json() {
        json_line(&rows)
    } else {
        columns(&rows.into_iter().map(cells).collect::<Vec<_>>())
    };
    term.data(&told);
    Ok(exit::OK)
}
