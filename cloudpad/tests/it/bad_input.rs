//! Commands that are asked for what is not there: what is said, and that nothing is left out for it.

use std::io;
use std::process::Stdio;

use crate::support::{Outcome, Project};

const H1: &str = "[hosts.h1]\naddress = \"h1\"\n";
const DEAD: &str = "[hosts.dead]\naddress = \"127.0.0.250:2299\"\n";

/// Runs each command, and fails the test unless it ends with this code and says all of these words.
#[track_caller]
fn each(project: &Project, commands: &[&str], code: i32, words: &[&str]) {
    for command in commands {
        let outcome = project.run(&command.split(' ').collect::<Vec<_>>()).expect(code);
        for word in words {
            assert!(outcome.stderr.contains(word), "no `{word}` in:\n{}", outcome.text());
        }
    }
}

#[test]
fn what_is_mistyped_is_told_by_each_command_with_what_there_is() {
    let project = Project::new("mistyped");
    project.configure_hosts(H1, &project.web());
    project.deploy();
    let services = [
        "logs wbe",
        "exec wbe -- true",
        "run wbe -- true",
        "restart wbe",
        "stop wbe",
        "start wbe",
        "ps --service wbe",
        "releases --service wbe",
        "history --service wbe",
        "plan --service wbe",
        "rollback --yes --service wbe",
        "prune --yes --service wbe",
        "maintenance on --service wbe",
        "deploy --yes --service wbe",
    ];
    each(&project, &services, 2, &["`wbe`", "`web`"]);
    let hosts = [
        "logs --host h9",
        "exec --host h9 web -- true",
        "run --host h9 web -- true",
        "ps --host h9",
        "releases --host h9",
        "history --host h9",
        "rollback --yes --host h9",
        "prune --yes --host h9",
        "maintenance on --host h9",
        "hosts ls --host h9",
        "hosts exec --host h9 -- true",
        "hosts ssh h9",
        "hosts trust h9",
        "hosts rm --yes h9",
    ];
    each(&project, &hosts, 2, &["no host matches `h9`", "`h1`"]);
    // Nothing was stopped, locked or undone on the way.
    assert_eq!(project.get(1), Ok((200, "one".into())));
}

#[test]
fn a_host_that_cannot_be_reached_is_told_and_what_others_say_all_the_same() {
    let project = Project::new("unreached");
    project.configure_hosts(H1, &project.web());
    project.deploy();
    let web = project.web() + "hosts = [\"h1\"]\n";
    project.configure_hosts(&format!("{H1}{DEAD}"), &web);
    let lists = ["ps", "releases", "history", "hosts ls", "logs", "hosts exec -- true"];
    each(&project, &lists, 1, &["dead: could not connect to `127.0.0.250:2299`"]);
    for command in ["ps", "releases", "history", "hosts ls"] {
        let listed = project.run(&command.split(' ').collect::<Vec<_>>());
        assert!(listed.stdout.contains("web") || listed.stdout.contains("h1"), "{}", listed.text());
    }
    // What is done on hosts where it can be is done, and who was left out is told.
    each(&project, &["exec web -- true", "run web -- true", "prune --yes"], 0, &["dead"]);
    each(&project, &["lock"], 2, &["dead"]);
    each(&project, &["hosts trust dead", "maintenance on"], 1, &["dead"]);
}

#[test]
fn a_container_that_is_stopped_is_told_with_what_starts_it() {
    let project = Project::new("stopped");
    project.configure_hosts(H1, &project.web());
    project.deploy();
    project.lab.host(1).run(&format!("docker stop {}", project.running(1)[0].name));
    each(
        &project,
        &["exec web -- true", "restart web"],
        2,
        &["web.1 on h1 is stopped", "`cloudpad start web` starts it"],
    );
    each(&project, &["exec web.7 -- true"], 2, &["`web.7`", "`cloudpad ps`"]);
    each(&project, &["logs web", "run web -- true", "stop web", "releases"], 0, &[]);
    project.run(&["ps"]).expect(0).says("web.1 on h1");
    each(&project, &["start web --yes"], 0, &[]);
    assert_eq!(project.get(1), Ok((200, "one".into())));
}

#[test]
fn whoever_has_closed_the_pipe_wants_no_more_and_no_terminal_is_none_to_ask_on() {
    let project = Project::new("closed");
    project.configure_hosts(H1, &project.web());
    project.deploy();
    for command in [
        "logs",
        "ps",
        "releases",
        "history",
        "hosts ls",
        "hosts exec -- echo x",
        "config",
        "plan",
        "secrets ls",
        "exec web -- echo x",
    ] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let mut program = project.command(&command.split(' ').collect::<Vec<_>>());
        let output = program.stdout(writer).stderr(Stdio::piped()).output().expect("cloudpad does not start");
        Outcome::of(&program, &output).expect(0);
    }
    project.page("two");
    each(&project, &["deploy"], 2, &["there is no terminal to ask on", "`--yes`"]);
    each(&project, &["hosts add"], 2, &["a name and an address"]);
    each(&project, &["secrets set token", "secrets edit"], 2, &["error: "]);
    assert_eq!(project.get(1), Ok((200, "one".into())));
}
