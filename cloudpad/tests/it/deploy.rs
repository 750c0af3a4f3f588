//! The main path: a first deploy, one that has nothing to do, a change of code, a change of config.

use crate::support::Project;

#[test]
fn a_first_deploy_serves_on_every_host() {
    let project = Project::new("first");
    project.configure(&project.web());
    let outcome = project.deploy();
    project.serves("one");
    assert_eq!(outcome.report()["ending"], "done");
    assert_eq!(outcome.changes().len(), 3);
    for number in 1..=3 {
        let containers = project.containers(number);
        assert_eq!(containers.len(), 1);
        // `per_host` counts on each host.
        assert_eq!(containers[0].instance, "web.1");
        assert!(containers[0].image.starts_with(&format!("{}.web:", project.name)), "{containers:?}");
    }
}

#[test]
fn a_deploy_without_a_change_touches_nothing() {
    let project = Project::new("again");
    project.configure(&project.web());
    project.deploy();
    let before = project.all_containers();
    let outcome = project.deploy();
    assert_eq!(outcome.report()["ending"], "nothing_to_do");
    assert_eq!(outcome.report()["sent"], 0);
    assert!(outcome.done().is_empty(), "{}", outcome.text());
    assert_eq!(project.all_containers(), before);
}

#[test]
fn a_change_of_code_replaces_every_container() {
    let project = Project::new("code");
    project.configure(&project.web());
    project.deploy();
    let before = project.all_containers();
    project.page("two");
    let outcome = project.deploy();
    project.serves("two");
    assert_eq!(outcome.count("build.run"), 1);
    assert_eq!(outcome.count("deploy.start"), 3);
    for (number, old) in (1..=3).zip(before) {
        let running = project.running(number);
        assert_eq!(running.len(), 1);
        assert_ne!(running[0].image, old[0].image);
        // The old one is kept, for a rollback without a download.
        let kept = project.containers(number).into_iter().find(|container| container.id == old[0].id);
        assert!(kept.is_some_and(|container| !container.running));
    }
}

#[test]
fn a_change_of_config_builds_and_sends_nothing() {
    let project = Project::new("config");
    project.configure(&project.web());
    project.deploy();
    let before = project.running(1);
    project.configure(&(project.web() + "env = { COLOUR = \"blue\" }\n"));
    let outcome = project.deploy();
    assert_eq!((outcome.count("build.run"), outcome.count("push.run")), (0, 0), "{}", outcome.text());
    assert_eq!(outcome.changes()[0]["why"], serde_json::json!(["env.COLOUR"]));
    let after = project.running(1);
    assert_eq!(after[0].image, before[0].image);
    assert!(after[0].env.contains(&"COLOUR=blue".to_owned()), "{after:?}");
    project.serves("one");
}

#[test]
fn only_what_is_selected_is_deployed() {
    let project = Project::new("select");
    project.configure(&project.web());
    project.run(&["deploy", "--yes", "--host", "h2"]).expect(0);
    assert_eq!([1, 2, 3].map(|number| project.containers(number).len()), [0, 1, 0]);
    project.run(&["deploy", "--yes", "--host", "h9*"]).expect(2).says("h9*").says("h1");
}

#[test]
fn other_projects_are_left_alone() {
    let (mine, other) = (Project::new("mine"), Project::new("other"));
    for project in [&mine, &other] {
        project.configure(&project.web());
        project.deploy();
    }
    let before = other.all_containers();
    mine.page("two");
    mine.deploy();
    assert_eq!(other.all_containers(), before);
    other.serves("one");
    mine.serves("two");
}
