//! Both providers, asked as a plugin of their own is. I/O: processes, files.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::Path;
use std::process::Command;

use cloudpad_plugin_api::stage::secrets::Get;
use cloudpad_plugin_api::testing::TestHost;
use cloudpad_plugin_api::{CheckConfig, Failure, FailureKind, Reply, Request, Stage};
use serde_json::{Value, json};

/// The plugin in this folder, with `FROM_HERE` and `BOTH` in its environment.
fn host(provider: &str, folder: &Path, config: Value) -> TestHost {
    let folder = folder.to_owned();
    let start = move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloudpad-secrets"));
        command.current_dir(&folder).env("FROM_HERE", "outer").env("BOTH", "outer");
        command
    };
    TestHost::program(provider, start).config(config)
}

/// `NAME=value` of each that was found.
fn get(host: &TestHost, names: &[&str]) -> Result<Vec<String>, Failure> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let played = host.call(Request::SecretsGet(Get { names }));
    assert!(played.events.is_empty(), "a value may be in an event: {:?}", played.events);
    match played.end? {
        Reply::Secrets(found) => {
            let pairs = found.values.0.iter();
            Ok(pairs.map(|(name, value)| format!("{name}={}", value.expose())).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_environment_comes_first_and_then_the_file_of_the_project() {
    let folder = tempfile::tempdir().unwrap();
    let host = host("env", folder.path(), Value::Null);
    let names = ["BOTH", "FROM_FILE", "FROM_HERE", "NOWHERE", "QUOTED"];
    assert_eq!(get(&host, &names).unwrap(), ["BOTH=outer", "FROM_HERE=outer"], "there is no file");
    fs::write(folder.path().join(".env"), "# ours\nexport FROM_FILE=file\nBOTH=file\nQUOTED='a $b \"c\"'\n")
        .unwrap();
    assert_eq!(
        get(&host, &names).unwrap(),
        ["BOTH=outer", "FROM_FILE=file", "FROM_HERE=outer", "QUOTED=a $b \"c\""]
    );
}

#[test]
fn of_files_that_are_named_the_last_counts_and_none_may_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [(".env", "A=no\n"), ("base", "A=1\nB=1\n"), ("more", "B=2\n")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let with = |files: &[&str]| host("env", folder.path(), json!({ "files": files }));
    assert_eq!(get(&with(&["base", "more"]), &["A", "B"]).unwrap(), ["A=1", "B=2"]);
    assert_eq!(get(&with(&[]), &["A", "B"]).unwrap(), [""; 0], "no file at all");
    let failure = get(&with(&["base", "none"]), &["A"]).unwrap_err();
    assert_eq!(failure.message, "there is no file `none`");
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join(".env")).status().unwrap().success());
    let failure = get(&host("env", folder.path(), Value::Null), &["A"]).unwrap_err();
    assert_eq!(failure.message, "`.env` cannot be read as a file of variables: it is no regular file");
    let endless = json!({ "files": ["/dev/zero"] });
    assert!(get(&host("env", folder.path(), endless), &["A"]).is_err());
    fs::write(folder.path().join("long"), vec![b'#'; 1_100_000]).unwrap();
    let failure = get(&host("env", folder.path(), json!({ "files": ["long"] })), &["A"]).unwrap_err();
    assert!(failure.message.ends_with("it is longer than 1 MiB"), "{failure}");
}

#[test]
fn what_a_file_has_wrong_is_told_without_its_values() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "A=1\n\nhunter22 is no line\n").unwrap();
    let failure = get(&host("env", folder.path(), Value::Null), &["A"]).unwrap_err();
    assert_eq!(
        failure.message,
        "`.env` cannot be read as a file of variables: line 3: it is not `NAME=value`"
    );
    assert!(!format!("{failure:?}").contains("hunter22"), "{failure:?}");
}

#[test]
fn a_command_with_a_name_in_it_prints_one_value() {
    let folder = tempfile::tempdir().unwrap();
    let command = json!({ "command": ["printf", "%s\\n\\n", "value of {name}"] });
    let host = host("command", folder.path(), command);
    assert_eq!(get(&host, &["a", "b c"]).unwrap(), ["a=value of a\n", "b c=value of b c\n"]);
}

#[test]
fn a_command_without_a_name_prints_all_values() {
    let folder = tempfile::tempdir().unwrap();
    let printing = |text: &str| host("command", folder.path(), json!({ "command": ["echo", text] }));
    let values = r#"{ "a": "1", "b": "line\n", "more": "3" }"#;
    assert_eq!(get(&printing(values), &["a", "b", "c"]).unwrap(), ["a=1", "b=line\n"]);
    let failure = get(&printing(r#"{ "a": hunter22 }"#), &["a"]).unwrap_err();
    assert_eq!(failure.message, "`echo` has not printed a JSON object of strings: it goes wrong in line 1");
    assert!(!format!("{failure:?}").contains("hunter22"), "{failure:?}");
}

#[test]
fn a_command_that_fails_is_named_with_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo hunter22; echo 'vault is sealed' >&2; exit 3";
    let host = |command: Value| host("command", folder.path(), json!({ "command": command }));
    let played = host(json!(["sh", "-c", script, "{name}"]))
        .call(Request::SecretsGet(Get { names: vec!["db".to_owned()] }));
    let failure = played.end.unwrap_err();
    assert!(failure.message.starts_with("secret `db`: `sh` failed: exit status: 3"), "{failure}");
    assert_eq!(failure.causes, ["vault is sealed"]);
    assert!(!format!("{:?}{failure:?}", played.events).contains("hunter22"));
    let nothing = get(&host(json!(["true", "{name}"])), &["db"]).unwrap_err();
    assert_eq!(nothing.message, "secret `db`: `true` has printed nothing");
    let missing = get(&host(json!(["no-such-tool", "{name}"])), &["db"]).unwrap_err();
    assert!(missing.message.contains("no-such-tool"), "{missing}");
}

#[test]
fn configs_that_are_wrong_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (provider, config) in [
        ("env", json!({ "file": ".env" })),
        ("env", json!({ "files": ".env" })),
        ("command", Value::Null),
        ("command", json!({ "command": [] })),
        ("command", json!({ "command": [""] })),
        ("command", json!({ "command": ["pass"], "more": 1 })),
    ] {
        let check = Request::ConfigCheck(CheckConfig { stage: Stage::Secrets });
        let played = host(provider, folder.path(), config.clone()).call(check);
        assert_eq!(played.end.unwrap_err().kind, FailureKind::Invalid, "{provider} with {config}");
    }
}
