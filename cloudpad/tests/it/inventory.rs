//! Hosts that a program of the project lists.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::{Outcome, Project, Running};

/// Writes the script `hosts` of a project.
pub fn script(project: &Project, text: &str) {
    project.write("hosts", format!("#!/bin/sh\n{text}\n"));
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(project.path("hosts"), mode).expect("it is executable");
}

/// A project whose hosts are listed by `./hosts ARGUMENTS`, with a service on those that this says.
fn project_on(topic: &str, arguments: &str, text: &str, whose: &str) -> Project {
    let project = Project::new(topic);
    script(&project, text);
    // Another list is no other image.
    project.write(".dockerignore", "hosts\n");
    let inventory = format!(
        "[stages.inventory]\nprovider = \"command\"\nconfig = {{ command = [\"./hosts\"{arguments}] }}\n"
    );
    project.configure_hosts("", &(inventory + &project.web() + whose));
    project
}

/// The same on those with role `web`.
pub fn project(topic: &str, arguments: &str, text: &str) -> Project {
    project_on(topic, arguments, text, "roles = [\"web\"]\n")
}

/// On which hosts a deploy has changed something, sorted.
pub fn changed(outcome: &Outcome) -> Vec<String> {
    let mut hosts: Vec<_> = outcome.changes().iter().map(|change| change["host"].to_string()).collect();
    hosts.sort();
    hosts
}

#[test]
fn a_program_lists_the_hosts_of_a_deploy() {
    let one = r#"echo '[{"name": "one", "address": "h1", "roles": ["web"], "labels": {"rack": 3}}]'"#;
    let project = project("invplain", "", one);
    let mut below = project.command(&["plan"]);
    let below = below.current_dir(project.path("www")).output().expect("cloudpad does not start");
    assert!(below.status.success(), "in a folder below the project's: {below:?}");
    assert_eq!(changed(&project.deploy()), ["\"one\""]);
    assert_eq!(project.get(1), Ok((200, "one".to_owned())));
    assert_eq!(project.run(&["deploy", "--yes", "--json"]).expect(0).report()["ending"], "nothing_to_do");
    let two = r#"{"hosts": {"one": {"address": "h1", "roles": ["web"]}, "two": {"address": "h2", "roles": ["web"]}}}"#;
    script(&project, &format!("echo '{two}'"));
    assert_eq!(changed(&project.deploy()), ["\"two\""]);
    assert_eq!(project.get(2), Ok((200, "one".to_owned())));
}

/// What a dynamic inventory for Ansible prints, but for the variables of hosts.
const GROUPS: &str = r#""site": {"children": ["web"], "vars": {"db_password": "hunter22"}},
    "web": {"hosts": ["one", "two"]}, "db": ["three"], "all": {"vars": {"ansible_port": 2222}}"#;

#[test]
fn what_ansible_would_be_told_lists_them_too() {
    let listed = format!(
        r#"[ "$*" = --list ] && echo '{{{GROUPS}, "_meta": {{"hostvars": {{
            "one": {{"ansible_host": "h1", "api_token": "hunter22"}}, "two": {{"ansible_host": "h2"}}}}}}}}'"#
    );
    let project = project("invgroups", ", \"--list\"", &listed);
    let outcome = project.deploy();
    assert_eq!(changed(&outcome), ["\"one\"", "\"two\""]);
    assert_eq!(project.get(1), Ok((200, "one".to_owned())));
    assert_eq!(project.get(2), Ok((200, "one".to_owned())));
    let asked = format!(
        r#"case "$1 $2" in
            --list*) echo '{{{GROUPS}}}';;
            "--host one") echo '{{"ansible_host": "h1"}}';;
            "--host two") echo '{{"ansible_host": "h2"}}';;
            *) echo '{{}}';;
        esac"#
    );
    script(&project, &asked);
    assert_eq!(project.run(&["deploy", "--yes", "--json"]).expect(0).report()["ending"], "nothing_to_do");
    let config = project.run(&["plan", "--json", "-v"]).expect(0);
    assert!(!(config.text() + &outcome.text()).contains("hunter22"), "{}", config.text());
    let mut grep = Command::new("grep");
    let found = grep.args(["-rl", "hunter22", "."]).current_dir(project.path(".")).output().expect("grep");
    assert_eq!(String::from_utf8_lossy(&found.stdout), "./hosts\n", "journals and caches");
}

#[test]
fn what_is_no_list_is_refused_before_anything_is_touched() {
    let project = project("invbad", "", "true");
    for (text, words) in [
        ("true", &["`./hosts` has printed no list of hosts: there is nothing"][..]),
        ("echo '{\"a\": '", &["`./hosts` has printed no list of hosts: EOF while parsing"]),
        (
            "echo '[{\"name\": \"one\", \"address\": \"h1\"}, {\"name\": \"two\"}, 3]'",
            &["cannot be used: host `two` has no `address`", "host 3 of the list is a number"],
        ),
        (
            "echo '{\"a b\": \"h1\", \"c\": \"h2:x\"}'",
            &["the inventory has listed host `a b`", "the inventory has listed host `c` with address `h2:x`"],
        ),
        (
            "echo '{\"web\": {\"children\": [\"db\"]}, \"db\": {\"children\": [\"web\"]}}'",
            &["groups are children of each other: `web` has `db` has `web`"],
        ),
        (
            "echo '[]'; echo 'token is wrong' >&2; exit 7",
            &["`./hosts` failed", "exit status: 7", "token is wrong"],
        ),
        ("echo '[]'", &["inventory `command` lists no host"]),
    ] {
        script(&project, text);
        let outcome = project.run(&["deploy", "--yes"]).expect(2);
        words.iter().fold(outcome, |outcome, words| outcome.says(words));
    }
    fs::remove_file(project.path("hosts")).expect("the script");
    let gone = project.run(&["plan"]).expect(2).says("could not run `./hosts`: there is no such program");
    gone.says("`[stages.inventory.config]` names it");
    project.configure_hosts("", &format!("[stages]\ninventory = \"command\"\n{}", project.web()));
    project.run(&["check"]).expect(2).says("`command` is missing: the program that prints hosts");
}

#[test]
fn what_the_program_says_to_people_is_shown_when_asked() {
    let project = project_on("invsays", "", "echo asking the cloud >&2; echo '{\"one\": \"h1\"}'", "");
    let quiet = project.run(&["plan"]).expect(0);
    assert!(!quiet.text().contains("asking the cloud"), "{}", quiet.text());
    project.run(&["plan", "-v"]).expect(0).says("./hosts | asking the cloud");
}

#[test]
fn one_interrupt_ends_a_slow_program() {
    let project = project("invslow", "", "echo $$ > pid; echo up >&2; sleep 300; touch late");
    let mut running = Running::start(&project, &["deploy", "--yes", "--json"]);
    running.until(&["\"up\""]);
    running.signal("-INT");
    let (code, last) = running.end();
    assert!(last.contains("stopped before anything was done"), "{last}");
    assert_eq!(code, Some(130));
    let pid = fs::read_to_string(project.path("pid")).expect("its number");
    let is_there = Path::new("/proc").join(pid.trim()).exists();
    assert!(!is_there && !project.path("late").exists(), "it runs on");
}
