//! Problems as a user reads them: each with its line, the offending text underlined. Pure.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};
use serde::Serialize;

use super::{Place, Places, Problem};

/// Renders `problems` in the order of their places in `text`, those without a place last.
///
/// `file` is the name to show. A [`Place::Key`] is looked up in `places`. With `colour` the result
/// holds ANSI escapes.
pub fn render(problems: &[Problem], places: &Places, text: &str, file: &str, colour: bool) -> String {
    let mut placed: Vec<_> = problems.iter().map(|problem| (place(problem, places), problem)).collect();
    placed.sort_by_key(|(span, problem)| {
        (span.is_none(), span.as_ref().map(|s| (s.start, s.end)), &problem.message)
    });
    placed.dedup();
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut rendered = String::new();
    for (span, problem) in placed {
        let line = span.map(|span| Line::new(text, &starts, span));
        let title = one_line(&problem.message);
        let hint = problem.hint.as_deref().map(one_line);
        let group = match &line {
            Some(line) => group(&title, hint.as_deref(), line, file),
            None => Group::with_title(Level::ERROR.primary_title(&title)),
        };
        rendered.push_str(&renderer.render(&[group]));
        // Below no line of the file a hint has no margin to stand at.
        if let (None, Some(hint)) = (&line, hint) {
            rendered.push_str(&format!("\n  hint: {hint}"));
        }
        rendered.push_str("\n\n");
    }
    rendered
}

/// Where in the file a problem is, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    file: String,
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
}

/// Finds the place of `problem` in `text`, which is that of `file`.
pub fn position(problem: &Problem, places: &Places, text: &str, file: &str) -> Option<Position> {
    let start = floor(text, place(problem, places)?.start);
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    Some(Position {
        file: file.to_owned(),
        line: text[..line].matches('\n').count() + 1,
        column: text[line..start].chars().count() + 1,
    })
}

/// Names of the file may hold line breaks and control characters, which would spoil the picture.
fn one_line(text: &str) -> String {
    normalize_untrusted_str(&text.replace('\n', "\\n").replace('\r', "\\r"))
}

fn place(problem: &Problem, places: &Places) -> Option<Range<usize>> {
    match &problem.place {
        Some(Place::Bytes(span)) => Some(span.clone()),
        Some(Place::Key(key)) => Some(places.find(key).unwrap_or(0..0)),
        None => None,
    }
}

fn group<'a>(title: &'a str, hint: Option<&'a str>, line: &Line<'a>, file: &'a str) -> Group<'a> {
    let hint = hint.map(|hint| Level::HELP.with_name("hint").message(hint));
    let title = Level::ERROR.primary_title(title);
    let mark = AnnotationKind::Primary.span(line.mark.clone());
    let snippet = Snippet::source(line.text).line_start(line.number).path(file).annotation(mark);
    title.element(snippet).elements(hint)
}

/// The line that a place begins on. Of a longer place the rest is not shown: its first line says
/// which value is meant.
struct Line<'a> {
    text: &'a str,
    number: usize,
    mark: Range<usize>,
}

impl<'a> Line<'a> {
    /// `starts` are the beginnings of all lines of `text`.
    fn new(text: &'a str, starts: &[usize], span: Range<usize>) -> Self {
        let start = floor(text, span.start);
        let number = starts.partition_point(|begin| *begin <= start);
        let begin = starts[number - 1];
        let end = starts.get(number).copied().unwrap_or(text.len());
        let line = text[begin..end].trim_end_matches(['\r', '\n']);
        let start = (start - begin).min(line.len());
        let stop = floor(line, span.end.saturating_sub(begin)).max(start);
        Self { text: line, number, mark: start..stop }
    }
}

/// The last character boundary that is not after `index`.
fn floor(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_without_a_place_stands_below_its_problem() {
        let problem = Problem::new("no host is left").hint("select another");
        let told = render(&[problem], &Places::default(), "", "Cloudpad.toml", false);
        assert_eq!(told, "error: no host is left\n  hint: select another\n\n");
    }
}
