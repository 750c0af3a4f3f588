//! `cloudpad hosts trust`: the keys of hosts that are not known yet, and of those that have changed.

use std::fs;

use crate::support::{Project, WEB};

/// A project whose hosts are all unknown, with a `known_hosts` of its own.
fn project(topic: &str) -> Project {
    let project = Project::new(topic);
    let config = fs::read_to_string(&project.lab.ssh_config).expect("the lab's ssh_config");
    let line = |line: &str| match line.trim_start().starts_with("UserKnownHostsFile") {
        true => format!("UserKnownHostsFile {}\n", project.path("ssh/known_hosts").display()),
        false => format!("{line}\n"),
    };
    let config: String = config.lines().map(line).collect();
    project.write("ssh_config", config);
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.h2]\naddress = \"h2\"\n";
    project.configure_all(&project.path("ssh_config"), hosts, WEB);
    project
}

fn known(project: &Project) -> String {
    fs::read_to_string(project.path("ssh/known_hosts")).unwrap_or_default()
}

/// What the host itself says of its key.
fn fingerprint(project: &Project, number: usize) -> String {
    let printed = project.lab.host(number).run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key");
    printed.split(' ').nth(1).expect("a fingerprint").to_owned()
}

#[test]
fn keys_are_shown_and_accepted_once() {
    let project = project("trust");
    project.run(&["hosts", "exec", "--", "true"]).expect(1).says("the host key of").says("is not known");
    let refused = project.run(&["hosts", "trust"]).expect(2).says("there is no terminal to ask on");
    let shown = refused.says(&fingerprint(&project, 1)).says(&fingerprint(&project, 2));
    assert_eq!(known(&project), "", "{}", shown.text());
    project.on_terminal(&["hosts", "trust", "h1"], "n\n").expect(2);
    project.on_terminal(&["hosts", "trust", "h1"], "y\n").expect(0).says("h1: its key is known from now on");
    assert_eq!(known(&project).lines().count(), 1);
    project.run(&["hosts", "exec", "--host", "h1", "--", "true"]).expect(0);
    project.run(&["hosts", "exec", "--host", "h2", "--", "true"]).expect(1);
    project
        .run(&["hosts", "trust", "--yes"])
        .expect(0)
        .says("h1: its key is known")
        .says("h2: its key is known");
    project.run(&["hosts", "exec", "--", "true"]).expect(0);
    assert_eq!(known(&project).lines().count(), 2);
    project.run(&["hosts", "trust", "h9"]).expect(2).says("no host matches `h9`").says("did you mean");
}

#[test]
fn a_changed_key_is_accepted_only_where_that_host_is_named() {
    let project = project("trustnew");
    project.run(&["hosts", "trust", "--yes"]).expect(0);
    let good = known(&project);
    let key = |number: usize| {
        let line = good.lines().nth(number).expect("a line");
        line.split(' ').nth(2).expect("a key").to_owned()
    };
    let bad = good.replace(&key(0), &key(1));
    project.write("ssh/known_hosts", &bad);
    let changed = good.lines().next().expect("a line").to_owned();
    let outcome = project.run(&["hosts", "trust", "--yes"]).expect(1);
    let outcome = outcome.says("its key has changed").says("somebody may be listening in").says("--replace");
    assert_eq!(known(&project), bad, "{}", outcome.text());
    project.run(&["hosts", "trust", "--yes", "--replace", "h9"]).expect(2).says("no host matches `h9`");
    for name in ["h1", "h2"] {
        project.run(&["hosts", "trust", "--yes", "--replace", name, name]).expect(0);
    }
    assert!(
        known(&project).contains(&changed) && known(&project).lines().count() == 2,
        "{}",
        known(&project)
    );
    project.run(&["hosts", "exec", "--", "true"]).expect(0);
}

#[test]
fn a_host_that_cannot_be_reached_is_told() {
    let project = project("trustgone");
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.gone]\naddress = \"root@127.0.0.1:1\"\n";
    project.configure_all(&project.path("ssh_config"), hosts, WEB);
    project
        .run(&["hosts", "trust", "--yes"])
        .expect(1)
        .says("gone: ")
        .says("h1: its key is known from now on");
}
