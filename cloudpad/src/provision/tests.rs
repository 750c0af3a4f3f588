//! What is to be done on which machine.

use std::sync::Arc;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{Engine, Machine};
use cloudpad_plugin_api::{Failure, Request};
use serde_json::json;

use super::steps::{Step, is_old, judge};
use super::{Facts, Seen, plan};
use crate::plan::queue::{Limits, Queue};
use crate::words;

const DEBIAN: &str = "id debian\nname Debian 12\ninstaller apt-get\ninit systemd\n";
const ROOT: &str = "user root\ngroups root\nroot self\n";
const UP: &str = "engine there\nengine runs\nstarts yes\n";
const ROTATED: &str = "sum 1 2\nfile |{\"log-driver\": \"local\"}\n";

fn engine(api: &str) -> Machine {
    let engine = Engine { version: "26.1.5".into(), api: api.into(), platform: "linux/amd64".into() };
    Machine { engine, ..Machine::default() }
}

/// A machine that prints this, and whose engine answers where it says so.
fn seen(printed: &[&str], answers: bool) -> Seen {
    let away = Failure::failed("there is no socket").hint("is it running?");
    let engine = if answers { Ok(engine("1.45")) } else { Err(away) };
    Seen { facts: Facts::read(printed.iter().flat_map(|part| part.lines())), engine, ahead: 0 }
}

fn names(steps: &[Step]) -> Vec<String> {
    let first = |step: &Step| step.title().split([' ', ',']).next().unwrap_or_default().to_owned();
    steps.iter().map(first).collect()
}

#[test]
fn what_is_missing_is_done_and_nothing_else() {
    let anna = |groups: &str| format!("user anna\ngroups {groups}\nroot sudo\n");
    let (outside, inside) = (anna("anna sudo"), anna("anna docker"));
    let cases: [(&str, Vec<&str>, bool, &[&str]); 12] = [
        ("bare, as root", vec![DEBIAN, ROOT], false, &["have", "install", "start"]),
        ("bare, by sudo", vec![DEBIAN, &outside], false, &["have", "install", "start", "put"]),
        ("bare, in the group", vec![DEBIAN, &inside], false, &["have", "install", "start"]),
        ("bare, rotated", vec![DEBIAN, ROOT, ROTATED], false, &["install", "start"]),
        (
            "like debian",
            vec!["id mint\nlike ubuntu debian\ninstaller apt-get\ninit systemd\n", ROOT],
            false,
            &["have", "install", "start"],
        ),
        ("all is so", vec![DEBIAN, ROOT, UP, ROTATED], true, &[]),
        ("not rotated", vec![DEBIAN, ROOT, UP], true, &["have"]),
        ("broken file", vec![DEBIAN, ROOT, UP, "sum 1 2\nfile |{\n"], true, &[]),
        ("stopped", vec![DEBIAN, ROOT, "engine there\nstarts yes\n", ROTATED], false, &["start"]),
        (
            "not with the machine",
            vec![DEBIAN, ROOT, "engine there\nengine runs\n", ROTATED],
            true,
            &["start"],
        ),
        ("by socket", vec![DEBIAN, ROOT, "engine there\nstarts yes\n", ROTATED], true, &[]),
        ("not in the group", vec![DEBIAN, &outside, UP, ROTATED], false, &["put"]),
    ];
    for (what, printed, answers, expected) in cases {
        let judged =
            judge("h1", &seen(&printed, answers)).unwrap_or_else(|problem| panic!("{what}: {problem:?}"));
        assert_eq!(names(&judged.steps), expected, "{what}");
    }
}

#[test]
fn what_cannot_be_done_by_us_is_told_with_what_to_do() {
    let plain = "user anna\ngroups anna\n";
    let cases: [(&str, Vec<&str>, &str, &str); 9] = [
        ("no sudo", vec![DEBIAN, plain], "`anna` cannot become root on `h1`", "NOPASSWD"),
        (
            "no init",
            vec!["id debian\ninstaller apt-get\n", ROOT],
            "nobody on `h1` starts services",
            "dockerd",
        ),
        (
            "fedora",
            vec!["id fedora\nname Fedora 41\ninstaller dnf\ninit systemd\n", plain],
            "`h1` is Fedora 41",
            "dnf install moby-engine` (or Docker's own packages), `systemctl enable --now docker`, `usermod -aG docker anna`",
        ),
        (
            "fedora, stopped",
            vec!["id fedora\nname Fedora 41\ninstaller dnf\ninit systemd\nengine there\n", ROOT, ROTATED],
            "what is missing: start the engine",
            "there, as root: `systemctl enable --now docker`; then",
        ),
        (
            "coreos",
            vec!["id fedora\nname Fedora CoreOS\nsealed yes\ninit systemd\n", ROOT],
            "`h1` is Fedora CoreOS",
            "its programs come with its image",
        ),
        ("alpine", vec!["id alpine\nname Alpine\ninstaller apk\n", ROOT], "`h1` is Alpine", "apk add docker"),
        (
            "alpine, stopped",
            vec!["id alpine\nname Alpine\ninstaller apk\nengine there\n", ROOT, ROTATED],
            "what is missing: start the engine",
            "rc-update add docker",
        ),
        (
            "a broken file",
            vec![DEBIAN, ROOT, "sum 1 2\nfile |{\n"],
            "`/etc/docker/daemon.json` on `h1` is not understood",
            "no engine starts with it",
        ),
        ("unreachable all the same", vec![DEBIAN, ROOT, UP, ROTATED], "there is no socket", "is it running?"),
    ];
    for (what, printed, message, hint) in cases {
        let Err(problem) = judge("h1", &seen(&printed, false)) else { panic!("{what} is no problem") };
        assert!(problem.message.contains(message), "{what}: {}", problem.message);
        let told = problem.hint.unwrap_or_default();
        assert!(told.contains(hint), "{what}: {told}");
    }
}

#[test]
fn an_engine_that_works_is_left_alone_and_what_it_lacks_is_told() {
    let fedora = "id fedora\nname Fedora 41\ninstaller dnf\ninit systemd\nuser root\nroot self\n";
    let notes = |printed: &[&str]| {
        let judged = judge("h1", &seen(printed, true)).unwrap();
        assert!(printed[0] == DEBIAN || judged.steps.is_empty(), "{printed:?}");
        judged.notes.into_iter().map(|note| note.message).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(notes(&[fedora, UP, ROTATED]), "");
    let told = notes(&[fedora, UP]);
    assert!(told.starts_with("for you to do on `h1` (Fedora 41, as `root`): have logs rotated"), "{told}");
    let file = json!({ "log-driver": "json-file", "log-opts": { "max-file": "3", "max-size": "10m" } });
    assert!(told.contains(&format!("the file is then `{file}`")), "{told}");
    let told = notes(&[DEBIAN, "user anna\ngroups docker\n", UP]);
    assert!(told.starts_with("for you to do on `h1` (Debian 12, as `anna`): have logs rotated"), "{told}");
    assert!(notes(&[DEBIAN, ROOT, UP]).contains("once it is restarted"), "nobody's containers are stopped");
    assert!(notes(&[DEBIAN, ROOT, UP, "sum 1 2\nfile |{\n"]).contains("is not understood"));
    let elsewhere = judge("h1", &seen(&[DEBIAN, ROOT], true)).unwrap();
    assert_eq!(elsewhere, Default::default(), "it is another kind of engine");
    let mut old = seen(&[DEBIAN, ROOT, UP, ROTATED], true);
    old.engine = Ok(engine("1.40"));
    let old = judge("h1", &old).unwrap();
    assert!(old.steps.is_empty() && old.notes[0].incomplete && old.notes[0].message.contains("20.10"));
}

#[test]
fn what_the_kernel_has_on_is_installed_for_and_a_file_that_is_not_for_us_is_not_guessed() {
    let judged = judge("h1", &seen(&[DEBIAN, ROOT, "apparmor yes\n"], false)).unwrap();
    assert!(
        judged.steps.contains(&Step::Install(vec!["docker.io", "ca-certificates", "apparmor"])),
        "{judged:?}"
    );
    assert_eq!(judged.notes, [], "no engine runs yet that could be left alone");
    let judged = judge("h1", &seen(&[DEBIAN, ROOT, UP, "closed yes\n"], true)).unwrap();
    assert_eq!((judged.steps, judged.notes.len()), (Vec::new(), 1));
    assert!(judged.notes[0].message.contains("is not for us to read"), "{:?}", judged.notes);
}

#[test]
fn versions_are_compared_as_numbers() {
    let cases =
        [("1.41", false), ("1.40", true), ("1.5", true), ("1.100", false), ("2.0", false), ("", false)];
    for (api, old) in cases {
        assert_eq!(is_old(&engine(api).engine), old, "{api}");
    }
}

#[test]
fn hosts_go_on_without_each_other_and_each_stops_at_what_fails() {
    let host = |name: &str| Arc::new(Host::new(name, "root@192.0.2.1"));
    let sudo = "user anna\ngroups anna\nroot sudo\n";
    let bare = seen(&[DEBIAN, sudo], false);
    let well = seen(&[DEBIAN, ROOT, UP, ROTATED], true);
    let plan = plan(&[(host("h1"), bare.clone()), (host("h2"), well), (host("h3"), bare)], None).unwrap();
    assert!(plan.is_in_order());
    let hosts: Vec<_> = plan.actions.iter().filter_map(|action| action.host.as_deref()).collect();
    assert_eq!(hosts, ["h1", "h1", "h1", "h1", "h1", "h3", "h3", "h3", "h3", "h3"]);
    for action in &plan.actions {
        match &action.request {
            Request::DeployCommand(command) => assert_eq!(command.command[..4], ["sudo", "-n", "sh", "-c"]),
            Request::DeployHost(_) => assert!(action.id % 5 == 4, "it is looked at in the end"),
            other => panic!("{other:?}"),
        }
    }
    let mut queue = Queue::of(&plan, Limits { per_host: 6, overall: 9 });
    assert_eq!((queue.next(), queue.next(), queue.next()), (Some(0), Some(5), None));
    queue.failed(0);
    queue.done(5);
    assert_eq!((queue.next(), queue.next()), (Some(6), None), "`h1` has failed, and `h3` goes on");
    let told = words::plan(&plan);
    assert!(told.contains("  h1\n    + have logs rotated"), "{told}");
    assert!(told.contains("    + install docker.io, ca-certificates\n    + start the engine"), "{told}");
    assert!(told.contains("    + put anna into the group docker\n  h3"), "{told}");
    assert!(told.contains("can become root there"), "{told}");
}

#[test]
fn one_host_that_cannot_be_prepared_keeps_all_from_being_touched() {
    let host = |name: &str| Arc::new(Host::new(name, "root@192.0.2.1"));
    let bare = seen(&[DEBIAN, ROOT], false);
    let locked = seen(&[DEBIAN, "user anna\n"], false);
    let problems = plan(&[(host("h1"), bare), (host("h2"), locked)], None).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.contains("on `h2`"), "{problems:?}");
}

#[test]
fn who_is_put_into_a_group_here_has_to_log_in_anew() {
    let here = Arc::new(Host::new("here", Host::LOCAL));
    let plan = plan(&[(here, seen(&[DEBIAN, "user anna\nroot sudo\n", UP, ROTATED], false))], None).unwrap();
    assert_eq!(plan.actions.len(), 1, "the engine cannot answer us yet");
    assert!(plan.notes.iter().any(|note| note.message.contains("log in anew")), "{:?}", plan.notes);
}

/// Runs the script that writes the engine's configuration, in another folder; returns how it has ended, and what stands there then.
fn configured(folder: &std::path::Path, sum: &str) -> (bool, String) {
    let step = Step::Configure { sum: sum.to_owned(), text: "{\"new\": 1}".to_owned() };
    let (script, arguments) = step.script();
    let script = script.replace("/etc/docker", folder.to_str().unwrap());
    let run =
        std::process::Command::new("sh").args(["-c", &script, "configure"]).args(arguments).output().unwrap();
    (run.status.success(), std::fs::read_to_string(folder.join("daemon.json")).unwrap_or_default())
}

#[test]
fn a_file_that_is_not_as_it_was_seen_is_left_alone_and_no_file_is_lost() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (at, new) = (folder.path().join("docker"), "{\"new\": 1}\n".to_owned());
    assert_eq!(configured(&at, "1 2"), (false, String::new()), "it is gone");
    assert_eq!(configured(&at, "none"), (true, new.clone()));
    assert_eq!(configured(&at, "none"), (false, new.clone()), "it has come");
    let (file, elsewhere) = (at.join("daemon.json"), folder.path().join("elsewhere"));
    std::fs::write(&elsewhere, "{}\n").unwrap();
    std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    assert_eq!(configured(&at, "1 2"), (false, "{}\n".to_owned()), "it is another");
    let sum =
        std::process::Command::new("sh").args(["-c", "cksum <\"$1\"", "sh"]).arg(&file).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    assert_eq!(configured(&at, sum.trim()), (true, new));
    assert!(file.is_symlink());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    let before = std::fs::read_to_string(folder.path().join("elsewhere.before-cloudpad")).unwrap();
    assert_eq!(before, "{}\n");
}
