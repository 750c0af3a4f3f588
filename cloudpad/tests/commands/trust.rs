//! `cloudpad trust`.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::room::Room;

#[test]
fn nothing_is_trusted_without_an_answer() {
    let room = Room::new();
    room.trap("project/.cloudpad/plugins/cloudpad-foo");
    let sum = sum(&room, "project/.cloudpad/plugins/cloudpad-foo");
    let refused = room.run(&["trust"]).expect(2).says("there is no terminal to ask on").says("`--yes`");
    refused.says("cloudpad-foo").says("new").says(&sum).says("look at what they do");
    room.run(&["foo"]).expect(2).says("you have not trusted it");
    room.run(&["trust", "--yes"]).expect(0).says("trusted, until a file changes");
    room.run(&["trust"]).expect(0).says("trusted already: 1 plugin");
    room.nothing_has_run();
    room.run(&["foo"]).expect(0);
}

#[test]
fn a_person_is_asked() {
    let room = Room::new();
    room.says("project/.cloudpad/plugins/cloudpad-foo", "foo");
    // `script` is the terminal.
    let answered = |answer: &str| {
        let mut command = Command::new("script");
        command.args([
            "--quiet",
            "--return",
            "--command",
            &format!("{} trust", env!("CARGO_BIN_EXE_cloudpad")),
            "/dev/null",
        ]);
        command.current_dir(room.at("project")).env("HOME", room.at("home")).env_remove("XDG_CONFIG_HOME");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = answered("n\n");
    assert!(code == Some(2) && said.contains("go ahead?") && said.contains("nothing was done"), "{said}");
    room.run(&["foo"]).expect(2);
    let (code, said) = answered("y\n");
    assert!(code == Some(0) && said.contains("trusted, until a file changes"), "{said}");
    room.run(&["foo"]).expect(0);
}

#[test]
fn trust_is_taken_back() {
    let room = Room::new();
    room.trap("project/.cloudpad/plugins/cloudpad-foo");
    room.run(&["trust", "--yes"]).expect(0);
    room.run(&["trust", "--revoke"]).expect(0).says("no plugin of this project is trusted any more");
    room.run(&["foo"]).expect(2).says("you have not trusted it");
    room.run(&["trust", "--revoke", "--yes"]).expect(2);
    room.nothing_has_run();
}

#[test]
fn what_there_is_to_trust() {
    let room = Room::new();
    room.run(&["trust"]).expect(0).says("no plugins of its own in `.cloudpad/plugins`");
    room.trap("project/.cloudpad/plugins/cloudpad-foo");
    let told = room.run(&["trust", "--json"]).expect(2);
    let first: serde_json::Value = serde_json::from_str(told.stdout.lines().next().unwrap()).unwrap();
    let sum = sum(&room, "project/.cloudpad/plugins/cloudpad-foo");
    assert_eq!(first, json!([{ "file": "cloudpad-foo", "sha256": sum, "state": "new" }]));
    let told = room.run(&["trust", "--json", "--yes"]).expect(0).json();
    assert_eq!(told[0]["state"], "new");
    let bare = Room::bare();
    bare.run(&["trust"]).expect(2).says("no `Cloudpad.toml`");
}

/// What `sha256sum` says of a file.
fn sum(room: &Room, path: &str) -> String {
    let output = Command::new("sha256sum").arg(room.at(path)).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}
