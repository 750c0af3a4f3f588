//! What containers use, as `cloudpad stats` shows it.

use serde_json::Value;

use crate::support::{Following, Project, attend};

/// A project with a service that has a processor's work to do, and a quiet one.
fn project(topic: &str) -> Project {
    let project = Project::new(topic);
    let service = |name: &str, rest: &str| {
        format!("[services.{name}]\nimage = \"web\"\nmemory = \"64MiB\"\nstop_timeout = \"1s\"\n{rest}\n")
    };
    let busy = "command = [\"sh\", \"-c\", \"while true; do :; done\"]\ncpus = 0.1\n";
    project.configure(&format!("[images.web]\n{}{}", service("busy", busy), service("web", "")));
    project.run(&["deploy", "--yes"]).expect(0);
    project
}

#[test]
fn what_each_container_uses_is_shown() {
    let project = project("stats");
    let shown = project.run(&["stats"]).expect(0).stdout;
    let first = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let rows: Vec<String> = shown.lines().map(first).collect();
    let expected =
        ["INSTANCE HOST", "busy.1 h1", "busy.1 h2", "busy.1 h3", "web.1 h1", "web.1 h2", "web.1 h3"];
    assert_eq!(rows, expected, "{shown}");
    assert_eq!(shown.matches(" / 64.0 MiB").count(), 6, "{shown}");

    let outcome = project.run(&["stats", "--json"]).expect(0);
    let told: Vec<Value> = serde_json::from_str(&outcome.stdout).expect("one JSON document");
    let number = |row: &Value, name: &str| row[name].as_f64().unwrap_or_else(|| panic!("no {name}: {row}"));
    for (busy, web) in told[..3].iter().zip(&told[3..]) {
        assert!(number(busy, "cpu_percent") > number(web, "cpu_percent"), "{busy} {web}");
        for row in [busy, web] {
            assert!(number(row, "memory") > 0.0 && number(row, "pids") >= 1.0, "{row}");
            assert_eq!(row["memory_limit"], 64 << 20, "{row}");
            assert!(row["received"].is_u64() && row["written"].is_u64(), "{row}");
        }
    }
    let one = project.run(&["stats", "web.1", "--host", "h2"]).expect(0).stdout;
    assert_eq!(one.lines().map(first).collect::<Vec<_>>(), ["INSTANCE HOST", "web.1 h2"], "{one}");
}

#[test]
fn the_table_is_kept_up_to_date() {
    let project = project("stats-watch");
    let outcome = attend(project.command(&["stats", "--watch"]), |person| {
        person.sees("web.1     h1");
        let ids = project.containers(1).into_iter().map(|container| container.id).collect::<Vec<_>>();
        project.lab.host(1).run(&format!("docker kill {}", ids.join(" ")));
        // Those of h1 came first.
        person.sees("PIDS\u{1b}[K\r\nbusy.1    h2 ");
        person.sends("-INT");
    });
    outcome.expect(130);
    let mut lines = Following::new(&project, &["stats", "--watch", "--json"]);
    for _ in 0..2 {
        let rows: Vec<Value> = serde_json::from_str(&lines.next_line()).expect("one JSON document");
        assert_eq!(rows.len(), 4);
    }
    let (code, said) = lines.close(|| ());
    assert!(code == Some(0) && !said.contains("error"), "{code:?} {said}");
}

#[test]
fn what_is_not_there_is_told() {
    let project = Project::new("stats-none");
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.gone]\naddress = \"nobody@127.0.0.1:1\"\n";
    project.configure_hosts(hosts, &format!("{}\n[deploy]\nunreachable = \"skip\"\n", project.web()));
    project.run(&["stats", "wbe"]).expect(2).says("there is no service `wbe`").says("did you mean `web`?");
    project.run(&["stats", "else"]).expect(2).says("no service matches `else`");
    project.run(&["stats", "web", "--host", "h1"]).expect(2).says("there is no container of `web`");
    project.run(&["deploy", "--yes"]).expect(1);
    let outcome = project.run(&["stats", "web"]).expect(1).says("gone: ");
    assert!(outcome.stdout.contains("web.1     h1"), "{}", outcome.text());
    let id = project.running(1)[0].id.clone();
    project.lab.host(1).run(&format!("docker kill {id}"));
    let stopped = project.run(&["stats", "web.1", "--host", "h1"]).expect(2);
    stopped.says("no container of `web.1` runs: web.1 on h1 is stopped");
    project.run(&["stats", "-w", "--host", "h1"]).expect(2).says("standard output is none");
}
