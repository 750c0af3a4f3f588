//! Where `cloudpad ps --watch` shows what runs.

use cloudpad_plugin_api::model::Project;

use super::Picture;
use crate::cmd::display::Display;
use crate::listing::{self, Row};
use crate::term::Term;
use crate::words;

/// A table that is kept up to date, or a line of JSON for each that tells something else.
pub(super) struct Board<'a> {
    display: Display<'a>,
    /// The rows that were printed last, where that is done.
    printed: Option<Vec<Row>>,
}

impl<'a> Board<'a> {
    pub(super) fn of(term: &'a Term) -> Self {
        Self { display: Display::of(term), printed: None }
    }

    /// Whether somebody still wants to see it.
    pub(super) fn show(&mut self, picture: Picture, project: &Project) -> bool {
        let Picture { rows, not_running, warnings, errors } = picture;
        let is_news = self.printed.as_ref().is_none_or(|printed| !listing::tell_the_same(printed, &rows));
        let json = is_news.then(|| words::json_line(&rows));
        let mut text = listing::table(&rows, project);
        let warnings = warnings.iter().map(|line| format!("warning: {line}"));
        for line in not_running.into_iter().chain(warnings) {
            text += &line;
            text.push('\n');
        }
        self.printed = Some(rows);
        self.display.show(text, json, errors)
    }
}
