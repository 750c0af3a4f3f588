//! `cloudpad hosts add`: one more host in `Cloudpad.toml`, whose comments and layout stay.

use std::fs;

use crate::support::{Project, WEB};

fn project(topic: &str) -> Project {
    let project = Project::new(topic);
    let rest = format!("{WEB}\n[environments.staging]\n");
    project.configure_hosts("# ours\n[hosts.h1]\naddress = \"h1\"   # the first\n", &rest);
    project
}

fn file(project: &Project) -> String {
    fs::read_to_string(project.path("Cloudpad.toml")).expect("the config")
}

#[test]
fn a_host_is_added_and_reached_and_all_else_stays() {
    let project = project("add");
    let before = file(&project);
    let outcome = project.run(&["hosts", "add", "h2", "h2", "--role", "web", "--label", "zone=a"]).expect(0);
    outcome.says("added `h2` to Cloudpad.toml").says("`h2` is reached: its engine is ");
    let added = "\n[hosts.h2]\naddress = \"h2\"\nroles = [\"web\"]\nlabels = { zone = \"a\" }\n";
    let after = file(&project);
    assert_eq!(after.replacen(added, "", 1), before);
    assert!(after.contains(&format!("# the first\n{added}")), "{after}");
    project.run(&["hosts", "exec", "--role", "web", "--", "true"]).expect(0);
    project.run(&["hosts", "add", "h3", "h3", "-e", "staging", "--offline"]).expect(0);
    assert!(
        file(&project).contains("\n[environments.staging.hosts.h3]\naddress = \"h3\"\n"),
        "{}",
        file(&project)
    );
    project.run(&["hosts", "exec", "-e", "staging", "--host", "h3", "--", "true"]).expect(0);
}

#[test]
fn what_could_not_be_in_the_file_is_not_written() {
    let project = project("addbad");
    let before = file(&project);
    project.run(&["hosts", "add", "h1", "h2"]).expect(2).says("there is a host `h1` already");
    project.run(&["hosts", "add", "h2", "h1"]).expect(2).says("Cloudpad.toml:");
    project.run(&["hosts", "add", "h2", "https://h2"]).expect(2).says("Cloudpad.toml:");
    project.run(&["hosts", "add", "h 2", "h2"]).expect(2).says("contains a space");
    project.run(&["hosts", "add", "h2", "h2", "--role", "a b"]).expect(2).says("contains a space");
    project.run(&["hosts", "add", "h2", "h2", "--label", "zone"]).expect(2).says("write `KEY=VALUE`");
    project.run(&["hosts", "add", "h2"]).expect(2).says("a host needs a name and an address");
    assert_eq!(file(&project), before);
}

#[test]
fn what_is_missing_is_asked_for_on_a_terminal() {
    let project = project("addtty");
    project.on_terminal(&["hosts", "add"], "h2\nh2\nweb, db\n").expect(0).says("`h2` is reached");
    assert!(
        file(&project).contains("[hosts.h2]\naddress = \"h2\"\nroles = [\"web\", \"db\"]\n"),
        "{}",
        file(&project)
    );
}

#[test]
fn one_that_cannot_be_reached_is_added_and_told() {
    let project = project("addgone");
    let outcome = project.run(&["hosts", "add", "gone", "root@127.0.0.1:1"]).expect(1);
    outcome.says("`gone` was added, and cannot be reached yet").says("cloudpad hosts trust gone");
    assert!(file(&project).contains("[hosts.gone]"), "{}", file(&project));
}
