//! What was done to hosts, as two operators see it who each have a checkout of the project.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Outcome, Project, Running};

/// Another operator's checkout of the project.
struct Checkout<'a> {
    project: &'a Project,
    folder: TempDir,
}

impl<'a> Checkout<'a> {
    fn of(project: &'a Project) -> Self {
        let checkout = Self { project, folder: tempfile::tempdir().expect("no temporary folder") };
        for file in ["Cloudpad.toml", "Dockerfile", "www/index.html"] {
            checkout.write(file, &std::fs::read_to_string(project.path(file)).expect("it is there"));
        }
        checkout
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.folder.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
        std::fs::write(file, text).expect("it can be written");
    }

    fn run(&self, args: &[&str]) -> Outcome {
        run(self.project, self.folder.path(), "bob", args)
    }
}

fn run(project: &Project, folder: &Path, user: &str, args: &[&str]) -> Outcome {
    let mut command = project.command(args);
    let output = command.current_dir(folder).env("USER", user).output().expect("cloudpad does not start");
    Outcome::of(&command, &output)
}

/// What a list tells: the command, the outcome and the operator of each run, newest first.
#[track_caller]
fn told(listed: &Outcome) -> Vec<String> {
    let rows: Vec<Value> = serde_json::from_str(&listed.stdout).expect("a list");
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let by = |row: &Value| match text(row, "by").split('@').next() {
        Some(name @ ("anna" | "bob")) => name.to_owned(),
        _ => "somebody".to_owned(),
    };
    rows.iter().map(|row| format!("{} {} {}", by(row), text(row, "command"), text(row, "outcome"))).collect()
}

const TWO: &str = "[hosts.h1]\naddress = \"h1\"\n[hosts.h2]\naddress = \"h2\"\n";

#[test]
fn what_others_did_is_known_from_hosts_and_what_failed_from_journals() {
    let project = Project::new("history");
    project.configure_hosts(TWO, &project.web());
    let anna = |args: &[&str]| run(&project, &project.path(""), "anna", args);
    let bob = Checkout::of(&project);
    assert_eq!(anna(&["history"]).expect(0).stdout.lines().count(), 1, "nothing was done yet");

    anna(&["deploy", "--yes"]).expect(0);
    bob.write("www/index.html", "two");
    bob.run(&["deploy", "--yes", "--host", "h2"]).expect(0);
    bob.run(&["deploy", "--yes", "--host", "h2"]).expect(0).says("nothing to do");
    anna(&["rollback", "--yes"]).expect(0);
    let broken = project.web() + "command = [\"false\"]\nrestart = \"no\"\n";
    project.configure_hosts(TWO, &broken);
    bob.write("Cloudpad.toml", &std::fs::read_to_string(project.path("Cloudpad.toml")).expect("it is there"));
    bob.run(&["deploy", "--yes"]).expect(1);
    // It waits for what never comes, so that it is still under way when it is looked at and killed.
    project.configure_hosts(TWO, &project.web().replace("http = \"/\"", "http = \"/nowhere\""));
    project.page("three");
    let mut killed = Running::start(&project, &["deploy", "--yes", "--json"]);
    killed.until(&["\"started\"", "\"apply\""]);
    assert_eq!(told(&anna(&["history", "--json", "-n", "1"]).expect(0)), ["somebody deploy under_way"]);
    killed.signal("-KILL");
    killed.end();

    let listed = anna(&["history", "--json"]).expect(0);
    let both = ["anna rollback done", "bob deploy done", "anna deploy done"];
    assert_eq!(told(&listed), [&["somebody deploy broken_off"], &both[..]].concat());
    assert_eq!(
        told(&bob.run(&["history", "--json"]).expect(0)),
        [&["bob deploy undone"], &both[..]].concat()
    );
    assert_eq!(told(&anna(&["history", "--json", "--service", "web", "--host", "h1"]).expect(0)).len(), 2);

    let table = anna(&["history"]).expect(0).stdout;
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("RUN") && lines[1].contains("broken off"), "{table}");
    let rows: Vec<Value> = serde_json::from_str(&listed.stdout).expect("a list");
    let id = |row: usize| rows[row]["run"].as_str().expect("an id");
    for (row, words) in [(1, "h2: started"), (2, "h2: it is remembered there"), (0, "nobody knows")] {
        let one = anna(&["history", id(row)]).expect(0).stdout;
        assert!(one.starts_with(id(row)) && one.contains(words), "{one}");
    }
    anna(&["history", "20200101T000000Z"]).expect(2).says("`20200101T000000Z`").says("`cloudpad history`");
}

#[test]
fn what_cannot_be_read_and_who_cannot_be_reached_are_told_and_the_rest_all_the_same() {
    let project = Project::new("histdead");
    let hosts = "[hosts.h1]\naddress = \"h1\"\n";
    project.configure_hosts(hosts, &project.web());
    project.deploy();
    project.write(".cloudpad/journal/20260101T000000Z-deploy.jsonl", "{\"event\":\"run\"\n{}\n");
    let listed = project.run(&["history", "--json"]).expect(0).says("20260101T000000Z-deploy.jsonl");
    let rows: Vec<Value> = serde_json::from_str(&listed.stdout).expect("a list");
    assert_eq!(rows.len(), 1, "{}", listed.text());
    let dead = "[hosts.dead]\naddress = \"127.0.0.250:2299\"\n";
    project.configure_hosts(&format!("{hosts}{dead}"), &project.web());
    let listed = project.run(&["history"]).expect(1).says("dead: ");
    assert!(listed.stdout.contains(rows[0]["run"].as_str().expect("an id")), "{}", listed.text());
    // Where no host can be reached, the journal is left.
    project.configure_hosts(dead, &project.web());
    let listed = project.run(&["history"]).expect(1);
    assert!(listed.stdout.contains(rows[0]["run"].as_str().expect("an id")), "{}", listed.text());
}
