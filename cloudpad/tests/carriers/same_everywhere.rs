//! Provider `same` in seven carriers.

use std::path::PathBuf;

use cloudpad_plugin_api::Plugin;
use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::inventory::List;
use serde_json::json;

use crate::built::{self, here, launch, library, made};
use crate::steps::{self, Step};
use crate::transcript::{Transcript, assert_same};
use crate::wire::Wire;
use crate::{direct, through_host};

/// The plugin that is linked into these tests.
fn linked() -> &'static Plugin {
    let all = Plugin::built_in();
    let ours = |plugin: &&Plugin| plugin.providers.iter().any(|provider| provider.name == "same");
    all.into_iter().find(ours).expect("it is linked in")
}

fn program() -> PathBuf {
    made("examples/same_program")
}

fn isolated() -> PathBuf {
    made(&format!("examples/{}", library("same_library")))
}

/// Every carrier that is a process: its name and its file.
fn processes() -> [(&'static str, PathBuf); 5] {
    [
        ("executable", program()),
        ("isolated library", isolated()),
        ("Python", here("same.py")),
        ("sh", here("same.sh")),
        ("C", built::same_c().to_owned()),
    ]
}

/// Once it has been written, it stays: whoever changes it changes the protocol.
#[test]
fn the_transcript_is_the_one_that_was_written_down() {
    let said = Wire::linked(linked()).converse(&steps::same()).to_string();
    let written = std::fs::read_to_string(here("same.transcript")).unwrap_or_default();
    assert!(said == written, "`same.transcript` says something else than:\n{said}");
}

#[test]
fn every_carrier_says_the_same_lines() {
    let expected = Wire::linked(linked()).converse(&steps::same());
    for (name, path) in processes() {
        assert_same(
            name,
            &Wire::started(&launch("same", &path, &here(""))).converse(&steps::same()),
            &expected,
        );
    }
    let steps = steps::same();
    let is_line = |what: &str| steps.iter().any(|step| step.what == what && step.is_line());
    assert_same("direct", &direct::converse(linked(), &steps, &here("")), &expected.without(is_line));
}

#[test]
fn a_deploy_gets_the_same_from_every_carrier() {
    let steps = steps::same();
    let expected = through_host::converse(None, &steps);
    for (name, path) in processes() {
        assert_same(name, &through_host::converse(Some(&path), &steps), &expected);
    }
    // And that is what was said; of configs, problems at their place in the file are made.
    let calls = |all: &Transcript| {
        all.without(|what| what.contains("config") || what == "hello" || what == "after the end")
    };
    assert_same("direct", &calls(&expected), &calls(&direct::converse(linked(), &steps, &here(""))));
}

#[test]
fn a_panic_is_the_same_failure_in_every_carrier_of_rust() {
    let list = || Request::InventoryList(List {});
    let steps = [
        Step::new("a panic", "same", json!({ "panic": true }), list()),
        Step::new("no hosts", "same", json!({}), list()),
    ];
    let expected = direct::converse(linked(), &steps, &here(""));
    assert!(expected.to_string().contains("inventory provider `same` panicked: no luck"), "{expected}");
    assert_same("linked", &Wire::linked(linked()).converse(&steps), &expected);
    let expected = through_host::converse(None, &steps);
    for (name, path) in [("executable", program()), ("isolated library", isolated())] {
        assert_same(name, &through_host::converse(Some(&path), &steps), &expected);
    }
}

#[test]
fn a_relative_path_of_a_config_is_the_projects_in_every_carrier() {
    let config = json!({ "count": "how-many" });
    let steps = [Step::new("three hosts", "same", config, Request::InventoryList(List {}))];
    let expected = through_host::converse(None, &steps);
    assert!(expected.to_string().contains("counting to 3"), "{expected}");
    for (name, path) in processes() {
        assert_same(name, &through_host::converse(Some(&path), &steps), &expected);
    }
}
