//! What an inventory has listed last, for when it cannot be asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::inventory::{changed, project, script};
use crate::support::Project;

const ONE: &str = r#"echo '[{"name": "one", "address": "h1", "roles": ["web"]}]'"#;
const DOWN: &str = "echo 'the cloud is down' >&2; exit 1";
const KEPT: &str = ".cloudpad/inventory.json";

/// Changes what is kept.
fn change(project: &Project, change: impl FnOnce(&mut Value)) {
    let mut kept = kept(project);
    change(&mut kept);
    project.write(KEPT, kept.to_string());
}

fn kept(project: &Project) -> Value {
    let text = fs::read_to_string(project.path(KEPT)).expect("it is kept");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn what_was_listed_last_is_used_where_it_is_asked_for_and_the_plan_says_so() {
    let project = project("cached", "", ONE);
    project.run(&["plan", "--cached"]).expect(2).says("there is no `").says("inventory.json`");
    project.run(&["hosts", "ls"]).expect(0);
    let mode = fs::metadata(project.path(KEPT)).expect("it is kept").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it is for nobody else");
    script(&project, DOWN);
    let failed = project.run(&["deploy", "--yes"]).expect(2).says("the cloud is down");
    failed.says("`--cached` takes the hosts that it listed last: 2").says("less than a minute ago");
    assert_eq!(project.containers(1), []);
    change(&project, |kept| kept["time"] = "20260131T235959Z".into());
    let told = project.run(&["plan", "--json"]).expect(2);
    assert!(told.stdout.contains("it listed last: 2026-01-31 23:59:59 UTC, "), "{}", told.text());
    assert!(!project.run(&["plan", "--json"]).stdout.contains("was not asked"));

    let note =
        "inventory `command` was not asked (`--cached`): its hosts are those of 2026-01-31 23:59:59 UTC, ";
    let plan = project.run(&["plan", "--cached"]).expect(0);
    assert!(plan.stdout.contains(note) && plan.stdout.contains(" days ago"), "{}", plan.text());
    let json: Value =
        serde_json::from_str(&project.run(&["plan", "--cached", "--json"]).expect(0).stdout).expect("JSON");
    assert!(json["notes"][0]["message"].as_str().is_some_and(|message| message.starts_with(note)), "{json}");
    let deploy = project.run(&["deploy", "--yes", "--cached", "--json"]).expect(0);
    assert_eq!(changed(&deploy), ["\"one\""]);
    let plan = deploy.events().into_iter().find(|event| event["event"] == "plan").expect("a plan");
    assert!(plan["notes"].to_string().contains(note), "{plan}");
    assert_eq!(project.get(1), Ok((200, "one".to_owned())));
    let removal = project.run(&["remove", "--yes", "--cached"]).expect(0);
    assert!(removal.text().contains(note), "{}", removal.text());
    assert_eq!(project.containers(1), []);
    assert_eq!(kept(&project)["time"], "20260131T235959Z", "who does not ask keeps nothing new");
    for command in [
        &["ps", "--cached"][..],
        &["hosts", "ls", "--cached"],
        &["hosts", "ssh", "one", "--cached", "--", "true"],
    ] {
        project.run(command).expect(0);
    }
}

#[test]
fn the_file_is_always_asked_for_its_own_hosts() {
    let project = project("cachedown", "", ONE);
    project.run(&["hosts", "ls"]).expect(0);
    let config = fs::read_to_string(project.path("Cloudpad.toml")).expect("the config");
    project.write("Cloudpad.toml", config.clone() + "[hosts.two]\naddress = \"h2\"\nroles = [\"web\"]\n");
    script(&project, DOWN);
    let deploy = project.run(&["deploy", "--yes", "--cached", "--json"]).expect(0);
    assert_eq!(changed(&deploy), ["\"one\"", "\"two\""]);
    let hosts = kept(&project)["hosts"].clone();
    assert_eq!(hosts.as_array().map(Vec::len), Some(1), "{hosts}");
    let without = config.split_once("[stages.inventory]").expect("the stage").0.to_owned();
    let web = project.web() + "[hosts.two]\naddress = \"h2\"\n";
    project.write("Cloudpad.toml", without + &web);
    let plan = project.run(&["plan", "--cached"]).expect(0);
    assert!(!plan.text().contains("was not asked"), "there is no inventory: {}", plan.text());
}

#[test]
fn what_is_kept_is_of_one_environment_provider_and_config() {
    let project = project("cachedenv", "", ONE);
    let config = fs::read_to_string(project.path("Cloudpad.toml")).expect("the config");
    let config = config
        + "[environments.prod]\n[environments.old.stages.inventory.config]\ncommand = [\"./hosts\", \"old\"]\n";
    project.write("Cloudpad.toml", &config);
    project.run(&["hosts", "ls"]).expect(0);
    project.run(&["hosts", "ls", "--cached", "-e", "prod"]).expect(2).says("inventory.prod.json`");
    project.run(&["hosts", "ls", "-e", "prod"]).expect(0);
    project.run(&["hosts", "ls", "--cached", "-e", "prod"]).expect(0);
    fs::copy(project.path(KEPT), project.path(".cloudpad/inventory.old.json")).expect("a copy");
    script(&project, DOWN);
    let other = project.run(&["plan", "--cached", "-e", "old"]).expect(2);
    other.says("is not of this inventory: inventory `command` has listed it with another `config`");
    let failed = project.run(&["plan", "-e", "old"]).expect(2).says("the cloud is down");
    assert!(!failed.text().contains("--cached"), "{}", failed.text());
    change(&project, |kept| kept["provider"] = "aws".into());
    let other = project.run(&["plan", "--cached"]).expect(2);
    other.says("inventory `aws` has listed it, and now it is inventory `command`").says("without `--cached`");
}

#[test]
fn what_is_broken_is_told_and_written_anew() {
    let project = project("cachedbad", "", ONE);
    project.run(&["hosts", "ls"]).expect(0);
    let text = fs::read_to_string(project.path(KEPT)).expect("it is kept");
    for (broken, why) in [
        (text[..text.len() / 2].to_owned(), "is not what was kept of the inventory: EOF while parsing"),
        (text.replace("\"version\":1", "\"version\":2"), "its version is 2"),
        (text.replace("\"address\":\"h1\"", "\"address\":\"h1:x\""), "host `one` with address `h1:x`"),
    ] {
        project.write(KEPT, broken);
        project.run(&["deploy", "--yes", "--cached"]).expect(2).says(why);
        script(&project, DOWN);
        project.run(&["hosts", "ls"]).expect(2).says("the cloud is down");
        script(&project, ONE);
        project.run(&["hosts", "ls"]).expect(0);
        project.run(&["hosts", "ls", "--cached"]).expect(0);
    }
    script(&project, "echo '[{\"name\": \"one\", \"address\": \"h1:x\"}]'");
    project.run(&["hosts", "ls"]).expect(0).says("host `one` with address `h1:x`");
    let whole = project.run(&["hosts", "ls", "--cached"]).expect(0);
    assert!(whole.stdout.contains("one "), "what is broken is not kept: {}", whole.text());
    // A folder in its place cannot be replaced: who only looks goes on.
    fs::remove_file(project.path(KEPT)).expect("it is kept");
    fs::create_dir_all(project.path(KEPT).join("in the way")).expect("a folder");
    script(&project, ONE);
    project.run(&["hosts", "ls", "-v"]).expect(0).says("what the inventory has listed is not kept");
}
