//! `cloudpad hosts rm`: hosts leave `Cloudpad.toml`, and the project leaves them before.

use std::fs;

use crate::support::{Project, WEB};

const HOSTS: &str = "# ours\n[hosts.h1]\naddress = \"h1\"   # the first\n\n# to be given back\n[hosts.h2]\naddress = \"h2\"\n";

fn project(topic: &str, rest: &str) -> Project {
    let project = Project::new(topic);
    project.configure_hosts(HOSTS, &(project.web() + rest));
    project
}

fn file(project: &Project) -> String {
    fs::read_to_string(project.path("Cloudpad.toml")).expect("the config")
}

/// What is refused, with these words, leaves the file and what runs as they are.
#[track_caller]
fn refused(project: &Project, args: &str, words: &[&str]) {
    let before = (file(project), project.all_containers());
    let args: Vec<&str> = ["hosts", "rm"].into_iter().chain(args.split(' ')).collect();
    let outcome = project.run(&args).expect(2);
    for words in words {
        assert!(outcome.stderr.contains(words), "no `{words}` in:\n{}", outcome.text());
    }
    assert_eq!((file(project), project.all_containers()), before);
}

#[test]
fn a_host_leaves_the_file_once_nothing_of_the_project_is_there() {
    let project = project("rmhost", "");
    let before = file(&project);
    project.deploy();
    refused(&project, "h2", &["web.1 remove", "`--yes`"]);
    let outcome = project.run(&["hosts", "rm", "h2", "--yes"]).expect(0);
    outcome.says("took `h2` out of Cloudpad.toml");
    let gone = "\n# to be given back\n[hosts.h2]\naddress = \"h2\"\n";
    assert_eq!(file(&project), before.replacen(gone, "", 1));
    assert!(project.containers(2).is_empty());
    assert_eq!(project.get(1), Ok((200, "one".to_owned())));
    let plan = project.run(&["plan", "--exit-code"]).expect(0);
    assert!(!plan.text().contains("`h2`"), "{}", plan.text());
    assert!(project.run(&["history"]).expect(0).stdout.contains("remove"));
}

#[test]
fn a_host_that_is_gone_for_ever_leaves_the_file_alone() {
    let project = Project::new("rmdead");
    let dead = "[hosts.dead]\naddress = \"127.0.0.250:2299\"\n";
    project.configure_hosts(&format!("[hosts.h1]\naddress = \"h1\"\n{dead}"), WEB);
    let before = file(&project);
    refused(&project, "dead --yes", &["host `dead` cannot be looked at", "`--keep`"]);
    let outcome = project.run(&["hosts", "rm", "dead", "--keep"]).expect(0);
    let outcome = outcome.says("took `dead` out");
    assert!(!outcome.text().contains("no host is left"), "{}", outcome.text());
    assert_eq!(file(&project), before.replacen(dead, "", 1));
    let outcome = project.run(&["hosts", "rm", "h1", "--keep"]).expect(0);
    outcome.says("no host is left then: the project means the engine of this machine");
}

#[test]
fn a_host_that_an_inventory_lists_is_not_the_files_to_remove() {
    let project = project("rmlisted", "");
    project.run(&["plugin", "new", "list", "--stage", "inventory", "--lang", "python"]).expect(0);
    let inventory = "[plugins.list-inventory]\npath = \"cloudpad-list-inventory/cloudpad-list-inventory\"\n\
                     [stages.inventory]\nprovider = \"list\"\n\
                     config = { hosts = [{ name = \"h3\", address = \"h3\" }] }\n";
    project.write("Cloudpad.toml", file(&project) + inventory);
    let words = ["host `h3` is not in the file: the inventory lists it", "`cloudpad remove --host h3`"];
    refused(&project, "h3 --yes", &words);
    refused(&project, "h3 --keep", &words);
}

#[test]
fn what_cannot_leave_is_refused_before_anything_is_touched() {
    let project = project("rmbad", "hosts = [\"h1\", \"h2\"]\n[environments.staging]\n");
    refused(&project, "h9 h2 --yes", &["no host matches `h9`", "`h1`"]);
    refused(&project, "h2 --yes", &["the file cannot do without `h2`: there is no host `h2`"]);
    let web = project.web();
    project.configure_hosts(&format!("{HOSTS}roles = [\"db\"]\n"), &format!("{web}roles = [\"db\"]\n"));
    refused(&project, "h2 --yes", &["the file cannot do without `h2`: no host has ", "`db`"]);
    let staging = "[environments.staging.hosts.h3]\naddress = \"h3\"\n";
    project.configure_hosts(HOSTS, &format!("{web}protected = true\n[environments.staging]\n\n{staging}"));
    project.deploy();
    refused(
        &project,
        "h2 --yes",
        &["is protected, and would stay", "`cloudpad remove --service web --host h2`"],
    );
    refused(&project, "h2 --yes -e staging", &["host `h2` is one of every environment"]);
    fs::create_dir(project.path("Cloudpad.toml.partial")).expect("a folder in the way");
    refused(&project, "h2 --keep", &["cannot write `"]);
    fs::remove_dir(project.path("Cloudpad.toml.partial")).expect("the folder");
    let before = file(&project);
    project.run(&["hosts", "rm", "h3", "--yes", "-e", "staging"]).expect(0).says("took `h3` out");
    assert_eq!(file(&project), before.replacen(&format!("{staging}\n"), "", 1));
}

#[test]
fn a_host_of_all_environments_is_left_by_all_of_them() {
    let project = Project::new("rmenv");
    let other = format!("[environments.staging.services.web]\nports = [\"{}:8080\"]\n", project.port + 1);
    project.configure_hosts(HOSTS, &(project.web() + &other));
    project.deploy();
    project.run(&["deploy", "--yes", "-e", "staging"]).expect(0);
    assert_eq!(project.running(2).len(), 2);
    // All is shown before anything is asked or done.
    refused(&project, "h2", &["` without an environment:", "` in environment `staging`:", "`--yes`"]);
    project.run(&["hosts", "rm", "h2", "--yes"]).expect(0);
    assert!(project.containers(2).is_empty() && project.running(1).len() == 2);
}

#[test]
fn what_one_environment_refuses_leaves_all_of_them_as_they_are() {
    let project = Project::new("rmheld");
    let port = project.port + 1;
    let held = format!("[environments.staging.services.web]\nports = [\"{port}:8080\"]\nprotected = true\n");
    project.configure_hosts(HOSTS, &(project.web() + &held));
    project.deploy();
    project.run(&["deploy", "--yes", "-e", "staging"]).expect(0);
    let hint = "`cloudpad remove -e staging --service web --host h2` removes it";
    refused(&project, "h2 --yes", &["is protected, and would stay there", hint]);
    assert_eq!(project.running(2).len(), 2);
}

#[test]
fn what_an_environment_says_of_a_host_of_all_goes_with_it() {
    let project = Project::new("rmover");
    let (first, second) = HOSTS.split_once("\n\n").expect("two");
    let staging = "\n[environments.staging.hosts.h2]\nlabels = { rack = \"9\" }\n";
    project.configure_hosts(
        &format!("{first}\n\n{second}"),
        &(project.web() + "\n[environments.staging]\n" + staging),
    );
    let before = file(&project);
    project.run(&["hosts", "rm", "h2", "--yes"]).expect(0);
    let after = before.replacen(&format!("\n{second}"), "", 1).replacen(staging, "", 1);
    assert_eq!(file(&project), after);
}
