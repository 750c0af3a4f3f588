//! Secrets: they reach the containers that name them, and nothing else.

use std::fs;
use std::path::Path;

use crate::support::{Outcome, Project};

const FIRST: &str = "first-s3cret value";
const SECOND: &str = "second-s3cret value";

/// A project on h1 whose service has a secret, and `.env` with its value.
fn project(topic: &str, more: &str) -> Project {
    let project = Project::new(topic);
    let web = project.web() + "secrets = { TOKEN = \"token\" }\n" + more;
    project.configure_hosts("[hosts.h1]\naddress = \"h1\"\n", &web);
    set(&project, FIRST);
    // What is looked for in all files below is in this one, which is no part of the image either.
    project.write(".dockerignore", ".env\n");
    project
}

fn set(project: &Project, value: &str) {
    project.write(".env", format!("token='{value}'\n"));
}

/// The files below a folder that hold this text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text)) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

#[track_caller]
fn hides(outcome: &Outcome, value: &str) {
    assert!(!outcome.text().contains(value), "{}", outcome.text());
}

#[test]
fn a_secret_reaches_its_containers_and_nothing_else() {
    let project = project("secret", "");
    let mut below = project.command(&["deploy", "--yes"]);
    let below = below.current_dir(project.path("www")).output().expect("cloudpad does not start");
    assert!(below.status.success(), "in a folder below the project's: {below:?}");
    let outcome = project.deploy();
    hides(&outcome, FIRST);
    hides(&project.run(&["plan", "--json"]).expect(0), FIRST);
    hides(&project.run(&["config"]).expect(0), FIRST);
    let running = project.running(1).remove(0);
    assert!(running.env.contains(&format!("TOKEN={FIRST}")), "{:?}", running.env);
    let host = project.lab.host(1);
    let labels = host.run(&format!("docker inspect --format '{{{{json .Config.Labels}}}}' {}", running.id));
    assert!(labels.contains("\\\"name\\\":\\\"token\\\"") && !labels.contains(FIRST), "{labels}");
    let history = host.run(&format!("docker history --no-trunc {}", running.image));
    assert!(!history.contains(FIRST), "{history}");
    // In brackets, so that the search does not find itself.
    let arguments = host.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c '[f]irst-s3cret' || :");
    assert_eq!(arguments, "0", "processes with the value among their arguments");
    assert_eq!(files_with(&project.path("."), FIRST), [".env"], "journals and caches");
}

#[test]
fn another_value_is_an_update_and_the_same_is_none() {
    let project = project("secretval", "");
    project.deploy();
    let before = project.running(1);
    assert!(project.deploy().changes().is_empty());
    assert_eq!(project.running(1), before);
    set(&project, SECOND);
    let plan = project.run(&["plan", "--out", ".cloudpad/plan.json"]).expect(0);
    assert!(plan.stdout.contains("(secrets.TOKEN)"), "{}", plan.text());
    hides(&plan, SECOND);
    set(&project, "third-s3cret value");
    project
        .run(&["deploy", "--plan", ".cloudpad/plan.json", "--yes"])
        .expect(2)
        .says("secret `token` has another value now");
    assert_eq!(project.running(1), before);
    set(&project, SECOND);
    project.run(&["deploy", "--plan", ".cloudpad/plan.json", "--yes"]).expect(0);
    let after = project.running(1).remove(0);
    assert!(after.env.contains(&format!("TOKEN={SECOND}")), "{:?}", after.env);
}

#[test]
fn a_secret_that_nobody_knows_is_named_before_anything_is_touched() {
    let project = project("nosecret", "");
    project.write(".env", "other=1\n");
    project
        .run(&["deploy", "--yes"])
        .expect(2)
        .says("the secrets provider `env` knows no secret `token`")
        .says("Cloudpad.toml:")
        .says("add it to `.env`");
    assert_eq!(project.containers(1), []);
    project.run(&["push"]).expect(0);
}

#[test]
fn what_a_container_says_of_its_secret_is_not_shown() {
    let project = project("secretlog", "command = \"echo the token is $TOKEN; exit 1\"\n");
    let outcome = project.run(&["deploy", "--yes"]).expect(1).says("the token is ***");
    hides(&outcome, FIRST);
    assert_eq!(files_with(&project.path("."), FIRST), [".env"], "journals and caches");
}

#[test]
fn any_command_can_know_secrets() {
    let project = project("secretcmd", "");
    let config = fs::read_to_string(project.path("Cloudpad.toml")).expect("the config");
    let stage =
        "[stages.secrets]\nprovider = \"command\"\nconfig = { command = [\"./vault\", \"{name}\"] }\n";
    project.write("Cloudpad.toml", config + stage);
    project.write("vault", "#!/bin/sh\necho \"$1 of the vault\"\n");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(project.path("vault"), executable).expect("permissions");
    project.deploy();
    let running = project.running(1).remove(0);
    assert!(running.env.contains(&"TOKEN=token of the vault".to_owned()), "{:?}", running.env);
}

#[test]
fn an_update_to_a_value_with_which_nothing_works_is_undone() {
    let project = project("secretundo", "command = \"test \\\"$TOKEN\\\" = '");
    // The rest of the command: only the first value is good. Without a check by us, containers are made by name first.
    let config = fs::read_to_string(project.path("Cloudpad.toml")).expect("the config");
    let good = format!("{FIRST}' && exec httpd -f -p 8080 -h /www\"\n");
    let unasked = config.lines().filter(|line| !line.starts_with("health")).collect::<Vec<_>>().join("\n");
    project.write("Cloudpad.toml", unasked + &good);
    project.deploy();
    let before = project.running(1);
    set(&project, SECOND);
    project.run(&["deploy", "--yes"]).expect(1);
    let after = project.running(1);
    assert_eq!(after[0].id, before[0].id, "the container with the first value is started again");
    assert_eq!(project.get(1), Ok((200, "one".into())));
}
