//! A TOML document in which every key and value knows its bytes of the file. Pure.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::{Places, Problem};

pub(super) type Span = Range<usize>;

/// A value and where it stands. A table's place is its header or, where it has none, its key.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub span: Span,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Number(f64),
    Flag(bool),
    Date(String),
    List(Vec<Node>),
    Table(Table),
    /// Nothing can be said of it, and the problem with it has been told.
    Broken,
}

pub(super) type Table = BTreeMap<String, Entry>;

/// A key's place and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: Span,
    pub node: Node,
}

impl Value {
    /// What it is, for people, with its article.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "a string",
            Value::Whole(_) => "an integer",
            Value::Number(_) => "a float",
            Value::Flag(_) => "a boolean",
            Value::Date(_) => "a date",
            Value::List(_) => "an array",
            Value::Table(_) => "a table",
            Value::Broken => "nothing",
        }
    }
}

/// Reads a document, or tells every syntax error in it.
pub(super) fn parse(text: &str) -> Result<Table, Vec<Problem>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = errors.iter().map(|error| syntax(text, error)).collect();
    let table = table(document.into_inner(), &mut problems);
    if problems.is_empty() { Ok(table) } else { Err(problems) }
}

fn syntax(text: &str, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or(text.len()..text.len());
    Problem::at_bytes(span, error.message().replace('\n', ", "))
}

fn table(from: DeTable<'_>, problems: &mut Vec<Problem>) -> Table {
    from.into_iter()
        .map(|(key, value)| {
            let span = key.span();
            (key.into_inner().into_owned(), Entry { key: span, node: node(value, problems) })
        })
        .collect()
}

fn node(from: Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> Node {
    let span = from.span();
    let value = match from.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(digits) => whole(&digits, &span, problems),
        DeValue::Float(digits) => digits.as_str().parse().map_or(Value::Broken, Value::Number),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().cloned().map(|item| node(item, problems)).collect())
        }
        DeValue::Table(entries) => Value::Table(table(entries, problems)),
    };
    Node { span, value }
}

fn whole(digits: &DeInteger<'_>, span: &Span, problems: &mut Vec<Problem>) -> Value {
    match i64::from_str_radix(digits.as_str(), digits.radix()) {
        Ok(number) => Value::Whole(number),
        Err(_) => {
            problems.push(Problem::at_bytes(span.clone(), "this integer does not fit into 64 bits"));
            Value::Broken
        }
    }
}

/// The bytes of every value of `table`, by dotted key.
pub(super) fn places(table: &Table) -> Places {
    let mut places = Places::default();
    gather("", table, &mut places);
    places
}

fn gather(prefix: &str, table: &Table, places: &mut Places) {
    for (key, entry) in table {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        gather_node(key, &entry.node, places);
    }
}

fn gather_node(key: String, node: &Node, places: &mut Places) {
    match &node.value {
        Value::Table(table) => gather(&key, table, places),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                gather_node(format!("{key}.{index}"), item, places);
            }
        }
        _ => {}
    }
    places.0.insert(key, node.span.clone());
}
