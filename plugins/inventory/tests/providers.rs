//! The provider, asked as a plugin of its own is. I/O: processes, files.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use cloudpad_plugin_api::stage::inventory::List;
use cloudpad_plugin_api::testing::TestHost;
use cloudpad_plugin_api::{CheckConfig, Event, Failure, FailureKind, Reply, Request, Stage};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The plugin in this folder.
fn host(folder: &Path, config: Value) -> TestHost {
    let folder = folder.to_owned();
    let start = move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloudpad-inventory"));
        command.current_dir(&folder);
        command
    };
    TestHost::program("command", start).config(config)
}

/// A folder with a script `hosts`.
fn script(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// What `./hosts` with these arguments lists: `NAME ADDRESS ROLES` of each.
fn list(folder: &TempDir, arguments: &[&str]) -> Result<Vec<String>, Failure> {
    let command: Vec<_> = ["./hosts"].iter().chain(arguments).collect();
    let played = host(folder.path(), json!({ "command": command })).call(Request::InventoryList(List {}));
    match played.end? {
        Reply::Hosts(reply) => {
            let hosts = reply.hosts.iter();
            Ok(hosts.map(|host| format!("{} {} {}", host.name, host.address, host.roles.join(","))).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_of_the_project_lists_hosts_in_either_form() {
    let plain = script(r#"echo "[{\"name\": \"$1\", \"address\": \"$2\", \"roles\": [\"web\"]}]""#);
    assert_eq!(list(&plain, &["h1", "root@192.0.2.1"]).unwrap(), ["h1 root@192.0.2.1 web"]);
    let groups = script(
        r#"[ "$*" = --list ] && echo '{"web": ["h1"], "_meta": {"hostvars": {"h1": {"ansible_user": "root"}}}}'"#,
    );
    assert_eq!(list(&groups, &["--list"]).unwrap(), ["h1 root@h1 web"]);
}

#[test]
fn without_meta_each_host_is_asked_for() {
    let asked = r#"case "$1 $2 $3" in
        "-e prod --list") echo '{"web": ["h1", "h2"], "db": ["h2"]}';;
        "-e prod --host") [ "$4" = h2 ] || echo '{"ansible_host": "192.0.2.1"}';;
        *) exit 9;;
    esac"#;
    let expected = ["h1 192.0.2.1 web", "h2 h2 db,web"];
    assert_eq!(list(&script(asked), &["-e", "prod", "--list"]).unwrap(), expected);
    let unasked = script(r#"[ $# = 0 ] && echo '{"web": ["h1"]}'"#);
    assert_eq!(list(&unasked, &[]).unwrap(), ["h1 h1 web"], "there is no `--list` to replace");
}

#[test]
fn why_one_host_cannot_be_asked_for_is_told() {
    let saying = |answer: &str| {
        let script = script(&format!(
            "[ \"$1\" = --list ] && echo '{{\"web\": [\"h1\", \"h2\"]}}' || {{ [ \"$2\" = h1 ] || {answer}; }}"
        ));
        list(&script, &["--list"]).unwrap_err().message
    };
    assert_eq!(
        saying("echo '[1]'"),
        "`./hosts` with `--host h2` has printed a list, and no object of variables"
    );
    let broken = saying("echo hunter22");
    assert_eq!(broken, "`./hosts` with `--host h2` has printed no JSON: expected value at line 1 column 1");
    assert!(saying("exit 4").starts_with("host `h2`: `./hosts` failed"), "{}", saying("exit 4"));
}

#[test]
fn what_is_no_list_of_hosts_is_refused_without_showing_it() {
    for (text, why) in [
        ("true", "`./hosts` has printed no list of hosts: there is nothing"),
        ("echo hunter22", "`./hosts` has printed no list of hosts: expected value at line 1 column 1"),
        ("printf '[\"hunter22'", "`./hosts` has printed no list of hosts: EOF while parsing a string"),
        (
            r#"echo '{"a": "192.0.2.1", "a": "hunter22"}'"#,
            "`./hosts` has printed no list of hosts: the key `a` is there twice at line 1",
        ),
        (
            "echo '\"hunter22\"'",
            "the hosts that `./hosts` has printed cannot be used: the document is a string",
        ),
        (
            r#"echo '{"web": ["h1"], "_meta": {"hostvars": {"h1": {"ansible_port": "hunter22"}}}}'"#,
            "the hosts that `./hosts` has printed cannot be used: `ansible_port` of host `h1` is not between 1 and 65535",
        ),
    ] {
        let failure = list(&script(text), &[]).unwrap_err();
        assert!(failure.message.starts_with(why), "{text}: {failure}");
        assert!(!format!("{failure:?}").contains("hunter22"), "{failure:?}");
    }
}

#[test]
fn of_many_faults_the_first_ten_are_told() {
    let document = Value::from(vec![json!(1); 14]);
    let failure = list(&script(&format!("echo '{document}'")), &[]).unwrap_err();
    assert!(failure.message.contains("host 1 of the list is a number"), "{failure}");
    assert_eq!((failure.causes.len(), &*failure.causes[9]), (10, "and 4 more"));
}

#[test]
fn a_program_that_fails_is_quoted_by_its_errors_alone() {
    let folder = script("echo hunter22; echo 'no credentials' >&2; exit 3");
    let config = json!({ "command": ["./hosts"] });
    let played = host(folder.path(), config).call(Request::InventoryList(List {}));
    let failure = played.end.unwrap_err();
    assert!(failure.message.starts_with("`./hosts` failed: exit status: 3"), "{failure}");
    assert_eq!(failure.causes, ["no credentials"]);
    let line = |event: &Event| matches!(event, Event::Output { line, .. } if line == "no credentials");
    assert!(played.events.iter().all(line) && played.events.len() == 1, "{:?}", played.events);
}

#[test]
fn a_slow_program_is_ended_when_the_call_is_cancelled() {
    let folder = script("echo up >&2; exec sleep 300");
    let config = json!({ "command": ["./hosts"] });
    let played =
        host(folder.path(), config).call_with(Request::InventoryList(List {}), |_, call| call.cancel());
    assert_eq!(played.end.unwrap_err().kind, FailureKind::Cancelled);
}

#[test]
fn configs_that_are_wrong_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for config in [
        Value::Null,
        json!({ "command": [] }),
        json!({ "command": [""] }),
        json!({ "command": "./hosts" }),
        json!({ "command": ["./hosts"], "format": "ansible" }),
    ] {
        let check = Request::ConfigCheck(CheckConfig { stage: Stage::Inventory });
        let played = host(folder.path(), config.clone()).call(check);
        assert_eq!(played.end.unwrap_err().kind, FailureKind::Invalid, "{config}");
    }
}
