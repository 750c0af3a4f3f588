//! The protocol as it is written down in `tests/wire/v1/` against the types: what is there is read, means what it
//! says there, and is written so. Reads the folder.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cloudpad_plugin_api::wire::{FromHost, FromPlugin};
use cloudpad_plugin_api::{Request, Stage};
use serde_json::{Value, json};

/// The lines of each file, by its name without the ending.
fn files() -> BTreeMap<String, Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/v1");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let lines = paths.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    let read = |text: String| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, read(fs::read_to_string(&path).unwrap()))
        })
        .collect()
}

/// Every method that there is, as the type itself lists them: no list to forget a new one in.
fn methods() -> BTreeSet<String> {
    let unknown = serde_json::from_value::<Request>(json!({ "method": "?", "params": {} })).unwrap_err();
    let quoted: Vec<String> = unknown.to_string().split('`').map(str::to_owned).collect();
    quoted.into_iter().skip(3).step_by(2).collect()
}

/// A session, as far as it is needed to read its answers.
#[derive(Default)]
struct Session {
    asked: BTreeMap<u64, Request>,
}

impl Session {
    /// The line as it is written here, once it has been read.
    fn again(&mut self, line: &Value) -> Value {
        match line["t"].as_str().unwrap() {
            "call" | "cancel" => self.of_host(line),
            "hello" if line.get("provides").is_none() => self.of_host(line),
            "hello" | "event" | "result" | "error" => self.of_plugin(line),
            _ => {
                assert_eq!(self.of_host(line), self.of_plugin(line));
                self.of_host(line)
            }
        }
    }

    fn of_host(&mut self, line: &Value) -> Value {
        let read = FromHost::read(line.to_string().as_bytes()).unwrap();
        if let FromHost::Call(call) = &read {
            self.asked.insert(call.id, call.request.clone());
        }
        serde_json::to_value(&read).unwrap()
    }

    fn of_plugin(&self, line: &Value) -> Value {
        let mut read: FromPlugin = serde_json::from_value(line.clone()).unwrap();
        if let FromPlugin::Result { id, ok } = &mut read {
            *ok = serde_json::to_value(self.asked[id].reply(ok.take()).unwrap()).unwrap();
        }
        serde_json::to_value(&read).unwrap()
    }
}

/// Whether all of `part` is in `whole`, which may have more fields: a later version may write more.
fn is_in(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|other| is_in(value, other)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| is_in(part, whole))
        }
        _ => part == whole,
    }
}

#[test]
fn what_is_written_down_is_read_and_written_so() {
    for (name, lines) in files() {
        let mut session = Session::default();
        let (pairs, rest) = lines.as_chunks::<2>();
        assert!(rest.is_empty(), "{name}: a line without the one that says what it means");
        for (number, [sent, meant]) in pairs.iter().enumerate() {
            let number = 2 * number + 1;
            let again = session.again(sent);
            assert!(is_in(meant, &again), "{name}:{number} is read as\n{again}\nand not as\n{meant}");
            assert_eq!(again, session.again(meant), "{name}:{number} and the line after it");
        }
    }
}

#[test]
fn every_method_is_written_down() {
    let files = files();
    assert!(methods().len() >= 14, "{:?}", methods());
    for method in methods() {
        let lines = files.get(&method).unwrap_or_else(|| panic!("`tests/wire/v1/{method}.jsonl` is missing"));
        let count = |t: &str| lines.iter().filter(|line| line["t"] == t).count();
        assert!(lines.iter().all(|line| line["t"] != "call" || line["method"] == method.as_str()));
        assert!(count("call") >= 4 && count("result") >= 4, "{method}: at least its least and its most");
        assert!(lines.iter().any(|line| line["params"].get("new").is_some()), "{method}: more than is known");
    }
    let of_stages: BTreeSet<_> =
        Stage::ALL.iter().flat_map(|stage| stage.methods()).map(|m| (*m).to_owned()).collect();
    assert_eq!(of_stages, methods(), "`Stage::methods`");
}

#[test]
fn a_line_that_lacks_what_is_needed_is_not_taken() {
    let lacking = [
        json!({ "t": "hello", "name": "x", "provides": [] }),
        json!({ "t": "event", "id": 1, "kind": "log" }),
        json!({ "t": "event", "kind": "log", "message": "x" }),
        json!({ "t": "result", "ok": {} }),
        json!({ "t": "error", "id": 1, "error": { "message": "x" } }),
        json!({ "t": "hello", "name": "x", "protocols": [1], "provides": [{ "stage": 3, "provider": "x", "methods": [] }] }),
    ];
    for line in lacking {
        assert!(serde_json::from_value::<FromPlugin>(line.clone()).is_err(), "{line}");
    }
    let observe = json!({ "method": "deploy.observe", "params": { "host": { "name": "h", "address": "local" }, "project": { "name": "p" } } });
    let observe: Request = serde_json::from_value(observe).unwrap();
    assert!(observe.reply(json!({ "images": [] })).is_err(), "no containers are not the same as none");
}
