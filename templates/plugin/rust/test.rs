//! Plays Cloudpad to the plugin.

use std::process::{Command, Stdio};

use @crate@::Plugin;
use cloudpad_plugin_api::testing::TestHost;
use cloudpad_plugin_api::{Failure, FailureKind, Handler};
use serde_json::{Value, json};

/// Makes a call; the reply's JSON is what came of it.
fn call(method: &str, params: Value, config: Value) -> Result<Value, Failure> {
    let request = serde_json::from_value(json!({ "method": method, "params": params })).unwrap();
    let played = TestHost::new(Handler::@Stage@(&Plugin))
        .config(config)
        .call(request);
    played.end.map(|reply| serde_json::to_value(reply).unwrap())
}

#[test]
fn the_program_says_who_it_is() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_cloudpad-@name@-@stage@"));
    let ran = program
        .arg("--cloudpad-plugin")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let hello: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(hello["provides"][0]["stage"], "@stage@");
    assert_eq!(hello["provides"][0]["provider"], "@name@");
}

#[test]
fn a_config_that_it_does_not_know_is_refused() {
    assert_eq!(
        call("config.check", json!({ "stage": "@stage@" }), Value::Null),
        Ok(json!({}))
    );
    let refused = call(
        "config.check",
        json!({ "stage": "@stage@" }),
        json!({ "colour": 1 }),
    );
    assert_eq!(refused.unwrap_err().kind, FailureKind::Invalid);
}

@tests@
