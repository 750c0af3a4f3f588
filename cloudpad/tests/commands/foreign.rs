//! `cloudpad foo` runs `cloudpad-foo`.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use crate::room::{Room, Run, shown};

#[test]
fn arguments_and_streams_are_the_plugins() {
    let room = Room::new();
    room.program("bin/cloudpad-foo", "#!/bin/sh\nprintf '[%s]' \"$@\"; cat; echo error >&2; exit 37\n");
    let mut command = room.command("project", &["foo", "--help", "-e", "a b", "", "--json", "--", "*"]);
    command.arg(std::ffi::OsStr::from_bytes(b"\xff")).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"input").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"[--help][-e][a b][][--json][--][*][\xff]input");
    assert_eq!((output.stderr.as_slice(), output.status.code()), (&b"error\n"[..], Some(37)));
}

#[test]
fn the_process_is_replaced() {
    let room = Room::new();
    room.program("bin/cloudpad-foo", "#!/bin/sh\necho $$; kill -PIPE $$\n");
    let child = room.command("project", &["foo"]).stdout(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), id.to_string());
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!(signal, Some(13), "signals are as they were before this program was started");
}

#[test]
fn a_built_in_command_goes_first() {
    let room = Room::new();
    room.trap("bin/cloudpad-check").trap("bin/cloudpad-help").trap("bin/cloudpad-trust");
    room.run(&["check"]).expect(0);
    room.run(&["help"]).expect(0);
    room.run(&["trust"]).expect(0);
    room.nothing_has_run();
}

#[test]
fn places_are_those_of_providers() {
    let room = Room::new();
    let runs = |room: &Room| room.run(&["foo"]).expect(0).stdout;
    room.says("bin/cloudpad-foo", "path");
    assert_eq!(runs(&room), "path\n");
    room.says("home/.local/share/cloudpad/plugins/cloudpad-foo", "user");
    assert_eq!(runs(&room), "user\n");
    room.says("project/.cloudpad/plugins/cloudpad-foo", "project");
    room.run(&["foo"]).expect(2).says("you have not trusted it");
    room.run(&["trust", "--yes"]).expect(0);
    assert_eq!(runs(&room), "project\n");
    room.says("tools/own.sh", "config");
    room.config("[plugins.foo]\npath = \"../tools/own.sh\"\n");
    assert_eq!(runs(&room), "config\n");
    let outside = Run::of(room.command("home", &["foo"])).expect(0);
    assert_eq!(outside.stdout, "user\n", "outside of the project");
}

#[test]
fn an_environment_names_its_own_file() {
    let room = Room::new();
    room.says("tools/a", "production").says("tools/b", "staging");
    room.config(
        "[plugins.foo]\npath = \"../tools/a\"\n[environments.staging.plugins.foo]\npath = \"../tools/b\"\n",
    );
    assert_eq!(room.run(&["foo"]).expect(0).stdout, "production\n");
    let mut command = room.command("project", &["foo"]);
    command.env("CLOUDPAD_ENV", "staging");
    assert_eq!(Run::of(command).expect(0).stdout, "staging\n");
    // Were it taken for Cloudpad's and lost, `foo` would go for production.
    room.run(&["-e", "staging", "foo"]).expect(2).says("options before its name mean nothing to it");
}

#[test]
fn a_file_that_has_changed_does_not_run() {
    let room = Room::new();
    room.says("project/.cloudpad/plugins/cloudpad-foo", "one");
    room.run(&["trust", "--yes"]).expect(0);
    room.trap("project/.cloudpad/plugins/cloudpad-foo");
    room.run(&["foo"]).expect(2).says("is not the file that you have trusted").says("cloudpad trust");
    room.run(&["trust", "--yes"]).expect(0);
    room.run(&["plugin", "lock"]).expect(0);
    room.run(&["foo"]).expect(0);
    std::fs::remove_file(room.at("has-run")).unwrap();
    let text = room.read("project/.cloudpad/plugins/cloudpad-foo");
    room.program("project/.cloudpad/plugins/cloudpad-foo", &(text + "# changed\n"));
    room.run(&["trust", "--yes"]).expect(0);
    room.run(&["foo"]).expect(2).says("is not the one that `Cloudpad.lock` lists");
    room.nothing_has_run();
}

#[test]
fn the_lock_is_about_what_the_project_uses() {
    let room = Room::new();
    room.says("bin/cloudpad-mine", "mine").greets("bin/cloudpad-aws", "aws", "1.0");
    room.config("[stages]\ninventory = \"aws\"\n");
    room.run(&["plugin", "lock"]).expect(0);
    assert_eq!(room.run(&["mine"]).expect(0).stdout, "mine\n");
    room.run(&["aws"]).expect(0);
    room.trap("bin/cloudpad-aws");
    room.run(&["aws"]).expect(2).says("is not the one that `Cloudpad.lock` lists");
    room.says("project/.cloudpad/plugins/cloudpad-new", "new");
    room.run(&["trust", "--yes"]).expect(0);
    room.run(&["new"]).expect(2).says("is not listed in `Cloudpad.lock`");
    room.nothing_has_run();
}

#[test]
fn what_is_no_command_is_told_with_what_was_meant() {
    let room = Room::new();
    room.says("bin/cloudpad-backup", "").trap("bin/cloudpad-helper.sh").program("bin/cloudpad-folder/x", "");
    room.trap("bin/cloudpad-bad").mode("bin/cloudpad-bad", 0o644);
    let unknown = |name: &str| room.run(&[name]).expect(2).says(&format!("there is no command `{name}`"));
    unknown("deplyo").says("did you mean `deploy`?").says("`cloudpad --list`");
    unknown("bakcup").says("did you mean `backup`?");
    assert!(!unknown("quite-another").stderr.contains("did you mean"));
    unknown("bad").says(&shown(&room.at("bin/cloudpad-bad"))).says("was passed over: it is not executable");
    unknown("folder").says("it is a folder");
    unknown("helper.sh");
    unknown("__plugin-hots");
    unknown("../bin/cloudpad-backup");
    let json = room.run(&["deplyo"]).expect(2);
    assert_eq!(json.stdout, "");
    room.nothing_has_run();
}

#[test]
fn a_broken_config_is_not_guessed_around() {
    let room = Room::new();
    room.trap("bin/cloudpad-foo");
    room.config("[plugins.foo]\npaht = \"x\"\n");
    room.run(&["foo"]).expect(2).says("paht");
    room.run(&["bar"]).expect(2).says("there is no command `bar`").says("cloudpad check");
    room.nothing_has_run();
}

#[test]
fn what_cannot_be_started_says_why() {
    let room = Room::new();
    room.program("bin/cloudpad-foo", "#!/no/such/interpreter\n").program("bin/cloudpad-bar", "echo hello\n");
    room.run(&["foo"]).expect(2).says("`/no/such/interpreter`, which its first line names, is not there");
    room.run(&["bar"]).expect(2).says("it is neither a program nor a script");
}
