//! Secrets providers `env` and `command`, in a folder of their own.

use std::fs;

use cloudpad_plugin_api::stage::secrets::Get;
use cloudpad_plugin_api::{Request, Stage};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{World, is_the_same_everywhere, without};
use crate::steps::{Step, check};

struct Env(TempDir);

struct Printed(TempDir);

fn env() -> Env {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("one"), "TOKEN='s3cr3t value'\nOTHER=2\n").unwrap();
    fs::write(dir.path().join("bad"), "TOKEN=1\nhunter22 is no line\n").unwrap();
    Env(dir)
}

fn printed() -> Printed {
    Printed(tempfile::tempdir().unwrap())
}

fn get(names: &[&str]) -> Request {
    Request::SecretsGet(Get { names: names.iter().map(|name| (*name).to_owned()).collect() })
}

impl World for Env {
    fn steps(&self) -> Vec<Step> {
        let files = |name: &str| json!({ "files": [self.0.path().join(name)] });
        let step = |what, config, request| Step::new(what, "env", config, request);
        vec![
            step("a config is fit", files("one"), check(Stage::Secrets)),
            step("a config is not fit", json!({ "colour": "red" }), check(Stage::Secrets)),
            step("a value", files("one"), get(&["TOKEN"])),
            step("none of two", files("one"), get(&["NOBODY_KNOWS", "OTHER"])),
            step("a broken file", files("bad"), get(&["TOKEN"])),
            step("no file", files("none"), get(&["TOKEN"])),
        ]
    }

    fn hide(&self, message: Value) -> Option<Value> {
        Some(without(&message, &[&self.0.path().to_string_lossy()]))
    }
}

/// Without the folder in which a program failed: a plugin need not name its own.
pub(super) fn without_folder(mut message: Value) -> Value {
    if let Some(Value::String(text)) = message.pointer_mut("/error/message")
        && let Some((before, after)) = text.split_once(" failed in `")
        && let Some((_, after)) = after.split_once('`')
    {
        *text = format!("{before} failed{after}");
    }
    message
}

impl World for Printed {
    fn steps(&self) -> Vec<Step> {
        let command = |words: &[&str]| json!({ "command": words });
        let step = |what, config, request| Step::new(what, "command", config, request);
        let slow = command(&["sh", "-c", "echo up >&2; exec sleep 300"]);
        vec![
            step("a config is fit", command(&["pass", "show", "{name}"]), check(Stage::Secrets)),
            step("a config is not fit", command(&[]), check(Stage::Secrets)),
            step("a value each", command(&["echo", "it is {name}"]), get(&["a", "b"])),
            step("all at once", command(&["echo", r#"{ "a": "1", "c": "3" }"#]), get(&["a", "b"])),
            step("no JSON", command(&["echo", "{ hunter22"]), get(&["a"])),
            step("it fails", command(&["sh", "-c", "echo sealed >&2; exit 2"]), get(&["a"])),
            step("no such program", command(&["cloudpad-no-such-tool"]), get(&["a"])),
            step("cancelled", slow, get(&["a"])).cancelled(),
        ]
    }

    fn hide(&self, message: Value) -> Option<Value> {
        Some(without(&without_folder(message), &[&self.0.path().to_string_lossy()]))
    }
}

#[test]
fn env_is_the_same_everywhere() {
    let expected = [
        "\"TOKEN\":\"s3cr3t value\"",
        "unknown field `colour`",
        "{\"OTHER\":\"2\"}",
        "line 2: it is not",
        "no file",
    ];
    is_the_same_everywhere("secrets", env, &expected);
}

#[test]
fn command_is_the_same_everywhere() {
    let expected = [
        "\"b\":\"it is b\"",
        "{\"a\":\"1\"}",
        "not printed a JSON object",
        "sealed",
        "\"kind\":\"cancelled\"",
    ];
    is_the_same_everywhere("secrets", printed, &expected);
}
