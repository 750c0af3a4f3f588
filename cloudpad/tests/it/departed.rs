//! Hosts that are in the config no more: `plan` and `deploy` tell of what they leave there, until it is settled.

use std::fs;

use crate::support::{Outcome, Project};

const ALL: [&str; 3] = ["h1=h1", "h2=h2", "h3=h3"];
const LEFT: &str = "`h3` left the project's hosts after release ";

fn configure(project: &Project, hosts: &[&str]) {
    let hosts = hosts.iter().filter_map(|host| host.split_once('='));
    let hosts: String =
        hosts.map(|(name, address)| format!("[hosts.{name}]\naddress = \"{address}\"\n")).collect();
    project.configure_hosts(&hosts, &project.web());
}

fn plan(project: &Project) -> Outcome {
    project.run(&["plan"]).expect(0)
}

#[track_caller]
fn says(outcome: &Outcome, words: &str) {
    assert!(outcome.text().contains(words), "no `{words}` in:\n{}", outcome.text());
}

#[track_caller]
fn is_silent(outcome: &Outcome) {
    assert!(!outcome.text().contains("left the project's hosts"), "{}", outcome.text());
}

#[test]
fn a_host_that_is_taken_out_is_told_by_whom_ever_until_the_next_release() {
    let project = Project::new("departed");
    configure(&project, &ALL);
    project.deploy();
    is_silent(&plan(&project));
    configure(&project, &ALL[..2]);
    says(&plan(&project), LEFT);
    says(&plan(&project), "put the host back and run `cloudpad remove --host h3`");
    // Who has none of the journals knows it from the other hosts.
    fs::remove_dir_all(project.path(".cloudpad")).expect("the state");
    says(&plan(&project), LEFT);
    is_silent(&project.run(&["plan", "--host", "h1"]).expect(0));
    configure(&project, &["h1=h1", "h2=h2", "renamed=h3"]);
    is_silent(&plan(&project));
    configure(&project, &ALL[..2]);
    project.page("two");
    says(&project.run(&["deploy", "--yes"]).expect(0), LEFT);
    is_silent(&plan(&project));
    assert_eq!(project.get(3), Ok((200, "one".to_owned())), "it is not touched");
}

#[test]
fn a_host_from_which_the_project_was_removed_is_not_told() {
    let project = Project::new("departed2");
    configure(&project, &ALL);
    project.deploy();
    project.run(&["remove", "--yes", "--host", "h3"]).expect(0);
    configure(&project, &ALL[..2]);
    is_silent(&plan(&project));
}

#[test]
fn one_that_nobody_else_remembers_is_told_by_the_journal() {
    let project = Project::new("departed3");
    configure(&project, &ALL[2..]);
    project.deploy();
    configure(&project, &ALL[..1]);
    says(&plan(&project), LEFT);
    project.deploy();
    is_silent(&plan(&project));
}
