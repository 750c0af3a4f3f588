//! What containers print: in order over all hosts, followed through a deploy, and cut off by whoever reads it.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Following, Lab, Line, Project};

/// A project whose service prints what it is told to, on every host.
fn project(topic: &str, script: &str) -> Project {
    let project = Project::new(topic);
    configure(&project, script);
    project.run(&["deploy", "--yes"]).expect(0);
    project
}

fn configure(project: &Project, script: &str) {
    project.configure(&format!(
        "[images.web]\n[services.web]\nimage = \"web\"\ncommand = [\"sh\", \"-c\", '''{script}''']\nstop_timeout = \"1s\"\n"
    ));
}

fn on_each_host(line: &str) -> Vec<String> {
    ["h1", "h2", "h3"].map(|host| format!("web.1@{host} | {line}")).to_vec()
}

#[test]
fn lines_of_all_hosts_come_in_the_order_of_time() {
    let script =
        "for n in 1 2 3 4 5; do echo line $n; sleep 0.2; done; echo $'\\e[2Jharmless' >&2; exec sleep 600";
    let project = project("logs", script);
    let all = project.run(&["logs", "web", "--timestamps"]).expect(0);
    let times: Vec<_> = all.stdout.lines().map(|line| line.split(' ').nth(2).unwrap_or_default()).collect();
    assert!(times.len() == 18 && times.is_sorted(), "{}", all.text());
    assert!(!all.stdout.contains('\u{1b}') && all.stdout.contains("[2Jharmless"), "{}", all.text());

    let last = project.run(&["logs", "--tail", "3", "--host", "h2"]).expect(0);
    let told: Vec<_> = last.stdout.lines().map(|line| line.split(" | ").nth(1).unwrap_or_default()).collect();
    assert_eq!((told.len(), &told[..2]), (3, &["line 4", "line 5"][..]));

    let some = project.run(&["logs", "web.1", "--grep", "line 2", "--grep", "line 4", "--json"]).expect(0);
    let events = some.events();
    assert_eq!(events.len(), 6, "{}", some.text());
    assert!(events.iter().all(|event| event["instance"] == "web.1" && event["stream"] == "stdout"));
    let hosts: BTreeSet<_> = events.iter().map(|event| event["host"].to_string()).collect();
    assert_eq!(hosts.len(), 3);
    assert_eq!(project.run(&["logs", "--since", "2200-01-01T00:00:00Z"]).expect(0).stdout, "");
    let all_again = project.run(&["logs", "--since", "1h"]).expect(0);
    assert_eq!(all_again.stdout.lines().count(), 18);

    for number in 1..=3 {
        let id = project.running(number)[0].id.clone();
        project.lab.host(number).run(&format!("docker stop -t 1 {id}"));
    }
    let stopped = project.run(&["logs", "web", "--grep", "line 1"]).expect(0);
    assert_eq!(stopped.stdout.lines().count(), 3, "what has ended is still told");
}

#[test]
fn it_follows_through_a_deploy() {
    let script = |word: &str| format!("trap 'exit 0' TERM; echo {word}; while true; do sleep 0.1; done");
    let project = project("logs-follow", &script("one"));
    let mut following = Following::new(&project, &["logs", "-f", "web"]);
    following.await_lines(&on_each_host("one"));
    configure(&project, &script("two"));
    project.run(&["deploy", "--yes"]).expect(0);
    following.await_lines(&on_each_host("two"));
    let (code, said) = following.end("-INT");
    assert_eq!(code, Some(130), "{said}");
    for host in ["h1", "h2", "h3"] {
        assert!(said.contains(&format!("{host}: web.1 has ended")), "{said}");
    }
}

/// A command that prints numbers without end.
pub const COUNTING: &str =
    r#"["sh", "-c", "n=0; while true; do n=$((n+1)); echo number $n; sleep 0.02; done"]"#;

/// Reads so many more of the lines that are followed. Fails where an instance's number is missing, or comes twice.
#[track_caller]
pub fn count_on(following: &mut Following, last: &mut BTreeMap<String, u32>, lines: usize) {
    for _ in 0..lines {
        let line = following.next_line();
        let (instance, number) = line.split_once(" | number ").unwrap_or_else(|| panic!("`{line}`"));
        let number = number.parse().expect("a number");
        let before = last.insert(instance.trim().to_owned(), number);
        assert!(before.is_none_or(|before| before + 1 == number), "after {before:?} comes {line}");
    }
}

#[test]
fn a_host_that_was_lost_is_followed_again_and_no_line_is_missing_or_comes_twice() {
    let project = Project::new("logs-lost");
    let line = Line::to(&project, "h2");
    let web = format!(
        "[images.web]\n[services.web]\nimage = \"web\"\nper_host = 2\nstop_signal = \"KILL\"\ncommand = {COUNTING}\n"
    );
    project.configure_all(&line.config(), "[hosts.h2]\naddress = \"h2\"\n", &web);
    project.run(&["deploy", "--yes"]).expect(0);
    // Two calls share the connection.
    let mut following = Following::new(&project, &["logs", "-f", "web.1", "web.2", "--tail", "3"]);
    let mut last = BTreeMap::new();
    count_on(&mut following, &mut last, 20);
    for stays_away in [false, true] {
        if stays_away {
            line.close(true);
        }
        line.cut();
        let said = following.await_said(&["warning: h2: "]);
        assert!(said[0].contains("it is tried again"), "{said:?}");
        if stays_away {
            line.close(false);
        }
        following.await_said(&["h2: followed again"]);
        count_on(&mut following, &mut last, 80);
    }
    let (code, said) = following.end("-INT");
    assert!(code == Some(130) && last.len() == 2, "{code:?} {last:?}");
    assert!(!said.contains("warning") && !said.contains("error"), "it is told once: {said}");
}

#[test]
fn a_pipe_that_somebody_closes_ends_it_quietly() {
    let project = project("logs-closed", "while true; do echo more; done");
    for follow in [&["logs", "web"][..], &["logs", "-f", "web"]] {
        let mut following = Following::new(&project, follow);
        following.next_line();
        let (code, said) = following.close(|| ());
        assert!(code == Some(0) && !said.contains("error"), "{code:?} {said}");
    }
}

#[test]
fn what_is_not_there_is_told() {
    let project = Project::with(Lab::get(), "logs-none");
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.gone]\naddress = \"nobody@127.0.0.1:1\"\n";
    project.configure_hosts(hosts, &format!("{}\n[deploy]\nunreachable = \"skip\"\n", project.web()));
    project.run(&["logs", "wbe"]).expect(2).says("there is no service `wbe`").says("did you mean `web`?");
    project.run(&["logs", "web", "--since", "soon"]).expect(2).says("a duration such as `10m`");
    project.run(&["logs", "web", "--host", "h1"]).expect(2).says("there is no container of `web`");
    project.run(&["deploy", "--yes"]).expect(1);
    project.run(&["exec", "web", "--", "sh", "-c", "echo told > /proc/1/fd/1"]).expect(0);
    let outcome = project.run(&["logs", "web"]).expect(1).says("gone: ");
    assert!(outcome.stdout.contains("web.1@h1 | told"), "{}", outcome.text());
}
