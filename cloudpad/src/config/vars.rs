//! `${VAR}` and `${VAR:-default}` in strings. `$$` is a dollar, and so is a `$` before anything else,
//! since shell commands are full of them. Pure: the environment comes in as a function.

use std::ops::Range;

use super::Problem;
use super::tree::{Node, Span, Table, Value};

/// Where variables come from.
pub(super) struct Vars<'a> {
    /// The file's text, to find the place of a variable within its string.
    pub text: &'a str,
    /// The value of an environment variable.
    pub get: &'a dyn Fn(&str) -> Option<String>,
}

/// A variable that a string names.
pub(super) struct Used {
    pub name: String,
    /// Where, from the dollar to the brace.
    pub place: Span,
}

/// What is told of the strings that were read so far.
#[derive(Default)]
pub(super) struct Told {
    pub problems: Vec<Problem>,
    pub used: Vec<Used>,
}

impl Vars<'_> {
    /// Replaces the variables in every string below `table`. Keys are left as they are.
    pub fn replace(&self, table: &mut Table, told: &mut Told) {
        for entry in table.values_mut() {
            self.replace_in(&mut entry.node, told);
        }
    }

    fn replace_in(&self, node: &mut Node, told: &mut Told) {
        match &mut node.value {
            Value::Table(table) => self.replace(table, told),
            Value::List(items) => items.iter_mut().for_each(|item| self.replace_in(item, told)),
            Value::Text(value) if value.contains('$') => {
                let Expanded { text, faults, names } = expand(value, self.get);
                let place = |part: &Range<usize>| locate(part, self.text, &node.span, value);
                told.used.extend(names.into_iter().map(|(part, name)| Used { name, place: place(&part) }));
                let broken = !faults.is_empty();
                told.problems.extend(faults.into_iter().map(|(part, problem)| problem.at(place(&part))));
                node.value = if broken { Value::Broken } else { Value::Text(text) };
            }
            _ => {}
        }
    }
}

/// The place in the file of a part of a string. Its escapes move its bytes, so the part is looked up in
/// the text; where it is written with escapes itself, the whole string is the place.
fn locate(part: &Range<usize>, text: &str, span: &Span, value: &str) -> Span {
    let raw = text.get(span.clone()).unwrap_or_default();
    let nth = value[..part.start].matches(&value[part.clone()]).count();
    match raw.match_indices(&value[part.clone()]).nth(nth) {
        Some((start, _)) => span.start + start..span.start + start + part.len(),
        None => span.clone(),
    }
}

/// A string with its variables replaced, and what its parts are.
struct Expanded {
    text: String,
    faults: Vec<(Range<usize>, Problem)>,
    /// The variables, whether they are set or not.
    names: Vec<(Range<usize>, String)>,
}

fn expand(value: &str, get: &dyn Fn(&str) -> Option<String>) -> Expanded {
    let mut expanded = String::with_capacity(value.len());
    let (mut faults, mut names) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(dollar) = value[at..].find('$').map(|found| at + found) {
        expanded.push_str(&value[at..dollar]);
        let after = &value[dollar + 1..];
        at = if after.starts_with('{') {
            let end = after.find('}').map_or(value.len(), |close| dollar + 1 + close + 1);
            let named = |name: &str| {
                names.push((dollar..end, name.to_owned()));
                get(name)
            };
            match variable(&value[dollar..end], named) {
                Ok(found) => expanded.push_str(&found),
                Err(problem) => faults.push((dollar..end, problem)),
            }
            end
        } else {
            expanded.push('$');
            dollar + 1 + usize::from(after.starts_with('$'))
        };
    }
    expanded.push_str(&value[at..]);
    Expanded { text: expanded, faults, names }
}

/// The value of `${NAME}` or `${NAME:-default}`. As in a shell, the default also stands for an empty value.
fn variable(typed: &str, get: impl FnOnce(&str) -> Option<String>) -> Result<String, Problem> {
    let Some(inner) = typed.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        return Err(
            Problem::new("`${` is not closed by a `}`").hint("a dollar before a brace is written `$$`")
        );
    };
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    if !is_name(name) {
        return Err(Problem::new(format!("`{typed}` does not name a variable"))
            .hint("write `${NAME}` or `${NAME:-default}`; a dollar before a brace is written `$$`"));
    }
    match (get(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(Problem::new(format!("the environment variable `{name}` is not set"))
            .hint(format!("set it, or give a default: `${{{name}:-…}}`"))),
    }
}

/// Whether `name` can be the name of an environment variable in a shell.
pub(super) fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Writes `value` so that reading it gives it back.
pub(super) fn escape(value: &str) -> String {
    value.replace('$', "$$")
}
