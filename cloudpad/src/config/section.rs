//! Reads typed values out of a table, and collects what is wrong with them. Pure.
//!
//! What is missing and what is broken are two things: a broken value's problem has been told, so
//! nothing may be said of it again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::tree::{Node, Span, Table, Value};
use super::{Problem, nearest};

/// Everything that is wrong so far.
#[derive(Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub fn add(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    pub fn count(&self) -> usize {
        self.0.borrow().len()
    }

    pub fn into_inner(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}

/// A table of the file.
#[derive(Clone)]
pub(super) struct Section<'a> {
    /// Its dotted key.
    pub at: String,
    /// Its place.
    pub span: Span,
    table: &'a Table,
    problems: &'a Problems,
}

/// Reads a string, or says what is wrong with it; the place is added by the section.
pub(super) type Parse<T> = fn(&str) -> Result<T, Problem>;

impl<'a> Section<'a> {
    pub fn new(at: String, span: Span, table: &'a Table, problems: &'a Problems) -> Self {
        Self { at, span, table, problems }
    }

    fn node(&self, key: &str) -> Option<&'a Node> {
        self.table.get(key).map(|entry| &entry.node)
    }

    /// Whether the file has it, be it broken or not.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.table.keys().map(String::as_str)
    }

    /// The keys and their places, in the order of the file.
    fn entries(&self) -> Vec<(&'a str, &'a Span, &'a Node)> {
        let mut entries: Vec<_> =
            self.table.iter().map(|(name, e)| (name.as_str(), &e.key, &e.node)).collect();
        entries.sort_by_key(|(_, key, _)| key.start);
        entries
    }

    /// Tells what is wrong with the value of `key`, or with the table where it has no such key.
    pub fn problem(&self, key: &str, problem: Problem) {
        let span = self.node(key).map_or(&self.span, |node| &node.span);
        self.tell(span, problem);
    }

    /// Tells what is wrong with `key` itself, which ought not to be there.
    pub fn problem_with_key(&self, key: &str, problem: Problem) {
        let span = self.table.get(key).map_or(&self.span, |entry| &entry.key);
        self.tell(span, problem);
    }

    fn tell(&self, span: &Span, problem: Problem) {
        self.problems.add(problem.at(span.clone()));
    }

    /// The value, where `read` takes it; what `read` says is told.
    fn read<T>(&self, node: &Node, read: impl FnOnce(&Value) -> Result<T, Problem>) -> Option<T> {
        if is_broken(node) {
            return None;
        }
        read(&node.value).map_err(|problem| self.tell(&node.span, problem)).ok()
    }

    /// A string that `parse` understands.
    pub fn parse<T>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        let node = self.node(key)?;
        match &node.value {
            Value::Text(text) => self.read(node, |_| parse(text)),
            _ => None,
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Option<T> {
        self.parse(key, |text| match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(*value),
            None => {
                let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                Err(Problem::new(format!("`{text}` is no value of `{key}`"))
                    .hint(nearest::hint(text, &known)))
            }
        })
    }

    /// An integer within `range`.
    pub fn whole(&self, key: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let node = self.node(key)?;
        let Value::Whole(number) = node.value else { return None };
        self.read(node, |_| within(number, range))
    }

    /// An integer or a float.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.node(key)?.value {
            // Exact up to 2^53, far beyond any number of processors.
            Value::Whole(number) => Some(number as f64),
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.node(key)?.value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// An array of strings that `parse` understands; those that it does not are left out.
    pub fn list<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, Problem>) -> Vec<T> {
        self.list_of(key, |value| match value {
            Value::Text(text) => parse(text),
            _ => Err(Problem::new("not a string")),
        })
    }

    /// As [`list`](Self::list), for names: none of them may be there twice.
    pub fn set(&self, key: &str, parse: impl Fn(&str) -> Result<String, Problem>) -> Vec<String> {
        let seen = RefCell::new(std::collections::BTreeSet::new());
        self.list(key, |text| {
            let name = parse(text)?;
            match seen.borrow_mut().insert(name.clone()) {
                true => Ok(name),
                false => Err(Problem::new(format!("`{name}` is there twice"))),
            }
        })
    }

    /// An array of commands, each a string or an array of strings.
    pub fn commands(&self, key: &str) -> Vec<Vec<String>> {
        self.list_of(key, command)
    }

    fn list_of<T>(&self, key: &str, parse: impl Fn(&Value) -> Result<T, Problem>) -> Vec<T> {
        match self.node(key).map(|node| &node.value) {
            Some(Value::List(items)) => items.iter().filter_map(|item| self.read(item, &parse)).collect(),
            _ => Vec::new(),
        }
    }

    /// A command: an array, or a string for the shell.
    pub fn command(&self, key: &str) -> Option<Vec<String>> {
        self.read(self.node(key)?, command)
    }

    /// A table whose keys follow `rule` and whose values `parse` understands.
    pub fn map<T>(
        &self,
        key: &str,
        rule: Parse<()>,
        parse: impl Fn(&Value) -> Result<T, Problem>,
    ) -> BTreeMap<String, T> {
        let mut map = BTreeMap::new();
        for (name, key, node) in self.section(key).iter().flat_map(Section::entries) {
            match rule(name) {
                Ok(()) => map.extend(self.read(node, &parse).map(|value| (name.to_owned(), value))),
                Err(problem) => self.tell(key, problem),
            }
        }
        map
    }

    /// A table.
    pub fn section(&self, key: &str) -> Option<Section<'a>> {
        self.sub(key, self.node(key)?)
    }

    /// The tables below this one, in the order of the file, by names that follow `rule`.
    pub fn named(&self, rule: Parse<()>) -> Vec<(&'a str, Section<'a>)> {
        let mut sections = Vec::new();
        for (name, key, node) in self.entries() {
            if let Err(problem) = rule(name) {
                self.tell(key, problem);
            }
            sections.extend(self.sub(name, node).map(|section| (name, section)));
        }
        sections
    }

    fn sub(&self, key: &str, node: &'a Node) -> Option<Section<'a>> {
        let Value::Table(table) = &node.value else { return None };
        let at = if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) };
        Some(Section::new(at, node.span.clone(), table, self.problems))
    }

    /// What `read` makes of it, where there is nothing wrong with any of it. What is half read is
    /// left out, so that nothing is concluded from it.
    pub fn sound<T>(&self, read: impl FnOnce(&Self) -> Option<T>) -> Option<T> {
        let before = self.problems.count();
        let value = read(self);
        let sound =
            self.problems.count() == before && !self.table.values().any(|entry| is_broken(&entry.node));
        value.filter(|_| sound)
    }

    /// As [`list`](Self::list); none where any of it is wrong.
    pub fn sound_list<T>(&self, key: &str, parse: Parse<T>) -> Option<Vec<T>> {
        let before = self.problems.count();
        let list = self.list(key, parse);
        let sound = self.problems.count() == before && !self.node(key).is_some_and(is_broken);
        sound.then_some(list)
    }

    /// The value as JSON, for providers.
    pub fn json(&self, key: &str) -> serde_json::Value {
        self.node(key).map_or(serde_json::Value::Null, |node| self.node_json(node))
    }

    fn node_json(&self, node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Text(text) | Value::Date(text) => text.as_str().into(),
            Value::Whole(number) => (*number).into(),
            Value::Number(number) => match serde_json::Number::from_f64(*number) {
                Some(number) => number.into(),
                None => {
                    self.tell(&node.span, Problem::new("a provider cannot be given `inf` or `nan`"));
                    serde_json::Value::Null
                }
            },
            Value::Flag(flag) => (*flag).into(),
            Value::List(items) => items.iter().map(|item| self.node_json(item)).collect(),
            Value::Table(table) => {
                table.iter().map(|(key, entry)| (key.clone(), self.node_json(&entry.node))).collect()
            }
            Value::Broken => serde_json::Value::Null,
        }
    }
}

/// Whether the problem with it, or with an item of it, has been told.
fn is_broken(node: &Node) -> bool {
    match &node.value {
        Value::Broken => true,
        Value::List(items) => items.iter().any(is_broken),
        Value::Table(table) => table.values().any(|entry| is_broken(&entry.node)),
        _ => false,
    }
}

fn within(number: i64, range: RangeInclusive<u32>) -> Result<u32, Problem> {
    let (low, high) = (*range.start(), *range.end());
    u32::try_from(number).ok().filter(|number| range.contains(number)).ok_or_else(|| {
        Problem::new(match high {
            u32::MAX => {
                format!("{number} is too {}", if number < i64::from(low) { "small" } else { "large" })
            }
            _ => format!("{number} is not between {low} and {high}"),
        })
    })
}

fn command(value: &Value) -> Result<Vec<String>, Problem> {
    let words: Vec<String> = match value {
        Value::Text(line) if line.trim().is_empty() => Vec::new(),
        Value::Text(line) => vec!["sh".into(), "-c".into(), line.clone()],
        Value::List(items) => items.iter().filter_map(word).collect(),
        _ => Vec::new(),
    };
    match words.first() {
        None => Err(Problem::new("the command is empty")),
        Some(program) if program.is_empty() => Err(Problem::new("the command's program is empty")),
        Some(_) if words.iter().any(|word| word.contains('\0')) => {
            Err(Problem::new("the command contains a zero byte"))
        }
        Some(_) => Ok(words),
    }
}

fn word(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}
