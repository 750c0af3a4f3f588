//! Drift: what somebody has changed by hand is found, and a deploy mends that and nothing else.

use serde_json::Value;

use crate::support::{Container, Project};

/// A project whose service runs on all hosts, and what runs there.
fn deployed(topic: &str) -> (Project, Vec<Vec<Container>>) {
    let project = Project::new(topic);
    project.configure(&project.web());
    project.deploy();
    project.run(&["plan", "--exit-code"]).expect(0);
    let containers = project.all_containers();
    (project, containers)
}

/// Fails the test unless a plan finds something to do that it tells in these words, on h2 and nowhere else, and a
/// deploy does so.
#[track_caller]
fn is_mended(project: &Project, before: &[Vec<Container>], words: &[&str]) {
    let plan = project.run(&["plan", "--exit-code"]).expect(3);
    for word in words {
        assert!(plan.stdout.contains(word), "no `{word}`: {}", plan.text());
    }
    let elsewhere = |line: &str| matches!(line.trim(), "h1" | "h3");
    assert!(!plan.stdout.lines().any(elsewhere), "{}", plan.text());
    let deploy = project.deploy();
    let hosts: Vec<_> = deploy.changes().iter().map(|change| change["host"].clone()).collect();
    assert_eq!(hosts, ["h2"], "{}", deploy.text());
    project.serves("one");
    assert_eq!((project.containers(1), project.containers(3)), (before[0].clone(), before[2].clone()));
    project.run(&["plan", "--exit-code"]).expect(0);
}

fn by_hand(project: &Project, command: &str) {
    project.lab.host(2).run(command);
}

#[test]
fn what_was_stopped_or_removed_is_back() {
    let (project, before) = deployed("killed");
    let name = &before[1][0].name;
    by_hand(&project, &format!("docker kill {name}"));
    is_mended(&project, &before, &["> web.1 start again"]);
    assert_eq!(project.running(2)[0].id, before[1][0].id, "it was kept");
    by_hand(&project, &format!("docker rm -f {name}"));
    is_mended(&project, &before, &["+ web.1 create"]);
}

#[test]
fn what_was_renamed_serves_on_and_is_found_by_what_it_is() {
    let (project, before) = deployed("renamed");
    by_hand(&project, &format!("docker rename {} {}-mine", before[1][0].name, project.name));
    let plan = project.run(&["plan", "--exit-code"]).expect(0);
    assert!(plan.stdout.contains("was renamed"), "{}", plan.text());
    project.page("two");
    project.deploy();
    project.serves("two");
}

#[test]
fn what_was_added_under_our_labels_goes() {
    let (project, before) = deployed("added");
    let image = &before[1][0].image;
    let run = |service: &str| {
        let labels = format!(
            "--label cloudpad.project={} --label cloudpad.environment= --label cloudpad.service={service} \
             --label cloudpad.instance=1",
            project.name
        );
        by_hand(&project, &format!("docker run -d --name {}-{service} {labels} {image}", project.name));
    };
    run("web");
    is_mended(&project, &before, &["~ web.1 replace"]);
    assert_eq!(project.running(2).len(), 1);
    run("other");
    let plan = project.run(&["plan", "--exit-code"]).expect(3);
    assert!(plan.stdout.contains("- other.1 remove"), "{}", plan.text());
    project.deploy();
    assert_eq!(project.running(2)[0].id, before[1][0].id);
}

#[test]
fn what_was_paused_is_replaced_and_an_image_that_was_replaced_is_brought_again() {
    let (project, before) = deployed("paused");
    by_hand(&project, &format!("docker pause {}", before[1][0].name));
    is_mended(&project, &before, &["~ web.1 replace", "is paused"]);
    let Container { name, image, .. } = &project.running(2)[0];
    // Another image has its name now.
    let other = format!("tar -cf - -T /dev/null | docker import - {image}");
    by_hand(&project, &format!("docker rm -f {name} && docker rmi {image} && {other}"));
    is_mended(&project, &before, &["push", "+ web.1 create"]);
}

/// What `ps` tells of the instance on h2: its state, whether it is healthy, and why not.
fn told(project: &Project) -> (String, Value, String) {
    let listed = project.run(&["ps", "web", "--host", "h2", "--json"]).expect(0).stdout;
    let rows: Vec<Value> = serde_json::from_str(&listed).expect("one JSON document");
    let [row] = &rows[..] else { panic!("{listed}") };
    let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    (text("state"), row["healthy"].clone(), text("reason"))
}

#[test]
fn what_serves_no_more_is_told_with_the_reason_and_replaced() {
    let project = Project::new("ailing");
    project.configure(&(project.web() + "[deploy]\nready_timeout = \"20s\"\n"));
    project.deploy();
    assert_eq!(told(&project), ("running".into(), true.into(), String::new()));
    let before = project.all_containers();
    by_hand(&project, &format!("docker exec {} rm /www/index.html", before[1][0].name));
    let reason = "`GET /` on port 8080 answered 404";
    // It may still be starting, since its page was taken away so soon.
    let mut now = told(&project);
    while now.0 == "starting" {
        assert_eq!((&now.1, &*now.2), (&Value::Null, reason));
        now = told(&project);
    }
    assert_eq!(now, ("unhealthy".into(), false.into(), reason.into()));
    let table = project.run(&["ps"]).expect(0).stdout;
    assert!(table.contains(&format!(" unhealthy ({reason})  ")), "{table}");
    let why = format!("(fails its health check: {reason})");
    is_mended(&project, &before, &["~ web.1 replace, stopping the old one first", &why]);
    assert_eq!(told(&project), ("running".into(), true.into(), String::new()));
    let [new] = &project.containers(2)[..] else { panic!("{:?}", project.containers(2)) };
    assert!(new.id != before[1][0].id, "it is another one, and the old one is gone");
}
