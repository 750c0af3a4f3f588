//! `cloudpad hosts exec`: a command on many hosts at once.

use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Outcome, Project, WEB};

fn project(topic: &str) -> Project {
    let project = Project::new(topic);
    project.configure(WEB);
    project
}

fn exec(project: &Project, args: &[&str]) -> Outcome {
    project.run(&[&["hosts", "exec"], args].concat())
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// Whether a process of a host sleeps for so long.
fn is_alive(project: &Project, number: usize, argument: &str) -> bool {
    // In brackets, so that the search does not find itself.
    let script = format!("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c '[s]leep {argument}' || :");
    project.lab.host(number).run(&script) != "0"
}

#[test]
fn each_line_has_its_host_before_it_and_streams_stay_apart() {
    let project = project("exec");
    let outcome = exec(&project, &["--", "echo out; echo err >&2"]).expect(0);
    assert_eq!(sorted(&outcome.stdout), ["h1 | out", "h2 | out", "h3 | out"]);
    assert_eq!(sorted(&outcome.stderr), ["h1 | err", "h2 | err", "h3 | err"]);
    let outcome = exec(&project, &["--host", "h2", "--", "printf", "%s|", "a b", "it's $HOME", "*"]);
    assert_eq!(outcome.expect(0).stdout, "h2 | a b|it's $HOME|*|\n");
    let outcome = exec(&project, &["--host", "h1", "--", "echo b a | tr ' ' '\\n' | sort"]);
    assert_eq!(outcome.expect(0).stdout, "h1 | a\nh1 | b\n");
}

#[test]
fn a_host_where_it_fails_is_told_and_does_not_hide_the_others() {
    let project = project("execfail");
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.h2]\naddress = \"h2\"\n\
                 [hosts.gone]\naddress = \"root@127.0.0.1:1\"\n";
    project.configure_hosts(hosts, WEB);
    let name = &project.lab.host(2).container;
    let script = format!("echo here; test \"$(hostname)\" != {name} || exit 7");
    let outcome = exec(&project, &["--", &script]).expect(1);
    assert_eq!(sorted(&outcome.stdout), ["h1   | here", "h2   | here"]);
    let outcome = outcome.says("h2: exit code 7").says("gone: ");
    assert!(!outcome.stderr.contains("h1:"), "{}", outcome.text());
    let json = exec(&project, &["--json", "--host", "h2", "--", &script]).expect(1).events();
    let told = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    assert_eq!((told(&json[0], "line"), told(&json[0], "stream")), ("here".into(), "stdout".into()));
    assert_eq!((told(&json[1], "event"), &json[1]["exit_code"]), ("ended".into(), &Value::from(7)));
}

#[test]
fn a_summary_tells_the_same_once() {
    let project = project("execsum");
    let name = &project.lab.host(2).container;
    let script = format!("test \"$(hostname)\" = {name} && echo other || echo same");
    let outcome = exec(&project, &["--summary", "--", &script]).expect(0);
    assert_eq!(
        outcome.stdout,
        "h1, h3 (2 hosts): exit code 0\n    same\nh2 (1 host): exit code 0\n    other\n"
    );
    let json = exec(&project, &["--summary", "--json", "--", &script]).expect(0).stdout;
    let groups: Value = serde_json::from_str(&json).expect("one document");
    assert_eq!(groups[0]["hosts"], serde_json::json!(["h1", "h3"]));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let project = project("execbad");
    exec(&project, &["--host", "g1", "--", "true"])
        .expect(2)
        .says("no host matches `g1`")
        .says("did you mean `h1`?");
    exec(&project, &["--role", "web", "--", "true"]).expect(2).says("no role matches `web`");
    exec(&project, &[]).expect(2).says("COMMAND");
    exec(&project, &["--timeout", "soon", "--", "true"]).expect(2).says("`soon` is no duration");
}

#[test]
fn one_that_takes_too_long_is_ended_there() {
    let project = project("execlong");
    let outcome = exec(&project, &["--timeout", "1s", "--host", "h1", "--", "sleep 7301 & sleep 7301"]);
    outcome.expect(1).says("h1: the command did not end within 1 s, and was ended");
    project.lab.host(1).wait_until("! pgrep -f 'sleep 730[1]' >/dev/null");
}

#[test]
fn an_interrupt_ends_it_on_all_hosts() {
    let project = project("execint");
    let args = ["hosts", "exec", "--", "echo begun; sleep 7302; echo never"];
    let mut child =
        project.command(&args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a child");
    let mut stdout = child.stdout.take().expect("its output");
    let mut begun = [0; 3 * "h1 | begun\n".len()];
    stdout.read_exact(&mut begun).expect("three lines");
    assert!(is_alive(&project, 3, "7302"));
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.is_ok_and(|status| status.success()));
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("the rest");
    assert_eq!((child.wait().expect("an end").code(), rest.as_str()), (Some(130), ""));
    for number in 1..=3 {
        project.lab.host(number).wait_until("! pgrep -f 'sleep 730[2]' >/dev/null");
    }
}

#[test]
fn whoever_wants_no_more_ends_nothing() {
    let project = project("execpipe");
    let mut child = project
        .command(&["hosts", "exec", "--", "seq 20000; echo done > /tmp/execpipe"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    assert_eq!(project.lab.host(3).run("cat /tmp/execpipe; rm /tmp/execpipe"), "done");
}

#[test]
fn this_machine_is_a_host_too() {
    let project = project("execlocal");
    project.configure_hosts("", WEB);
    let outcome = exec(&project, &["--", "echo out; echo err >&2; exit 3"]).expect(1);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.lines().next()),
        ("local | out\n", Some("local | err"))
    );
}
