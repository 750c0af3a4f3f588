//! Where `--watch` shows what it is asked for: in one place of the terminal, or as lines of JSON.

use crate::refusal::Refusal;
use crate::term::{Screen, Term, terminal_size};

/// Such a place.
pub(super) enum Display<'a> {
    Screen(Screen<'a>),
    /// With the errors that were told last.
    Lines(&'a Term, Vec<String>),
}

/// Refuses what has no such place.
pub(super) fn check(term: &Term) -> Result<(), Refusal> {
    if term.is_json() || terminal_size().is_some() {
        return Ok(());
    }
    let refusal =
        Refusal::new("`--watch` keeps a table up to date on a terminal, and standard output is none");
    Err(refusal.hint("`--watch --json` prints a line each time, `cloudpad events` prints what happens"))
}

impl<'a> Display<'a> {
    pub(super) fn of(term: &'a Term) -> Self {
        match Screen::begin(term) {
            Some(screen) if !term.is_json() => Self::Screen(screen),
            _ => Self::Lines(term, Vec::new()),
        }
    }

    /// Shows the text with the errors below it; or the line of JSON, where there is one, and the errors that were not told before.
    /// Whether somebody still wants to see it.
    pub(super) fn show(&mut self, mut text: String, json: Option<String>, errors: Vec<String>) -> bool {
        match self {
            Self::Screen(screen) => {
                for error in errors {
                    text += &format!("error: {error}\n");
                }
                screen.draw(&text).is_ok()
            }
            Self::Lines(term, told) => {
                errors.iter().filter(|error| !told.contains(error)).for_each(|error| term.error(error));
                *told = errors;
                json.iter().for_each(|line| term.data(line));
                !term.is_closed()
            }
        }
    }
}
