//! The book's messages are what the types read, and no field of them goes unread.

use std::collections::BTreeMap;

use cloudpad_plugin_api::wire::{FromHost, FromPlugin};
use cloudpad_plugin_api::{Request, Stage};
use serde_json::Value;

use crate::{blocks, section};

/// What is lacking in `read` of what is written, if anything is: a field, or another value.
fn lacking(written: &Value, read: &Value, at: &str) -> Option<String> {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => written.iter().find_map(|(name, value)| {
            let at = format!("{at}.{name}");
            match read.get(name) {
                Some(read) => lacking(value, read, &at),
                None if is_nothing(value) => None,
                None => Some(at),
            }
        }),
        (Value::Array(written), Value::Array(read)) if written.len() == read.len() => {
            written.iter().zip(read).find_map(|(written, read)| lacking(written, read, at))
        }
        _ => (written != read).then(|| at.to_owned()),
    }
}

/// Whether it is the same as not being there.
fn is_nothing(value: &Value) -> bool {
    value.is_null()
        || value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(serde_json::Map::is_empty)
}

#[track_caller]
fn is_read(line: &str, read: &impl serde::Serialize) {
    let written: Value = serde_json::from_str(line).expect("it was read");
    let read = serde_json::to_value(read).expect("it can be written");
    assert_eq!(lacking(&written, &read, ""), None, "is not read as it is written:\n{line}\n{read}");
}

#[test]
fn they_are_what_the_types_read() {
    let mut asked: BTreeMap<u64, Request> = BTreeMap::new();
    let mut kinds = BTreeMap::<String, usize>::new();
    for block in blocks() {
        for line in block.text.lines() {
            match block.info {
                "json host" => {
                    let message =
                        FromHost::read(line.as_bytes()).unwrap_or_else(|why| panic!("{why:?}: {line}"));
                    is_read(line, &message);
                    if let FromHost::Call(call) = message {
                        let old = asked.insert(call.id, call.request);
                        assert!(old.is_none(), "another call has that number: {line}");
                    }
                }
                "json plugin" => {
                    let mut message: FromPlugin =
                        serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
                    if let FromPlugin::Result { id, ok } = &mut message {
                        let reply = asked[id].reply(ok.take()).unwrap_or_else(|why| panic!("{why}: {line}"));
                        *ok = serde_json::to_value(reply).expect("it can be written");
                    }
                    is_read(line, &message);
                    assert!(!matches!(message, FromPlugin::Other), "{line}");
                }
                _ => continue,
            }
            *kinds.entry(block.info.to_owned()).or_default() += 1;
        }
    }
    assert!(kinds.get("json host") >= Some(&16) && kinds.get("json plugin") >= Some(&16), "{kinds:?}");
}

#[test]
fn every_method_has_a_section_with_a_call() {
    for method in Stage::ALL.iter().flat_map(|stage| stage.methods()) {
        let section = section(&format!("### {method}"));
        assert!(section.contains(&format!("\"method\": \"{method}\"")), "`{method}` has no example");
    }
}

#[test]
fn what_is_not_read_is_found() {
    let read = serde_json::json!({ "a": 1, "b": [{ "c": 2 }] });
    for (written, expected) in [
        (serde_json::json!({ "a": 1 }), None),
        (serde_json::json!({ "a": 1, "x": [] }), None),
        (serde_json::json!({ "a": 2 }), Some(".a")),
        (serde_json::json!({ "b": [{ "c": 2, "d": 3 }] }), Some(".b.d")),
        (serde_json::json!({ "b": [] }), Some(".b")),
    ] {
        assert_eq!(lacking(&written, &read, "").as_deref(), expected, "{written}");
    }
}
