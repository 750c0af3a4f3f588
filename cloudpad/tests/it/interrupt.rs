//! A deploy that is interrupted, and one whose reader has gone away.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::Project;

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

#[test]
fn after_an_interrupt_nothing_new_is_begun_and_the_next_deploy_goes_on() {
    let project = Project::new("interrupt");
    let dockerfile = std::fs::read_to_string(project.path("Dockerfile")).expect("a Dockerfile");
    // Each test's build has to take its time, so it must not come from the cache.
    let slow = format!("RUN sleep 2; echo {}\nSTOPSIGNAL", project.name);
    project.write("Dockerfile", dockerfile.replace("STOPSIGNAL", &slow));
    project.configure(&project.web());
    let (mut child, out) = deploy_until(&project, "build.run");
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.is_ok_and(|status| status.success()));
    let last = out.lines().map_while(Result::ok).last().unwrap_or_default();
    assert!(last.contains("\"interrupted\""), "{last}");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert_eq!(project.all_containers(), vec![vec![]; 3]);
    project.deploy();
    project.serves("one");
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
