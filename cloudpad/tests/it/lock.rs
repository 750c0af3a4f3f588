//! One deploy of a project at a time: who is second is told who is first, or waits; and no end of a process leaves a lock.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::{Project, WEB};

/// A deploy that is under way for as long as its image takes to be built.
struct Busy(Child);

impl Busy {
    /// Starts one, and returns when it has all its locks and has begun to build.
    fn start(project: &Project) -> Self {
        let mut command = project.command(&["deploy", "--yes", "--json"]);
        let mut child = command
            .envs([("USER", "alice"), ("DOCKERFILE", "slow.Dockerfile")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("cloudpad does not start");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        let begun = |line: &String| line.contains("\"started\"") && line.contains("\"build.run\"");
        assert!(out.lines().map_while(Result::ok).any(|line| begun(&line)), "it ended before it had begun");
        Self(child)
    }

    fn kill(mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ends");
    }
}

/// A project that is built from another Dockerfile where the environment says so.
fn project(topic: &str, rest: &str) -> Project {
    let project = Project::new(topic);
    let image = "[images.web]\ndockerfile = \"${DOCKERFILE:-Dockerfile}\"\n";
    project.configure(&(project.web().replace("[images.web]\n", image) + rest));
    // Named by the project: builds of the same text are one to the engine, which would go on with it for the others.
    // And not for ever: an engine may go on with a build whose client was killed, in a network that other tests need.
    let slow = format!("RUN : {}; sleep 300", project.name);
    project.write("slow.Dockerfile", format!("FROM {}\n{slow}\n", project.lab.base_image));
    project
}

#[test]
fn the_second_deploy_is_refused_and_told_who_is_at_work() {
    let job = "[jobs.page]\nservice = \"web\"\nwhen = \"manual\"\ncommand = \"true\"\n";
    let project = project("locked", job);
    let busy = Busy::start(&project);
    let outcome = project.run(&["deploy", "--yes"]).expect(2);
    let outcome =
        outcome.says("`alice@").says("has the lock of `locked-").says(" UTC, for `deploy`").says("--wait");
    assert!(!outcome.stderr.contains("to create"), "{}", outcome.text());
    // Not even a job may run beside it, which may be the deploy's own; what is no job may.
    project.run(&["run", "page"]).expect(2).says("has the lock of `locked-").says("--wait");
    project.run(&["run", "web", "--", "true"]).expect(2).says("there is no container of `web`");
    project.run(&["plan"]).expect(0);
    project.run(&["ps"]).expect(0);
    assert_eq!(project.all_containers(), vec![vec![]; 3]);
    busy.kill();
}

#[test]
fn no_lock_is_left_by_a_process_that_was_killed() {
    let project = project("killed", "");
    Busy::start(&project).kill();
    project.deploy();
    project.serves("one");
}

#[test]
fn who_waits_goes_on_when_the_first_is_done() {
    let project = project("waits", "");
    let busy = Busy::start(&project);
    let mut command = project.command(&["deploy", "--yes", "--wait"]);
    let mut second =
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("cloudpad does not start");
    let mut said = BufReader::new(second.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    assert!(said.any(|line| line.contains("waiting: `alice@")), "it has not waited");
    assert_eq!(project.all_containers(), vec![vec![]; 3]);
    busy.kill();
    assert!(said.any(|line| line.contains("to create")), "it has not gone on");
    said.by_ref().for_each(drop);
    assert_eq!(second.wait().expect("it ends").code(), Some(0));
    project.serves("one");
}

#[test]
fn an_environment_is_another_lock() {
    let project = project(
        "apart",
        "[environments.staging.services.web]\nports = []\nhealth = { http = \"/\", port = 8080 }\n",
    );
    let busy = Busy::start(&project);
    project.run(&["deploy", "--yes", "-e", "staging"]).expect(0);
    busy.kill();
}

#[test]
fn a_lock_can_be_taken_by_hand_until_it_is_interrupted() {
    let project = project("byhand", "");
    let mut command = project.command(&["lock", "--json", "--message", "the disk is being replaced"]);
    let mut holder =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("cloudpad does not start");
    let mut printed = BufReader::new(holder.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let said = BufReader::new(holder.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    let taken = format!(r#"{{"project":"{}","hosts":["h1","h2","h3"]}}"#, project.name);
    assert_eq!(printed.next(), Some(taken), "so that a script knows");
    project.run(&["deploy", "--yes"]).expect(2).says("for `lock: the disk is being replaced`");
    project.run(&["lock"]).expect(2).says("has the lock");
    let interrupt = Command::new("kill").args(["-INT", &holder.id().to_string()]).status();
    assert!(interrupt.is_ok_and(|status| status.success()));
    assert_eq!(holder.wait().expect("it ends").code(), Some(0));
    assert_eq!(said.last(), None, "nothing is under way that would have to be finished");
    project.deploy();
}

#[test]
fn a_machine_with_two_names_is_told_and_not_waited_for() {
    let project = Project::new("twonames");
    project.configure_hosts("[hosts.a]\naddress = \"h1\"\n[hosts.b]\naddress = \"h1d\"\n", WEB);
    project.run(&["deploy", "--yes", "--wait"]).expect(2).says("is the same machine as `");
    assert!(project.containers(1).is_empty());
}
