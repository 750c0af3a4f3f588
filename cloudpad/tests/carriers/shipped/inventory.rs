//! Inventory provider `command`, in a folder of its own.

use cloudpad_plugin_api::stage::inventory::List;
use cloudpad_plugin_api::{Request, Stage};
use serde_json::{Value, json};

use super::secrets::without_folder;
use super::{World, is_the_same_everywhere};
use crate::steps::{Step, check};

struct Printed;

impl World for Printed {
    fn steps(&self) -> Vec<Step> {
        let command = |words: &[&str]| json!({ "command": words });
        let step = |what, words: &[&str]| {
            Step::new(what, "command", command(words), Request::InventoryList(List {}))
        };
        let by_list =
            r#"[ "$1" = --list ] && echo '{"web": ["h1", "h2"]}' || echo "{\"ansible_user\": \"$2\"}""#;
        let fit = Step::new("a config is fit", "command", command(&["./hosts"]), check(Stage::Inventory));
        let unfit = Step::new("a config is not fit", "command", command(&[]), check(Stage::Inventory));
        vec![
            fit,
            unfit,
            step("plain hosts", &["echo", r#"{ "h1": "192.0.2.1", "h2": { "address": "local" } }"#]),
            step("hosts of groups", &["sh", "-c", by_list, "sh", "--list"]),
            step("no JSON", &["echo", "{ hunter22"]),
            step("no hosts", &["echo", r#"[{ "name": "h1" }, 2]"#]),
            step("it fails", &["sh", "-c", "echo sealed >&2; exit 2"]),
            step("no such program", &["cloudpad-no-such-tool"]),
            step("cancelled", &["sh", "-c", "echo up >&2; exec sleep 300"]).cancelled(),
        ]
    }

    fn hide(&self, message: Value) -> Option<Value> {
        Some(without_folder(message))
    }
}

#[test]
fn command_is_the_same_everywhere() {
    let expected = [
        "`command` is missing",
        "\"address\":\"192.0.2.1\"",
        "\"address\":\"h2@h2\"",
        "key must be a string",
        "host `h1` has no `address`",
        "sealed",
        "\"kind\":\"cancelled\"",
    ];
    is_the_same_everywhere("inventory", || Printed, &expected);
}
