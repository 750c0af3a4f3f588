//! What runs, kept up to date by `cloudpad ps --watch`.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Following, Project, attend};

fn deployed(topic: &str) -> Project {
    let project = Project::new(topic);
    project.configure(&project.web());
    project.deploy();
    project
}

/// Does something to the project's container on a host.
fn docker(project: &Project, number: usize, command: &str) {
    let id = project.containers(number)[0].id.clone();
    project.lab.host(number).run(&format!("docker {command} {id}"));
}

#[test]
fn the_table_is_kept_up_to_date_in_its_place() {
    let project = deployed("watch");
    let outcome = attend(project.command(&["ps", "--watch"]), |person| {
        person.sees("web.1     h3    running");
        assert!(!person.sees_what_is_typed());
        docker(&project, 2, "kill");
        person.sees("not running: web.1 on h2: stopped (137)");
        docker(&project, 2, "start");
        person.sees("web.1     h2    ");
        person.resizes(3, 30);
        // All is cleared, since the terminal may have broken its lines anew.
        person.sees("\u{1b}[2JINSTANCE  HOST  STATE       …\u{1b}[K\r\n… 3 more lines\u{1b}[K\r\n\u{1b}[J");
        docker(&project, 3, "kill");
        person.sees("\u{1b}[2A\rINSTANCE");
        person.sends("-INT");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !person.sees_what_is_typed() {
            assert!(Instant::now() < deadline, "the terminal is left without echo");
            std::thread::yield_now();
        }
    });
    let outcome = outcome.expect(130);
    assert!(outcome.stdout.ends_with("\u{1b}[J") && !outcome.stdout.contains("error"), "{outcome:?}");
}

#[test]
fn a_line_is_printed_at_each_change_where_json_is_asked_for() {
    let project = deployed("watch-json");
    let mut following = Following::new(&project, &["ps", "--watch", "--json"]);
    let rows = |following: &mut Following| -> Vec<Value> {
        serde_json::from_str(&following.next_line()).expect("a list of rows")
    };
    assert_eq!(rows(&mut following).len(), 3);
    docker(&project, 2, "kill");
    while rows(&mut following).len() != 2 {}
    docker(&project, 2, "start");
    while rows(&mut following).len() != 3 {}
    let (code, said) = following.close(|| docker(&project, 2, "kill"));
    assert!(code == Some(0) && !said.contains("error"), "{code:?} {said}");
}

#[test]
fn a_host_that_cannot_be_reached_keeps_the_others_from_nothing() {
    let project = Project::new("watch-gone");
    let hosts = "[hosts.h1]\naddress = \"h1\"\n[hosts.gone]\naddress = \"nobody@127.0.0.1:1\"\n";
    project.configure_hosts(hosts, &format!("{}\n[deploy]\nunreachable = \"skip\"\n", project.web()));
    project.run(&["deploy", "--yes"]).expect(1);
    let outcome = attend(project.command(&["ps", "-w"]), |person| {
        person.sees("web.1     h1    running");
        person.sees("error: gone: ");
        docker(&project, 1, "kill");
        person.sees("not running: web.1 on h1: stopped (137)");
        person.sees("error: gone: ");
        person.sends("-INT");
    });
    outcome.expect(130);
    let piped = project.run(&["ps", "--watch"]).expect(2).says("standard output is none");
    piped.says("--watch --json");
}
