//! A TOML document that keeps the order in which it was written. Pure.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::config::vars;

/// A value to be written.
pub(super) enum Out {
    Text(String),
    Whole(i64),
    Number(f64),
    Flag(bool),
    List(Vec<Out>),
    Table(Table),
}

/// A table to be written, its keys in this order.
#[derive(Default)]
pub(super) struct Table(Vec<(String, Out)>);

impl Out {
    /// A string, written so that nothing in it is taken for a variable.
    pub fn text(text: &str) -> Self {
        Out::Text(vars::escape(text))
    }

    pub fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> Self {
        Out::List(texts.into_iter().map(|text| Out::text(text)).collect())
    }

    pub fn json(value: &serde_json::Value) -> Self {
        match value {
            // A table of the file has no such value.
            serde_json::Value::Null => Out::Text(String::new()),
            serde_json::Value::Bool(flag) => Out::Flag(*flag),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Out::Whole(whole),
                None => Out::Number(number.as_f64().unwrap_or_default()),
            },
            serde_json::Value::String(text) => Out::text(text),
            serde_json::Value::Array(items) => Out::List(items.iter().map(Out::json).collect()),
            serde_json::Value::Object(fields) => {
                Out::Table(Table(fields.iter().map(|(key, value)| (key.clone(), Out::json(value))).collect()))
            }
        }
    }
}

impl Table {
    pub fn put(&mut self, key: &str, value: Out) {
        self.0.push((key.to_owned(), value));
    }

    pub fn text(&mut self, key: &str, text: &str) {
        self.put(key, Out::text(text));
    }

    pub fn whole(&mut self, key: &str, number: impl Into<i64>) {
        self.put(key, Out::Whole(number.into()));
    }

    /// Strings, where there are any.
    pub fn texts<'a>(&mut self, key: &str, texts: impl IntoIterator<Item = &'a String>) {
        match Out::texts(texts) {
            Out::List(items) if items.is_empty() => {}
            list => self.put(key, list),
        }
    }

    pub fn table(&mut self, key: &str, table: Table) {
        self.put(key, Out::Table(table));
    }

    /// Tables by name, where there are any.
    pub fn named<'a>(&mut self, key: &str, tables: impl Iterator<Item = (&'a str, Table)>) {
        let tables: Vec<_> = tables.map(|(name, table)| (name.to_owned(), Out::Table(table))).collect();
        if !tables.is_empty() {
            self.table(key, Table(tables));
        }
    }

    /// Values by name, where there are any.
    pub fn map<'a, T: 'a>(
        &mut self,
        key: &str,
        map: impl IntoIterator<Item = (&'a String, &'a T)>,
        out: impl Fn(&T) -> Out,
    ) {
        let fields: Vec<_> = map.into_iter().map(|(name, value)| (name.clone(), out(value))).collect();
        if !fields.is_empty() {
            self.table(key, Table(fields));
        }
    }

    pub fn to_toml(&self) -> String {
        // Neither a key that is no string nor a missing value can be in it, and nothing else fails.
        toml::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Out {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Out::Text(text) => to.serialize_str(text),
            Out::Whole(number) => to.serialize_i64(*number),
            Out::Number(number) => to.serialize_f64(*number),
            Out::Flag(flag) => to.serialize_bool(*flag),
            Out::List(items) => to.collect_seq(items),
            Out::Table(table) => table.serialize(to),
        }
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
