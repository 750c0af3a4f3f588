//! Plugins from the future.

use std::process::Command;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::inventory::List;
use serde_json::{Value, json};

use crate::steps::Step;
use crate::through_host;

/// A plugin that offers these protocols, and says more than is known today in whatever it says.
fn heard(protocols: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cloudpad-next");
    let source = include_str!("future.py").replace("PROTOCOLS", protocols);
    let text = dir.path().join("text");
    std::fs::write(&text, source).unwrap();
    // Another process writes it: what a child of this one has open for writing meanwhile does not run.
    assert!(Command::new("install").args(["-m", "755"]).arg(text).arg(&path).status().unwrap().success());
    let step = Step::new("hosts", "next", json!({ "kept": [1, "a"] }), Request::InventoryList(List {}));
    let heard = through_host::converse(Some(&path), &[step]);
    heard.to_string().replace(&path.display().to_string(), "FILE")
}

#[test]
fn one_that_speaks_protocol_1_too_is_spoken_to_in_that() {
    let expected = [
        "# hosts".to_owned(),
        said(json!({ "kind": "log", "level": "info", "message": "protocol 1" })),
        said(json!({ "kind": "progress", "label": "a unit of tomorrow", "done": 1, "unit": "qubits" })),
        json!({ "t": "result", "id": 1, "ok": { "hosts": [{ "name": "h1", "address": "local" }] } })
            .to_string(),
    ];
    assert_eq!(heard("[2, 1]"), expected.join("\n") + "\n");
}

fn said(mut event: Value) -> String {
    (event["t"], event["id"]) = ("event".into(), 1.into());
    event.to_string()
}

#[test]
fn one_that_does_not_is_refused_and_both_sides_are_named() {
    let expected = json!({
        "problem": "plugin `next` (`FILE`) speaks protocols [9], this cloudpad speaks [1]",
        "place": "Some(Key(\"stages.inventory\"))",
        "hint": "use a version of the plugin that is made for this version of Cloudpad",
    });
    assert_eq!(heard("[9]"), format!("# hosts\n{expected}\n"));
}
