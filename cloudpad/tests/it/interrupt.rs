//! A deploy that is interrupted, and one whose reader has gone away.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::Project;

/// A program whose output goes to a full disk.
fn to_a_full_disk(project: &Project, args: &[&str]) -> (Option<i32>, String) {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let output = project.command(args).stdout(full).output().expect("cloudpad does not start");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Starts a deploy, and returns when it has begun an action of this method.
fn deploy_until(project: &Project, method: &str) -> (Child, impl BufRead + use<>) {
    let mut command = project.command(&["deploy", "--yes", "--json"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("cloudpad does not start");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !(line.contains("\"started\"") && line.contains(&format!("\"{method}\""))) {
        line.clear();
        assert_ne!(out.read_line(&mut line).expect("a line"), 0, "the deploy ended before `{method}` began");
    }
    (child, out)
}

/// Sends the signal to a deploy's process, and returns the last line that it prints.
fn end_by(signal: &str, child: &Child, out: impl BufRead) -> String {
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(kill.is_ok_and(|status| status.success()));
    out.lines().map_while(Result::ok).last().unwrap_or_default()
}

#[test]
fn after_an_interrupt_nothing_new_is_begun_and_the_next_deploy_goes_on() {
    build_ended_by("-INT", &Project::new("interrupt"));
}

#[test]
fn a_terminal_that_is_closed_interrupts() {
    build_ended_by("-HUP", &Project::new("hangup"));
}

#[test]
fn an_interrupt_before_anything_was_done_is_told_as_one() {
    let project = Project::new("early");
    project.configure(
        &("[sources.app]\npath = \".\"\nprepare = [\"sleep 1\"]\n".to_owned()
            + &project.web().replace("[images.web]", "[images.web]\nsource = \"app\"")),
    );
    let (mut child, out) = deploy_until(&project, "source.fetch");
    let last = end_by("-INT", &child, out);
    assert!(last.contains("stopped before anything was done"), "{last}");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

#[test]
fn one_interrupt_ends_a_look() {
    let project = Project::new("hanging");
    project.configure(&format!(
        "{}secrets = [\"KEY\"]\n[stages.secrets]\nprovider = \"command\"\n\
         config = {{ command = [\"sh\", \"-c\", \"sleep 60; touch late\"] }}\n",
        project.web()
    ));
    let (mut child, out) = deploy_until(&project, "secrets.get");
    let last = end_by("-INT", &child, out);
    assert!(last.contains("stopped before anything was done"), "{last}");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(!project.path("late").exists(), "what was asked was waited for");
}

fn build_ended_by(signal: &str, project: &Project) {
    let dockerfile = std::fs::read_to_string(project.path("Dockerfile")).expect("a Dockerfile");
    // Each test's build has to take its time, so it must not come from the cache.
    let slow = format!("RUN sleep 2; echo {}\nSTOPSIGNAL", project.name);
    project.write("Dockerfile", dockerfile.replace("STOPSIGNAL", &slow));
    project.configure(&project.web());
    let (mut child, out) = deploy_until(project, "build.run");
    let last = end_by(signal, &child, out);
    assert!(last.contains("\"interrupted\""), "{last}");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(project.all_containers(), vec![vec![]; 3]);
    project.deploy();
    project.serves("one");
}

/// The application with a start that takes its time, after which it serves or does not.
fn slow_start(project: &Project, then: &str) {
    let dockerfile = format!(
        "FROM {}\nCOPY www /www\nSTOPSIGNAL SIGKILL\nCMD [\"sh\", \"-c\", \"sleep 3; {then}\"]\n",
        project.lab.base_image
    );
    project.write("Dockerfile", dockerfile);
    let only = project.web() + "hosts = [\"h1\"]\n[deploy]\nready_timeout = \"6s\"\n";
    project.configure(&only);
}

/// Kills a deploy while it waits for the new container of h1.
fn kill_while_waiting(project: &Project) {
    let (mut child, _out) = deploy_until(project, "deploy.ready");
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

#[test]
fn a_container_that_a_killed_deploy_has_left_is_waited_for_by_the_next() {
    let project = Project::new("killed");
    slow_start(&project, "exec httpd -f -p 8080 -h /www");
    kill_while_waiting(&project);
    let left = project.running(1);
    assert!(left.iter().all(|container| container.name.ends_with(".unproven")), "{left:?}");
    let listed = project.run(&["ps"]).expect(0).stdout;
    assert!(listed.contains("starting") && !listed.contains("unproven"), "{listed}");

    let next = project.deploy();
    assert_eq!(next.done(), ["deploy.ready", "deploy.record"], "{}", next.text());
    assert_eq!(project.get(1), Ok((200, "one".into())));
    let now = project.running(1);
    assert_eq!(now.len(), 1);
    assert_eq!((&now[0].id, format!("{}.unproven", now[0].name)), (&left[0].id, left[0].name.clone()));
    assert_eq!(project.deploy().report()["ending"], "nothing_to_do");
}

#[test]
fn a_container_that_never_serves_is_no_success_of_the_deploy_after_a_killed_one() {
    let project = Project::new("never");
    slow_start(&project, "echo the disk is full; exec sleep 600");
    kill_while_waiting(&project);
    let plan = project.run(&["plan", "--exit-code"]).expect(3);
    assert!(plan.stdout.contains("web.1 wait until it serves"), "{}", plan.text());
    let next = project.run(&["deploy", "--yes", "--json"]).expect(1);
    assert_eq!(next.report()["ending"], "failed", "{}", next.text());
    assert!(next.report().to_string().contains("the disk is full"), "{}", next.text());
    // It is not mended by asking once more, but by another version.
    project.run(&["deploy", "--yes"]).expect(1);
    slow_start(&project, "exec httpd -f -p 8080 -h /www");
    project.deploy();
    assert_eq!(project.get(1), Ok((200, "one".into())));
    assert!(project.containers(1).iter().any(|container| container.name.ends_with(".unproven")));
}

#[test]
fn a_reader_that_goes_away_does_not_stop_a_deploy() {
    let project = Project::new("pipe");
    project.configure(&project.web());
    let (mut child, out) = deploy_until(&project, "deploy.observe");
    drop(out);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    project.serves("one");
}

#[test]
fn a_full_disk_stops_no_deploy_and_is_told() {
    let project = Project::new("full");
    project.configure(&project.web());
    let (code, said) = to_a_full_disk(&project, &["deploy", "--yes", "--json"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("could not write to stdout, which is not complete"), "{said}");
    assert!(said.contains("is done all the same"), "{said}");
    project.serves("one");
    for command in
        [&["exec", "web.1", "--host", "h1", "--", "hostname"][..], &["hosts", "exec", "--", "hostname"]]
    {
        let (code, said) = to_a_full_disk(&project, command);
        assert_eq!(code, Some(1), "{command:?}: {said}");
    }
    for command in ["config", "plan", "ps"] {
        let (code, said) = to_a_full_disk(&project, &[command]);
        assert_eq!(code, Some(2), "{command}: {said}");
    }
}
