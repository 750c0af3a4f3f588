//! More hosts than three, by a user who is not root, in batches; and one of them fails.

use serde_json::Value;

use crate::support::{Container, Host, Project, breakable, get};

/// How many hosts the lab of tests has.
const HOSTS: usize = 5;

/// A project on all hosts of the lab, two at a time, with a version that runs there.
fn project(topic: &str) -> Project {
    let project = Project::new(topic);
    assert!(project.lab.hosts.len() >= HOSTS, "`cargo xtask lab up --hosts {HOSTS}` makes so many");
    let host = |Host { name, .. }: &Host| format!("[hosts.{name}]\naddress = \"deploy@{name}\"\n");
    let hosts: String = project.lab.hosts.iter().take(HOSTS).map(host).collect();
    let rest = "[deploy]\nbatch = 2\nmin_healthy = 3\nready_timeout = \"10s\"\n";
    project.configure_hosts(&hosts, &(project.web() + &breakable::marks(&project, HOSTS) + rest));
    project.deploy();
    project
}

/// What each host serves.
fn pages(project: &Project) -> Vec<String> {
    let page = |host: &Host| get(&host.direct, project.port, "/").map(|(_, page)| page).unwrap_or_default();
    project.lab.hosts.iter().take(HOSTS).map(page).collect()
}

#[test]
fn five_hosts_are_updated_two_at_a_time() {
    let project = project("five");
    assert_eq!(pages(&project), vec!["one"; HOSTS]);
    project.page("two");
    let update = project.deploy();
    assert_eq!(pages(&project), vec!["two"; HOSTS]);
    // A host is under way from the stop of its old container until its new one serves.
    let (mut under_way, mut most) = (0_i32, 0);
    for event in update.events() {
        match (event["event"].as_str(), event["phase"].as_str(), event["method"].as_str()) {
            (Some("started"), Some("apply"), Some("deploy.stop")) => under_way += 1,
            (Some("done"), Some("apply"), Some("deploy.ready")) => under_way -= 1,
            _ => {}
        }
        most = most.max(under_way);
    }
    assert_eq!((under_way, most), (0, 2), "{}", update.text());
}

#[test]
fn one_of_five_that_fails_brings_the_old_version_back_everywhere() {
    let project = project("oneoffive");
    let before: Vec<_> = (1..=HOSTS).map(|number| project.running(number)).collect();
    project.page("two");
    breakable::break_new_versions(&project, 4);
    let outcome: Value = project.run(&["deploy", "--yes", "--json"]).expect(1).report();
    assert_eq!(outcome["ending"], "undone");
    assert_eq!(pages(&project), vec!["one"; HOSTS]);
    let after: Vec<_> = (1..=HOSTS).map(|number| project.running(number)).collect();
    let ids = |hosts: &[Vec<Container>]| -> Vec<String> {
        hosts.iter().flatten().map(|container| container.id.clone()).collect()
    };
    assert_eq!(ids(&after), ids(&before));
}
