//! Commands in containers that run: pipes, terminals, all at once, and what is no container that runs.

use std::process::{Command, Stdio};

use crate::support::{Lab, Project, signal, talk};

fn deployed(topic: &str) -> Project {
    let project = Project::new(topic);
    project.configure(&project.web());
    project.deploy();
    project
}

/// The program in a shell that says whether the terminal is as before. The terminal is theirs, so that they hear of its size.
fn in_shell(project: &Project, args: &[&str]) -> Command {
    let program = project.command(args);
    let mut shell = Command::new("setsid");
    let script = "before=$(stty -g); \"$0\" \"$@\"; code=$?; test \"$before\" = \"$(stty -g)\" && echo as-before; exit $code";
    shell.args(["--ctty", "--wait", "sh", "-c", script]).arg(program.get_program()).args(program.get_args());
    shell.current_dir(program.get_current_dir().expect("a folder")).env_clear();
    shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

/// A script that waits until its terminal has this size.
fn sized(size: &str) -> String {
    format!("until [ \"$(stty size)\" = \"{size}\" ]; do sleep 0.1; done; echo size {size}")
}

#[test]
fn pipes_are_pipes_and_its_exit_code_is_ours() {
    let project = deployed("exec");
    let script = "cat; echo two >&2; exit 7";
    let outcome = project.run_reading(&["exec", "web", "--host", "h2", "--", "sh", "-c", script], "one\n");
    let outcome = outcome.expect(7);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("one\n", "two\n"));

    let outcome = project.run(&["exec", "web.1", "hostname"]).expect(0);
    let outcome = outcome.says("in web.1 on h1, the first of 3 containers of `web.1`");
    assert_eq!(outcome.stdout.trim(), &project.running(1)[0].id[..12]);

    let script = "pwd; id -u; wc -c";
    let arguments = ["exec", "web", "--user", "7", "--workdir", "/www", "sh", "-c", script];
    let outcome = project.run_reading(&arguments, &"x".repeat(3_000_000)).expect(0);
    assert_eq!(outcome.stdout, "/www\n7\n3000000\n");
}

#[test]
fn a_terminal_is_a_terminal_there_and_as_before_here() {
    let project = deployed("exec-tty");
    let script = format!("{}; {}; read line; echo \"<$line>\"; exit 4", sized("40 120"), sized("50 100"));
    let command = in_shell(&project, &["exec", "web", "--", "sh", "-c", &script]);
    let answers = [("size 40 120\r\n", "\0"), ("size 50 100\r\n", "hello\r"), ("<hello>\r\n", "")];
    let outcome = talk(command, &answers).expect(4);
    assert!(outcome.stdout.contains("as-before"), "{}", outcome.text());

    // The key goes to the process there, and not to us.
    let script = "trap 'echo trapped; exit 5' INT; echo ready; while true; do sleep 0.1; done";
    let command = in_shell(&project, &["exec", "web", "--", "sh", "-c", script]);
    let outcome = talk(command, &[("ready\r\n", "\u{3}"), ("trapped\r\n", "")]).expect(5);
    assert!(outcome.stdout.contains("as-before"), "{}", outcome.text());

    // A signal from outside ends us, and the terminal is as before.
    let command = in_shell(&project, &["exec", "web", "--", "sh", "-c", "echo ready; exec sleep 600"]);
    let outcome = signal(command, "ready\r\n", "pkill -TERM -P").expect(130);
    assert!(outcome.stdout.contains("as-before"), "{}", outcome.text());
}

#[test]
fn all_at_once_is_told_with_names() {
    let project = deployed("exec-all");
    let outcome = project.run(&["exec", "--all", "web", "--", "sh", "-c", "echo $0 is up", "it"]).expect(0);
    let mut lines: Vec<_> = outcome.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["web.1@h1 | it is up", "web.1@h2 | it is up", "web.1@h3 | it is up"]);

    let script = "test $(hostname) = \"$0\" || exit 9";
    let first = &project.running(1)[0].id[..12];
    let outcome = project.run(&["exec", "--all", "web", "--", "sh", "-c", script, first]).expect(1);
    let outcome = outcome.says("web.1 on h2: exit code 9").says("web.1 on h3: exit code 9");
    let outcome = outcome.says("the command has failed in 2 of 3 containers");
    assert!(!outcome.stderr.contains("h1"), "{}", outcome.text());

    let outcome = project.run(&["exec", "--json", "web", "--", "sh", "-c", "echo one; exit 3"]).expect(3);
    let events = outcome.events();
    assert_eq!((&events[0]["line"], &events[0]["host"]), (&"one".into(), &"h1".into()));
    assert_eq!(events[1]["exit_code"], 3);
}

#[test]
fn what_is_not_there_is_told() {
    let project = deployed("exec-none");
    let outcome = project.run(&["exec", "wbe", "true"]).expect(2);
    outcome.says("there is no service `wbe`").says("did you mean `web`?");
    project.run(&["exec", "other", "true"]).expect(2).says("no service matches `other`");
    project.run(&["exec", "web.x", "true"]).expect(2).says("such as `web.2`");
    let outcome = project.run(&["exec", "web.7", "true"]).expect(2);
    outcome.says("there is no container of `web.7`").says("cloudpad ps");
    project.run(&["exec", "web", "--host", "h9", "true"]).expect(2).says("no host matches `h9`");
    let missing = project.run(&["exec", "web", "/no/such/program"]);
    assert!(matches!(missing.code, Some(1 | 126 | 127)), "{}", missing.text());
    let container = &project.running(1)[0].id;
    project.lab.host(1).run(&format!("docker stop -t 1 {container}"));
    let outcome = project.run(&["exec", "web", "--host", "h1", "true"]).expect(2);
    outcome.says("no container of `web` runs: web.1 on h1 is stopped").says("`cloudpad start web`");
}

#[test]
fn a_pipe_that_somebody_closes_ends_it_quietly() {
    let project = deployed("exec-closed");
    let mut command = project.command(&["exec", "web", "--", "yes"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("cloudpad does not start");
    let mut first = [0; 4];
    let read = std::io::Read::read_exact(child.stdout.as_mut().expect("a pipe"), &mut first);
    read.expect("output");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("cloudpad is lost");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(0) && !said.contains("error"), "{:?} {said}", output.status);
}

#[test]
fn a_host_that_is_not_there_hides_no_other() {
    let project = Project::with(Lab::get(), "exec-dead");
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.gone]\naddress = \"nobody@127.0.0.1:1\"\n";
    let deploy = format!("{}\n[deploy]\nunreachable = \"skip\"\n", project.web());
    project.configure_hosts(hosts, &deploy);
    project.run(&["deploy", "--yes"]).expect(1);
    project.run(&["exec", "web", "true"]).expect(0).says("gone: ");
    project.run(&["exec", "--all", "web", "true"]).expect(1).says("gone: ");
    project.run(&["exec", "web", "--host", "gone", "true"]).expect(1).says("gone: ");
}
