//! Local commands before and after a run: what they get, what their failure means, how they end.

use std::fs;

use serde_json::Value;

use crate::support::{Project, Running, ends};

const HOST: &str = "[hosts.h1]\naddress = \"h1\"\n";

/// A project with `web` on h1 and these hooks, which may write into `out`.
fn project(topic: &str, hooks: &str) -> Project {
    let project = Project::new(topic);
    configure(&project, hooks);
    project.write(".dockerignore", "out\n.env\nCloudpad.toml\n");
    project.write("out/made", "");
    project
}

fn configure(project: &Project, hooks: &str) {
    project.configure_hosts(HOST, &format!("{}[hooks]\n{hooks}", project.web()));
}

fn made(project: &Project, name: &str) -> String {
    fs::read_to_string(project.path(&format!("out/{name}"))).unwrap_or_default()
}

fn json(project: &Project, name: &str) -> Value {
    serde_json::from_str(&made(project, name)).expect("JSON")
}

/// The runs' journals, one after the other.
fn journals(project: &Project) -> String {
    let files = fs::read_dir(project.path(".cloudpad/journal")).expect("journals");
    files.map(|file| fs::read_to_string(file.expect("a file").path()).expect("text")).collect()
}

#[test]
fn hooks_run_before_and_after_with_the_plan_and_the_report() {
    let project = project(
        "hooks",
        "before_build = [\"echo build >> out/order\"]\n\
         before_deploy = [\"echo deploy >> out/order; cat > out/plan\", [\"sh\", \"-c\", \"env > out/env; pwd\"]]\n\
         after_deploy = [\"echo after >> out/order; cat > out/report\"]\n\
         after_failure = [\"echo failure >> out/order\"]\n",
    );
    let plan = project.run(&["plan"]).expect(0);
    for shown in [
        "before_build: echo build",
        "before_deploy: sh -c env > out/env; pwd",
        "only if it fails, after_failure: ",
    ] {
        let is_shown = plan.stdout.contains(shown) || plan.stdout.contains(&shown.replace("sh -c ", ""));
        assert!(is_shown, "no {shown} in {}", plan.text());
    }
    assert_eq!(made(&project, "order"), "", "a plan runs none");
    let outcome = project.run_with(&["deploy", "--yes", "--json"], &[("USER", "ann")]).expect(0);
    assert_eq!(made(&project, "order"), "build\ndeploy\nafter\n");
    let (plan, report) = (json(&project, "plan"), json(&project, "report"));
    assert_eq!((&plan["changes"][0]["kind"], &report["ending"]), (&"create".into(), &"done".into()));
    let env = made(&project, "env");
    let release = outcome.report()["release"].as_str().expect("a release").to_owned();
    for variable in [
        "CLOUDPAD_HOOK=before_deploy".to_owned(),
        "CLOUDPAD_COMMAND=deploy".to_owned(),
        format!("CLOUDPAD_PROJECT={}", project.name),
        format!("CLOUDPAD_RELEASE={release}"),
    ] {
        assert!(env.lines().any(|line| line == variable), "no {variable} in {env}");
    }
    assert!(env.lines().any(|line| line.starts_with("CLOUDPAD_USER=ann@")), "{env}");
    let folder = project.path(".").canonicalize().expect("a folder");
    let printed = |event: &Value| event["step"] == "output" && event["line"] == folder.display().to_string();
    assert!(outcome.events().iter().any(printed), "{}", outcome.text());
    assert!(journals(&project).contains("\"hook\":\"after_deploy\""));
    project.deploy();
    assert_eq!(made(&project, "order"), "build\ndeploy\nafter\n", "nothing to do is no deploy");
    project.page("two");
    project.run(&["build"]).expect(0);
    assert_eq!(made(&project, "order"), "build\ndeploy\nafter\nbuild\n");
}

#[test]
fn one_that_fails_before_keeps_all_from_being_done() {
    let project = project(
        "hookno",
        "before_deploy = [\"echo out of hours; exit 3\", \"echo second > out/second\"]\n\
         after_failure = [\"echo failure > out/failure\"]\n",
    );
    project
        .run(&["deploy", "--yes"])
        .expect(2)
        .says("before_deploy | out of hours")
        .says("hook `before_deploy`: `echo out of hours; exit 3` failed")
        .says("nothing was touched");
    assert_eq!(project.containers(1), []);
    assert_eq!((made(&project, "second"), made(&project, "failure")), (String::new(), String::new()));
    assert!(!journals(&project).contains("build.run"), "not even built");
}

#[test]
fn one_that_fails_after_a_deploy_is_told_and_the_deploy_stays() {
    let project = project("hooklate", "after_deploy = [\"exit 7\", \"echo second > out/second\"]\n");
    let outcome = project.run(&["deploy", "--yes", "--json"]).expect(1);
    assert_eq!(outcome.report()["ending"], "done");
    assert_eq!(outcome.report()["failed_hooks"][0]["hook"], "after_deploy");
    assert_eq!(made(&project, "second"), "second\n", "the others run all the same");
    assert_eq!(project.get(1), Ok((200, "one".into())));
    project.page("two");
    project.run(&["deploy", "--yes"]).expect(1).says("; hook `after_deploy` failed: exit 7");
    assert_eq!(project.get(1), Ok((200, "two".into())));
}

#[test]
fn a_failed_deploy_has_hooks_of_its_own() {
    let hooks = "after_deploy = [\"echo after > out/after\"]\nafter_failure = [\"cat > out/failure\"]\n";
    let project = project("hookfail", hooks);
    project.deploy();
    fs::remove_file(project.path("out/after")).expect("it has run");
    let broken = project.web().replace("http = \"/\"", "http = \"/nowhere\"");
    let quick = "[deploy]\nready_timeout = \"2s\"\n";
    project.page("two");
    project.configure_hosts(HOST, &format!("{broken}{quick}[hooks]\n{hooks}"));
    project.run(&["deploy", "--yes"]).expect(1);
    assert_eq!(json(&project, "failure")["ending"], "undone");
    assert_eq!(made(&project, "after"), "");
}

#[test]
fn what_takes_too_long_is_ended_with_its_children() {
    let project = project(
        "hookslow",
        "timeout = \"1s\"\nbefore_deploy = [\"sleep 1000 & echo $! > out/child; wait\"]\n",
    );
    project.run(&["deploy", "--yes"]).expect(2).says("was ended, since it took longer than 1.0 s");
    assert!(is_gone(&project));
    assert_eq!(project.containers(1), []);
}

#[test]
fn an_interrupt_ends_a_hook_with_its_children() {
    let hook = "[\"sleep 1000 & echo $! > out/child; echo begun; wait\"]\n";
    let project = project("hookint", &format!("before_deploy = {hook}"));
    let mut deploy = Running::start(&project, &["deploy", "--yes", "--json"]);
    deploy.until(&["\"output\"", "begun"]);
    deploy.signal("-INT");
    let (code, last) = deploy.end();
    assert_eq!(code, Some(130), "{last}");
    assert!(last.contains("stopped before anything was done"), "{last}");
    assert!(is_gone(&project));
    assert_eq!(project.containers(1), []);

    configure(&project, &format!("after_deploy = {hook}"));
    let mut deploy = Running::start(&project, &["deploy", "--yes", "--json"]);
    deploy.until(&["\"output\"", "begun"]);
    deploy.signal("-INT");
    let (code, last) = deploy.end();
    assert_eq!(code, Some(1), "the deploy itself is done: {last}");
    assert!(is_gone(&project));
    assert_eq!(project.get(1), Ok((200, "one".into())));
}

/// Whether the process whose number a hook has written comes to its end.
fn is_gone(project: &Project) -> bool {
    let child = made(project, "child");
    !child.is_empty() && ends(&child)
}

#[test]
fn what_a_hook_prints_of_a_secret_is_not_shown() {
    let project = project("hooksecret", "");
    let web = format!("{}secrets = [\"TOKEN\"]\n", project.web());
    project.write(".env", "TOKEN=s3cret-of-web\n");
    let hooks = "[hooks]\nbefore_deploy = [\"cat .env\"]\nafter_deploy = [\"cat .env >&2; exit 1\"]\n";
    project.configure_hosts(HOST, &(web + hooks));
    let outcome = project.run(&["deploy", "--yes"]).expect(1).says("before_deploy | TOKEN=***");
    assert!(!outcome.text().contains("s3cret-of-web"), "{}", outcome.text());
    let journals = journals(&project);
    assert!(journals.contains("TOKEN=***") && !journals.contains("s3cret-of-web"));
}

#[test]
fn a_hook_that_changes_what_is_built_is_told_where_that_belongs() {
    let project = project("hookbuild", "before_build = [\"echo new > www/new.html\"]\n");
    project
        .run(&["deploy", "--yes"])
        .expect(2)
        .says("image `web` is made from something else now than when it was looked at")
        .says("`prepare` of its source");
    assert_eq!(project.containers(1), []);
    project.deploy();
}
