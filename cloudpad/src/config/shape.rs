//! What the file may hold, as typed: which keys, and which TOML type each has. Pure.
//!
//! The shape is data ([`keys`](super::keys)), so that the tables of an environment that is not
//! chosen are checked as well as those that are, and so that merging knows which keys exclude each other.

use super::tree::{Entry, Node, Span, Table, Value};
use super::{Problem, nearest};

/// The shape of a value.
pub(super) enum Shape {
    Text,
    /// A string such as this.
    Like(&'static str),
    Whole,
    /// An integer or a float.
    Number,
    Flag,
    /// Anything; the core does not look into it.
    Opaque,
    List(&'static Shape),
    /// A table with these keys.
    Table(&'static Keys),
    /// A table with names that the user makes up, whose values have this shape.
    Named(&'static Shape),
    /// Any of these; no two of them have the same TOML type.
    OneOf(&'static [Shape]),
}

/// The keys of a table.
pub(super) struct Keys {
    pub known: &'static [(&'static str, Shape)],
    /// Keys that take the place of others: where an environment sets the first, the base's others go.
    pub instead: &'static [(&'static str, &'static [&'static str])],
}

impl Keys {
    pub fn get(&self, key: &str) -> Option<&Shape> {
        self.known.iter().find(|(known, _)| *known == key).map(|(_, shape)| shape)
    }

    pub fn replaced_by(&self, key: &str) -> &'static [&'static str] {
        self.instead.iter().find(|(by, _)| *by == key).map_or(&[], |(_, replaced)| *replaced)
    }
}

impl Shape {
    /// The alternative that has `value`'s type.
    pub fn fit(&self, value: &Value) -> Option<&Shape> {
        match (self, value) {
            (Shape::OneOf(shapes), _) => shapes.iter().find_map(|shape| shape.fit(value)),
            (_, Value::Broken)
            | (Shape::Opaque, _)
            | (Shape::Text | Shape::Like(_), Value::Text(_))
            | (Shape::Whole, Value::Whole(_))
            | (Shape::Number, Value::Whole(_) | Value::Number(_))
            | (Shape::Flag, Value::Flag(_))
            | (Shape::List(_), Value::List(_))
            | (Shape::Table(_) | Shape::Named(_), Value::Table(_)) => Some(self),
            _ => None,
        }
    }

    /// What it is, for people, with its article.
    fn kind(&self) -> String {
        match self {
            Shape::Text => "a string".into(),
            Shape::Like(example) => format!("a string such as `\"{example}\"`"),
            Shape::Whole => "an integer".into(),
            Shape::Number => "a number".into(),
            Shape::Flag => "`true` or `false`".into(),
            Shape::Opaque => "a value".into(),
            Shape::List(_) => "an array".into(),
            Shape::Table(_) | Shape::Named(_) => "a table".into(),
            Shape::OneOf(shapes) => one_of(shapes),
        }
    }
}

fn one_of(shapes: &[Shape]) -> String {
    let kinds: Vec<_> = shapes.iter().map(Shape::kind).collect();
    match kinds.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Tells everything in `table` that does not have the shape. What does not is made [`Value::Broken`],
/// so that nobody looks at it again, and so is what an unknown key was meant to be: who mistypes
/// `services` need not be told that there are none.
pub(super) fn check(at: &str, table: &mut Table, keys: &Keys, problems: &mut Vec<Problem>) {
    let (known, unknown): (Table, Table) =
        std::mem::take(table).into_iter().partition(|(key, _)| keys.get(key).is_some());
    *table = known;
    for (key, entry) in table.iter_mut() {
        if let Some(shape) = keys.get(key) {
            check_node(&join(at, key), &mut entry.node, shape, problems);
        }
    }
    let names: Vec<&str> = keys.known.iter().map(|(known, _)| *known).collect();
    for (key, Entry { key: span, node }) in unknown {
        problems.push(unknown_key(at, &key, &span, &names));
        if let Some(meant) = nearest::find(&key, &names) {
            let node = Node { value: Value::Broken, ..node };
            table.entry(meant.to_owned()).or_insert(Entry { key: span, node });
        }
    }
}

fn check_node(at: &str, node: &mut Node, shape: &Shape, problems: &mut Vec<Problem>) {
    let Some(shape) = shape.fit(&node.value) else {
        problems.push(wrong_type(at, node, shape));
        node.value = Value::Broken;
        return;
    };
    match (shape, &mut node.value) {
        (Shape::Table(keys), Value::Table(table)) => check(at, table, keys, problems),
        (Shape::Named(shape), Value::Table(table)) => {
            for (name, entry) in table {
                check_node(&join(at, name), &mut entry.node, shape, problems);
            }
        }
        (Shape::List(shape), Value::List(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                check_node(&join(at, &index.to_string()), item, shape, problems);
            }
        }
        _ => {}
    }
}

fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

fn unknown_key(at: &str, key: &str, span: &Span, known: &[&str]) -> Problem {
    let problem = match at {
        "" => Problem::at_bytes(span.clone(), format!("unknown key `{key}`")),
        at => Problem::at_bytes(span.clone(), format!("unknown key `{key}` in `{at}`")),
    };
    problem.hint(nearest::hint(key, known))
}

fn wrong_type(at: &str, node: &Node, shape: &Shape) -> Problem {
    let message = format!("`{at}` is {}, but {} is expected", node.value.kind(), shape.kind());
    let problem = Problem::at_bytes(node.span.clone(), message);
    match (shape.fit(&Value::Text(String::new())), &node.value) {
        (Some(_), Value::Whole(_) | Value::Number(_) | Value::Flag(_) | Value::Date(_)) => {
            problem.hint(match with_unit(shape, &node.value) {
                Some(example) => format!("put it in quotes, with a unit: `\"{example}\"`"),
                None => "put it in quotes".to_owned(),
            })
        }
        _ if shape.fit(&Value::List(Vec::new())).is_some() => problem.hint("put it in brackets: `[…]`"),
        _ => problem,
    }
}

/// A number as what is expected there: with the unit of the example, and seconds of a duration.
fn with_unit(shape: &Shape, value: &Value) -> Option<String> {
    let (Shape::Like(example), Value::Whole(number @ 0..)) = (shape, value) else { return None };
    let unit = example.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_unit = !unit.is_empty() && unit.chars().all(|c| c.is_ascii_alphabetic());
    is_unit.then(|| format!("{number}{}", if unit == "m" { "s" } else { unit }))
}
