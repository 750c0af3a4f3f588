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

impl Vars<'_> {
    /// Replaces the variables in every string below `table`. Keys are left as they are.
    pub fn replace(&self, table: &mut Table, problems: &mut Vec<Problem>) {
        for entry in table.values_mut() {
            self.replace_in(&mut entry.node, problems);
        }
    }

    fn replace_in(&self, node: &mut Node, problems: &mut Vec<Problem>) {
        match &mut node.value {
            Value::Table(table) => self.replace(table, problems),
            Value::List(items) => items.iter_mut().for_each(|item| self.replace_in(item, problems)),
            Value::Text(value) if value.contains('$') => match expand(value, self.get) {
                Ok(expanded) => *value = expanded,
                Err(faults) => {
                    problems
                        .extend(faults.into_iter().map(|fault| fault.locate(self.text, &node.span, value)));
                    node.value = Value::Broken;
                }
            },
            _ => {}
        }
    }
}

/// What is wrong with a part of a string.
struct Fault {
    part: Range<usize>,
    problem: Problem,
}

impl Fault {
    /// The part's place in the file. A string's escapes move its bytes, so the part is looked up in
    /// the text; where it is written with escapes itself, the whole string is the place.
    fn locate(self, text: &str, span: &Span, value: &str) -> Problem {
        let raw = text.get(span.clone()).unwrap_or_default();
        let part = &value[self.part.clone()];
        let nth = value[..self.part.start].matches(part).count();
        let place = match raw.match_indices(part).nth(nth) {
            Some((start, _)) => span.start + start..span.start + start + part.len(),
            None => span.clone(),
        };
        self.problem.at(place)
    }
}

fn expand(value: &str, get: &dyn Fn(&str) -> Option<String>) -> Result<String, Vec<Fault>> {
    let mut expanded = String::with_capacity(value.len());
    let mut faults = Vec::new();
    let mut at = 0;
    while let Some(dollar) = value[at..].find('$').map(|found| at + found) {
        expanded.push_str(&value[at..dollar]);
        let after = &value[dollar + 1..];
        at = if after.starts_with('{') {
            let end = after.find('}').map_or(value.len(), |close| dollar + 1 + close + 1);
            match variable(&value[dollar..end], get) {
                Ok(found) => expanded.push_str(&found),
                Err(problem) => faults.push(Fault { part: dollar..end, problem }),
            }
            end
        } else {
            expanded.push('$');
            dollar + 1 + usize::from(after.starts_with('$'))
        };
    }
    expanded.push_str(&value[at..]);
    if faults.is_empty() { Ok(expanded) } else { Err(faults) }
}

/// The value of `${NAME}` or `${NAME:-default}`. As in a shell, the default also stands for an empty value.
fn variable(typed: &str, get: &dyn Fn(&str) -> Option<String>) -> Result<String, Problem> {
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
