//! Jobs of a deploy: before it, after it, and when they fail or the program is killed meanwhile.

use serde_json::Value;

use crate::support::{Container, Project, Running};

const HOST: &str = "[hosts.h1]\naddress = \"h1\"\n";

/// A project with `web` on h1 and these jobs, which share the volume `log`.
fn project(topic: &str, jobs: &str) -> Project {
    let project = Project::new(topic);
    configure(&project, jobs);
    project
}

fn configure(project: &Project, jobs: &str) {
    project.configure_hosts(HOST, &(project.web() + jobs));
}

/// A job that runs this line of a shell.
fn job(name: &str, when: &str, line: &str) -> String {
    format!(
        "[jobs.{name}]\nservice = \"web\"\nwhen = \"{when}\"\ncommand = '{line}'\nvolumes = [\"log:/log:shared\"]\n"
    )
}

/// What a shell prints in the volume `log` on a host.
fn in_log(project: &Project, host: usize, script: &str) -> String {
    let log = format!("$(docker volume inspect --format '{{{{.Mountpoint}}}}' {}.log)", project.name);
    project.lab.host(host).run(&format!("cd {log} && {script}"))
}

/// The one-off containers on h1, by name.
fn one_offs(project: &Project) -> String {
    let filter = format!("label=cloudpad.project={}", project.name);
    let script =
        format!("docker ps -a --filter {filter} --filter label=cloudpad.one-off --format '{{{{.Names}}}}'");
    project.lab.host(1).run(&script)
}

/// What must not change: the instances, and whether they run.
fn instances(project: &Project) -> Vec<(String, bool, String)> {
    let all = project.containers(1).into_iter().filter(|c: &Container| c.instance != ".");
    all.map(|c| (c.id, c.running, c.started)).collect()
}

/// Where in the events an action of this method begins or ends.
fn at(events: &[Value], kind: &str, method: &str) -> usize {
    let is_it =
        |event: &Value| event["event"] == kind && event["method"] == method && event["phase"] == "apply";
    events.iter().position(is_it).unwrap_or_else(|| panic!("no {kind} of {method}"))
}

#[test]
fn jobs_run_before_and_after_and_leave_nothing() {
    let jobs = job("migrate", "before", "echo migrate >> /log/ran; echo 3 migrations")
        + &job("warm", "after", "echo warm >> /log/ran")
        + &job("console", "manual", "echo console >> /log/ran");
    let project = project("jobs", &jobs);
    let plan = project.run(&["plan"]).expect(0);
    assert!(plan.stdout.contains("  run migrate on h1\n") && plan.stdout.contains("  then run warm on h1\n"));
    let outcome = project.deploy();
    assert_eq!(in_log(&project, 1, "cat ran"), "migrate\nwarm");
    let events = outcome.events();
    assert!(at(&events, "done", "deploy.run") < at(&events, "started", "deploy.start"));
    let warm = |event: &Value| event["event"] == "started" && event["object"].to_string().contains(".warm.");
    let warm = events.iter().position(warm).expect("it runs");
    assert!(at(&events, "done", "deploy.ready") < warm);
    assert!(outcome.stdout.contains("\"line\":\"3 migrations\""), "{}", outcome.text());
    assert_eq!(one_offs(&project), "");
    project
        .run(&["logs", "migrate"])
        .expect(2)
        .says("it goes when the deploy is done")
        .says(".cloudpad/journal");
    let again = project.deploy();
    assert!(again.done().is_empty(), "{}", again.text());
    project.page("two");
    project.run(&["deploy", "--yes", "-v"]).expect(0).says("3 migrations");
    assert_eq!(in_log(&project, 1, "cat ran"), "migrate\nwarm\nmigrate\nwarm");
}

#[test]
fn one_that_fails_before_changes_nothing_and_shows_what_it_said() {
    let project = project("jobno", "");
    project.deploy();
    let before = instances(&project);
    project.page("two");
    configure(&project, &job("migrate", "before", "echo begun; echo no such table >&2; exit 3"));
    let outcome = project.run(&["deploy", "--yes", "--json"]).expect(1);
    assert_eq!(outcome.report()["ending"], "failed");
    assert!(!outcome.done().iter().any(|method| method == "deploy.start"), "{}", outcome.text());
    outcome
        .says("job `migrate` has ended with exit code 3")
        .says("no such table")
        .says("nothing that waits for it was touched");
    assert_eq!(instances(&project), before);
    assert_eq!(project.get(1), Ok((200, "one".into())));
    configure(&project, &job("migrate", "before", "echo fine"));
    project.deploy();
    assert_eq!(project.get(1), Ok((200, "two".into())));
    assert_eq!(one_offs(&project), "", "the one that failed is gone, too");
    // So are all its images, also those of a job that is there yet.
    configure(&project, &job("migrate", "before", "exit 3"));
    project.page("three");
    project.run(&["deploy", "--yes"]).expect(1);
    project.run(&["remove", "--yes"]).expect(0);
    let images = format!(
        "docker images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' | grep '^{}[.]' || :",
        project.name
    );
    assert_eq!(project.lab.host(1).run(&images), "");
}

#[test]
fn one_that_takes_too_long_is_stopped_and_changes_nothing() {
    let slow = job("migrate", "before", "trap exit TERM; echo begun; sleep 600 & wait");
    let project = project("jobslow", &(slow + "timeout = \"2s\"\n"));
    project
        .run(&["deploy", "--yes"])
        .expect(1)
        .says("job `migrate` was stopped, since it took longer than 2.0 s")
        .says("begun");
    assert_eq!((instances(&project), one_offs(&project)), (vec![], String::new()));
}

#[test]
fn one_that_fails_afterwards_is_told_and_nothing_is_taken_back() {
    let project = project("joblate", &job("warm", "after", "echo cold; exit 4"));
    let outcome = project
        .run(&["deploy", "--yes"])
        .expect(1)
        .says("job `warm` has ended with exit code 4")
        .says("what was deployed stays");
    assert!(!outcome.stderr.contains("taking back"), "{}", outcome.text());
    assert_eq!(project.get(1), Ok((200, "one".into())));
    assert_eq!(project.run(&["logs", "warm"]).expect(0).stdout, "warm@h1 | cold\n");
    project.run(&["deploy", "--yes"]).expect(1).says("with exit code 4, and is run again");
    configure(&project, &job("warm", "after", "echo fine"));
    project.run(&["plan", "--exit-code"]).expect(3);
    assert_eq!(project.deploy().done().iter().filter(|method| *method == "deploy.run").count(), 1);
    assert_eq!(one_offs(&project), "");
    project.run(&["plan", "--exit-code"]).expect(0);
}

#[test]
fn what_a_job_has_done_is_not_taken_back_nor_done_again_when_a_deploy_fails() {
    let migrate = job("migrate", "before", "echo ran >> /log/ran");
    let project = project("jobundo", "");
    project.deploy();
    let before = instances(&project);
    let broken = project.web().replace("http = \"/\"", "http = \"/nowhere\"") + &migrate;
    project.page("two");
    project.configure_hosts(HOST, &(broken + "[deploy]\nready_timeout = \"2s\"\n"));
    let outcome = project.run(&["deploy", "--yes"]).expect(1).says("has been taken back");
    outcome.says("job `migrate` has run, and what it did is not taken back");
    let ids = |all: &[(String, bool, String)]| -> Vec<_> { all.iter().map(|c| (c.0.clone(), c.1)).collect() };
    assert_eq!(ids(&instances(&project)), ids(&before));
    configure(&project, &migrate);
    project.run(&["deploy", "--yes"]).expect(0).says("has done its work on `h1`, and is not run again");
    assert_eq!(in_log(&project, 1, "cat ran"), "ran");
    assert_eq!((one_offs(&project), project.get(1)), (String::new(), Ok((200, "two".into()))));
}

/// A job that waits until somebody says so.
const PATIENT: &str = "echo begun; while ! test -e /log/go; do sleep 0.1; done; echo ran >> /log/ran";

#[test]
fn when_the_program_is_killed_the_next_deploy_waits_for_the_job_that_runs() {
    let project = project("jobkill", &job("migrate", "before", PATIENT));
    let mut deploy = Running::start(&project, &["deploy", "--yes", "--json"]);
    deploy.until(&["\"output\"", "begun"]);
    deploy.signal("-KILL");
    deploy.end();
    assert_eq!(instances(&project), []);
    let mut next = Running::start(&project, &["deploy", "--yes", "--json"]);
    next.until(&["\"plan\"", "still runs on `h1`, and is waited for"]);
    next.until(&["\"started\"", "deploy.run"]);
    in_log(&project, 1, "touch go");
    let (code, last) = next.end();
    assert_eq!(code, Some(0), "{last}");
    assert_eq!(in_log(&project, 1, "cat ran"), "ran", "once");
    assert_eq!(one_offs(&project), "");
    assert_eq!(project.get(1), Ok((200, "one".into())));
}

#[test]
fn when_the_program_is_killed_a_job_that_has_ended_is_not_run_again() {
    let project = project("jobkilled", &job("migrate", "before", PATIENT));
    let mut deploy = Running::start(&project, &["deploy", "--yes", "--json"]);
    deploy.until(&["\"output\"", "begun"]);
    deploy.signal("-KILL");
    deploy.end();
    in_log(&project, 1, "touch go");
    let container = one_offs(&project);
    project.lab.host(1).run(&format!("docker wait {container}"));
    // Another deploy of the same, by another name.
    let outcome = project.run(&["deploy", "--yes"]).expect(0);
    outcome.says("has done its work on `h1`, and is not run again");
    assert_eq!(in_log(&project, 1, "cat ran"), "ran", "once");
    assert_eq!(project.get(1), Ok((200, "one".into())));
}

#[test]
fn another_version_does_not_run_its_job_beside_one_that_runs() {
    let project = project("jobbeside", &job("migrate", "before", PATIENT));
    let mut deploy = Running::start(&project, &["deploy", "--yes", "--json"]);
    deploy.until(&["\"output\"", "begun"]);
    deploy.signal("-KILL");
    deploy.end();
    project.page("two");
    let outcome = project.run(&["deploy", "--yes"]).expect(2).says("still runs on `h1`");
    outcome.says(&format!("or end it: `cloudpad prune {}`", one_offs(&project)));
    in_log(&project, 1, "touch go");
    project.lab.host(1).run(&format!("docker wait {}", one_offs(&project)));
    project.deploy();
    assert_eq!(in_log(&project, 1, "cat ran"), "ran\nran", "each version once");
}

#[test]
fn after_an_interrupt_the_job_ends_and_nothing_is_begun() {
    let project = project("jobint", &job("migrate", "before", PATIENT));
    let mut deploy = Running::start(&project, &["deploy", "--yes", "--json"]);
    deploy.until(&["\"output\"", "begun"]);
    deploy.signal("-INT");
    in_log(&project, 1, "touch go");
    let (code, last) = deploy.end();
    assert_eq!(code, Some(130), "{last}");
    assert_eq!(in_log(&project, 1, "cat ran"), "ran");
    assert_eq!(instances(&project), []);
    project.run(&["deploy", "--yes"]).expect(0).says("is not run again");
}

#[test]
fn a_job_that_is_to_run_on_each_host_does() {
    let project = Project::new("jobeach");
    project.configure(
        &(project.web() + &job("prepare", "before", "echo prepared >> /log/ran") + "run = \"per-host\"\n"),
    );
    project.deploy();
    for host in 1..=3 {
        assert_eq!(in_log(&project, host, "cat ran"), "prepared");
    }
}

#[test]
fn a_secret_reaches_the_job_and_nothing_else() {
    let failing = job("migrate", "before", "echo it is $TOKEN; exit 5");
    let project = project("jobsecret", &(failing + "secrets = [\"TOKEN\"]\n"));
    project.write(".env", "TOKEN=s3cret-of-job\n");
    project.write(".dockerignore", ".env\nCloudpad.toml\n");
    let plan = project.run(&["plan", "--json"]).expect(0);
    // That it is masked says that the job had it.
    let outcome = project.run(&["deploy", "--yes", "--json"]).expect(1).says("it is ***");
    let inspect = format!("docker inspect --format '{{{{json .Config.Labels}}}}' {}", one_offs(&project));
    let labels = project.lab.host(1).run(&inspect);
    assert!(labels.contains("\"cloudpad.job\":\"migrate\""), "{labels}");
    let journals = std::fs::read_dir(project.path(".cloudpad/journal")).expect("journals");
    let read = |file: std::fs::DirEntry| std::fs::read_to_string(file.path()).expect("text");
    let journals: String = journals.map(|file| read(file.expect("a file"))).collect();
    for text in [plan.text(), outcome.text(), labels, journals] {
        assert!(!text.contains("s3cret-of-job"), "{text}");
    }
}
