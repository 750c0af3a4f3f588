//! What a registry keeps of a project, and what it can do without.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Project, docker};

/// Pushed by way of the lab's registry, from two environments with a host each.
fn configure(project: &Project, more: &str) {
    let push = format!(
        "[stages.push]\nprovider = \"registry\"\nconfig = {{ registry = \"{}\", namespace = \"{}\" }}\n",
        project.lab.registry, project.name
    );
    let staging = format!(
        "[environments.staging.services.web]\nports = [\"{}:8080\"]\nhosts = [\"h2\"]\n",
        project.port + 1
    );
    let hosts = format!("[hosts.h1]\naddress = \"h1\"\n[hosts.h2]\naddress = \"h2\"\n{more}");
    let web = format!("{}hosts = [\"h1\"]\n", project.web());
    project.configure_hosts(&hosts, &format!("{push}{web}[deploy]\nkeep = 1\n{staging}"));
}

/// What becomes of each image that the registry has, sorted: some are as old as others.
#[track_caller]
fn fates(project: &Project) -> Vec<String> {
    let mut fates: Vec<String> =
        rows(project).iter().map(|row| row["fate"].as_str().expect("a word").to_owned()).collect();
    fates.sort();
    fates
}

#[track_caller]
fn rows(project: &Project) -> Vec<Value> {
    let listed = project.run(&["registry", "ls", "web", "--json"]).expect(0).stdout;
    serde_json::from_str(&listed).expect("a list")
}

/// Pushes the page, and returns the image's tag.
fn push(project: &Project, page: &str) -> String {
    project.page(page);
    let pushed = project.run(&["push", "--json"]).expect(0);
    let done =
        pushed.events().into_iter().find(|event| event["event"] == "done" && event["method"] == "push.run");
    let image = done.expect("a push")["object"].as_str().expect("an image").to_owned();
    image.split_once(':').expect("a tag").1.to_owned()
}

#[test]
fn a_registry_keeps_what_any_environment_needs_and_what_is_not_ours() {
    let project = Project::new("shelf");
    configure(&project, "");
    let repository = format!("{0}/{1}/{1}.web", project.lab.registry, project.name);
    let theirs = push(&project, "theirs");
    let name = format!("{repository}:mine");
    docker(&["tag", &format!("{}.web:{theirs}", project.name), &name]);
    docker(&["push", "--quiet", &name]);
    docker(&["rmi", &name]);
    let spare = push(&project, "spare");
    project.page("one");
    project.run(&["deploy", "--yes", "-e", "staging"]).expect(0);
    for page in ["two", "three"] {
        project.page(page);
        project.deploy();
    }
    assert_eq!(fates(&project), ["foreign", "needed", "needed", "needed", "spare"]);
    let hosts: BTreeSet<String> =
        rows(&project).iter().map(|row| row["needed_by"]["hosts"].to_string()).collect();
    assert_eq!(hosts, BTreeSet::from([r#"["h1"]"#, r#"["h2"]"#, "[]"].map(str::to_owned)));
    let table = project.run(&["registry", "ls"]).expect(0).stdout;
    let line = |words: &str| table.lines().filter(|line| line.ends_with(words)).count();
    assert_eq!(
        (line("runs on h1"), line("runs on h2"), line("not Cloudpad's"), line("no")),
        (1, 1, 1, 1),
        "{table}"
    );

    let asked = project.run(&["registry", "prune"]).expect(2);
    assert!(asked.stderr.contains("- remove") && asked.stderr.contains(&spare), "{}", asked.text());
    asked
        .says(&format!("not Cloudpad's, and left in `{repository}`: `mine`"))
        .says("there is no terminal to ask on");
    configure(&project, "[hosts.h9]\naddress = \"root@127.0.0.1:1\"\n");
    let refused = project.run(&["registry", "prune", "--yes"]).expect(2);
    refused.says("host `h9` cannot be looked at, so nobody knows which images it needs");
    project.write("hosts.json", "{ \"hosts\": [{ \"name\": \"H_1!\", \"address\": \"192.0.2.1\" }] }");
    configure(
        &project,
        "[stages.inventory]\nprovider = \"command\"\nconfig = { command = [\"cat\", \"hosts.json\"] }\n",
    );
    let broken = project.run(&["registry", "prune", "--yes"]).expect(2);
    broken.says("`H_1!`").says("mend it there: nobody knows which images it needs");
    project
        .run(&["registry", "prune", "--yes", "--cached"])
        .expect(2)
        .says("`--cached` may not know of hosts");
    configure(&project, "");
    assert_eq!(fates(&project).len(), 5);

    let pruned = project.run(&["-e", "staging", "registry", "prune", "--yes", "--json"]).expect(0);
    assert_eq!(pruned.done(), ["push.remove"]);
    assert_eq!(fates(&project), ["foreign", "needed", "needed", "needed"]);
    assert_eq!(project.run(&["registry", "prune", "--json"]).expect(0).report()["ending"], "nothing_to_do");
    project.run(&["rollback", "--yes"]).expect(0);
    let unknown = project.run(&["registry", "ls", "none"]).expect(2);
    unknown.says("no image is called `none`").says("the project has `web`");
}

#[test]
fn images_that_go_straight_to_hosts_are_in_no_registry() {
    let project = Project::new("shelfless");
    project.configure(&project.web());
    let refused = project.run(&["registry", "ls"]).expect(2);
    refused.says("push provider `ssh` has no registry to look into");
}
