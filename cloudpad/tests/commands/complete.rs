//! Completion, as a shell asks for it: the real program with `COMPLETE` set, and bash itself.

use std::process::Command;

use crate::room::{Room, Run};

const PROJECT: &str = r#"
groups = ["front"]
[hosts.h1]
address = "local"
roles = ["edge"]
[environments.staging.hosts.h2]
address = "192.0.2.2"
[environments.production]
"#;

/// What is offered for the last word.
fn offered(room: &Room, folder: &str, words: &[&str]) -> Vec<String> {
    let mut command = room.command(folder, &[&["--", "cloudpad"], words].concat());
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true").env("_CLAP_IFS", "\n");
    let run = Run::of(command).expect(0);
    assert_eq!(run.stderr, "", "{words:?}");
    let mut offered: Vec<String> = run.stdout.lines().map(|line| line.trim().to_owned()).collect();
    offered.sort();
    offered
}

fn room() -> Room {
    let room = Room::new();
    room.trap("bin/cloudpad-depot").trap("bin/cloudpad-bad").mode("bin/cloudpad-bad", 0o644);
    room.config(PROJECT);
    room
}

#[test]
fn commands_built_in_and_others() {
    let room = room();
    assert_eq!(offered(&room, "project", &["dep"]), ["deploy", "depot"]);
    assert_eq!(offered(&room, "home", &["dep"]), ["deploy", "depot"], "outside of a project too");
    assert_eq!(offered(&room, "project", &["ba"]), [""; 0], "what cannot be run is not offered");
    assert_eq!(offered(&room, "project", &["plugin", "lo"]), ["lock"]);
    assert_eq!(offered(&room, "project", &["plan", "--ou"]), ["--out"]);
    assert_eq!(offered(&room, "project", &["help", "dep"]), ["deploy", "depot"]);
    assert_eq!(offered(&room, "project", &["plugin", "describe", "d"]), ["depot"]);
    assert_eq!(offered(&room, "project", &["plugin", "describe", "b"]), [""; 0]);
    assert_eq!(offered(&room, "project", &["plugin", "check", "de"]), ["depot"]);
    assert_eq!(offered(&room, "project", &["plugin", "check", "Cl"]), ["Cloudpad.toml"]);
    room.nothing_has_run();
}

#[test]
fn files_for_a_plugin() {
    let room = room();
    assert_eq!(offered(&room, "project", &["depot", "Cloud"]), ["Cloudpad.toml"]);
    assert_eq!(offered(&room, "project", &["depot", "dep"]), [""; 0]);
    assert_eq!(offered(&room, "project", &["depot", "--"]), [""; 0]);
    room.nothing_has_run();
}

#[test]
fn names_of_the_project() {
    let room = room();
    let of = |words: &[&str]| offered(&room, "project", words);
    assert_eq!(of(&["deploy", "-e", ""]), ["production", "staging"]);
    assert_eq!(of(&["deploy", "--environment", "s"]), ["staging"]);
    assert_eq!(of(&["plan", "--service", ""]), ["web"]);
    assert_eq!(of(&["plan", "--group", ""]), ["front"]);
    assert_eq!(of(&["plan", "--role", ""]), ["edge"]);
    assert_eq!(of(&["plan", "--host", ""]), ["h1", "h2"], "those of every environment");
}

#[test]
fn a_broken_config_offers_nothing_and_says_nothing() {
    let room = room();
    for config in ["nonsense", "[", "[environments.staging]\nhosts = 3\n"] {
        room.config(config);
        assert_eq!(offered(&room, "project", &["plan", "--service", ""]), [""; 0], "{config}");
        assert_eq!(offered(&room, "project", &["dep"]), ["deploy", "depot"]);
    }
    assert_eq!(offered(&room, "home", &["plan", "--service", ""]), [""; 0]);
}

#[test]
fn bash_completes() {
    let room = room();
    let program = env!("CARGO_BIN_EXE_cloudpad");
    let (folder, _) = program.rsplit_once('/').unwrap();
    let script = "source <(COMPLETE=bash cloudpad) && COMP_WORDS=(cloudpad plan --service '') COMP_CWORD=3 COMP_TYPE=9 \
                  && _clap_complete_cloudpad cloudpad '' --service && echo \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).current_dir(room.at("project")).env("HOME", room.at("home"));
    bash.env("PATH", format!("{folder}:{}", std::env::var("PATH").unwrap()));
    assert_eq!(Run::of(bash).expect(0).stdout.trim(), "web");
}

#[test]
fn a_shell_that_is_not_known_is_told() {
    let room = room();
    let mut command = room.command("project", &[]);
    command.env("COMPLETE", "tcsh");
    Run::of(command).expect(2).says("unknown shell `tcsh`");
}
