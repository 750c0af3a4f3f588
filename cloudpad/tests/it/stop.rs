//! `cloudpad stop`: what runs is stopped, and nothing else.

use crate::support::{Container, Project};

/// `web` on all hosts, and on the first `db`, which is protected.
pub fn project(topic: &str) -> Project {
    let project = Project::new(topic);
    configure(&project, "h3");
    project.deploy();
    project
}

/// The same with the third host at another address.
fn configure(project: &Project, third: &str) {
    let addresses = [("h1", "h1"), ("h2", "h2"), ("h3", third)];
    let hosts =
        addresses.map(|(name, address)| format!("[hosts.{name}]\naddress = \"{address}\"\n")).concat();
    let db = "[services.db]\nimage = \"web\"\nhosts = [\"h1\"]\ncommand = [\"sleep\", \"1000\"]\nprotected = true\n";
    project.configure_hosts(&hosts, &(project.web() + db));
}

/// The instances that run, with their hosts.
pub fn running(project: &Project) -> Vec<String> {
    let on = |number| {
        let containers: Vec<Container> = project.running(number);
        containers.into_iter().map(move |container| format!("{} on h{number}", container.instance))
    };
    let mut all: Vec<_> = (1..=3).flat_map(on).collect();
    all.sort();
    all
}

#[test]
fn what_is_stopped_stays_so_until_the_next_deploy_and_is_no_release() {
    let project = project("stop");
    let before = project.all_containers();
    let outcome = project.run(&["stop", "web.1", "--host", "h2", "--yes", "--json"]).expect(0);
    assert_eq!(
        (outcome.done(), outcome.report()["ending"].clone()),
        (vec!["deploy.stop".into()], "done".into())
    );
    assert_eq!(running(&project), ["db.1 on h1", "web.1 on h1", "web.1 on h3"]);
    let told = project.run(&["stop", "--all", "--yes"]).expect(0);
    told.says("- web.1 stop")
        .says("only who names `db` means it")
        .says("until `cloudpad start`, or the next `cloudpad deploy`");
    assert_eq!(running(&project), ["db.1 on h1"]);
    project.run(&["stop", "web", "--yes"]).expect(0).says("nothing to do: everything is as it should be");
    project.run(&["stop", "db", "--yes"]).expect(0).says("is protected, and stopped since it is named");
    assert_eq!(running(&project), [""; 0]);
    let quiet = project.run(&["start", "web", "--yes", "-q"]).expect(0);
    assert!(!quiet.text().contains("warning"), "a note is neither data nor an error");
    let quiet = project.run(&["stop", "web", "--yes", "-q"]).expect(0);
    assert!(!quiet.text().contains("warning"), "a note is neither data nor an error");
    let listed = project.run(&["releases", "--json"]).expect(0).stdout;
    assert_eq!(listed.matches("\"release\"").count(), 1, "{listed}");
    let history = project.run(&["history", "--json"]).expect(0).stdout;
    let history: serde_json::Value = serde_json::from_str(&history).expect("one JSON document");
    let stops = history.as_array().expect("rows").iter().filter(|row| row["command"] == "stop");
    let runs: Vec<_> = stops.map(|row| row["run"].clone()).collect();
    assert!(runs.len() >= 3 && !runs.contains(&"".into()), "each of them has an id: {runs:?}");
    project.run(&["plan", "--exit-code"]).expect(3);
    project.deploy();
    project.serves("one");
    let ids = |all: Vec<Vec<Container>>| {
        all.into_iter().flatten().map(|container| container.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(project.all_containers()), ids(before));
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_touched() {
    let project = project("stopbad");
    let all = running(&project);
    let stop = |args: &[&str]| project.run(&[&["stop"], args].concat()).expect(2);
    stop(&[]).says("<SERVICE[.N]|--all>");
    stop(&["wbe", "--yes"]).says("there is no service `wbe`").says("did you mean `web`?");
    stop(&["nothing-like-it", "--yes"]).says("no service matches `nothing-like-it`");
    stop(&["web.9", "--yes"]).says("there is no container of `web.9`").says("there is `web.1`");
    stop(&["web.0", "--yes"]).says("a number from 1");
    stop(&["web", "--host", "h9", "--yes"]).says("no host matches `h9`");
    stop(&["web"]).says("there is no terminal to ask on").says("`--yes` goes ahead");
    let refused = stop(&["web.9", "--yes", "--json"]);
    assert_eq!(refused.events().pop().unwrap_or_default()["event"], "refused", "{}", refused.text());
    // A host that nobody can reach.
    configure(&project, "root@127.0.0.1:9");
    stop(&["web", "--yes"]).says("host `h3` cannot be looked at");
    configure(&project, "h3");
    assert_eq!(running(&project), all);
}
