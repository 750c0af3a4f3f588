//! Problems as a user reads them: each with its line, the offending text underlined. Pure.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

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
    let mut rendered = String::new();
    for (span, problem) in placed {
        let lines = Lines::new(text, span);
        rendered.push_str(&renderer.render(&[group(problem, lines.as_ref(), file)]));
        rendered.push_str("\n\n");
    }
    rendered
}

fn place(problem: &Problem, places: &Places) -> Option<Range<usize>> {
    match &problem.place {
        Some(Place::Bytes(span)) => Some(span.clone()),
        Some(Place::Key(key)) => Some(places.find(key).unwrap_or(0..0)),
        None => None,
    }
}

fn group<'a>(problem: &'a Problem, lines: Option<&Lines<'a>>, file: &'a str) -> Group<'a> {
    let hint = problem.hint.as_deref().map(|hint| Level::HELP.with_name("hint").message(hint));
    let title = Level::ERROR.primary_title(&problem.message);
    let Some(lines) = lines else {
        return Group::with_title(title).elements(hint);
    };
    let mark = AnnotationKind::Primary.span(lines.mark.clone());
    let snippet = Snippet::source(lines.text).line_start(lines.number).path(file).annotation(mark);
    title.element(snippet).elements(hint)
}

/// The line that a place begins on. Of a longer place the rest is not shown: its first line says
/// which value is meant.
struct Lines<'a> {
    text: &'a str,
    number: usize,
    mark: Range<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, span: Option<Range<usize>>) -> Option<Self> {
        let span = span?;
        let start = floor(text, span.start);
        let begin = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
        let line = text[begin..end].trim_end_matches('\r');
        let start = (start - begin).min(line.len());
        let stop = floor(line, span.end.saturating_sub(begin)).max(start);
        let number = 1 + text[..begin].bytes().filter(|byte| *byte == b'\n').count();
        Some(Self { text: line, number, mark: start..stop })
    }
}

/// The last character boundary that is not after `index`.
fn floor(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0)
}
