//! `cloudpad --list` and `cloudpad plugin list`.

use serde_json::json;

use crate::room::{Room, Run, shown};

#[test]
fn all_commands_are_listed_and_none_is_run() {
    let room = Room::new();
    room.trap("bin/cloudpad-foo")
        .trap("bin/cloudpad-deploy")
        .trap("bin/cloudpad-bad")
        .mode("bin/cloudpad-bad", 0o644);
    room.trap("project/.cloudpad/plugins/cloudpad-untrusted").trap("bin/cloudpad-lib.so");
    let listed = room.run(&["--list"]).expect(0);
    let names: Vec<String> =
        listed.stdout.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let built_in = [
        "init",
        "doctor",
        "check",
        "config",
        "plan",
        "build",
        "push",
        "deploy",
        "releases",
        "rollback",
        "prune",
        "registry",
        "history",
        "stop",
        "start",
        "restart",
        "scale",
        "remove",
        "ps",
        "lock",
        "maintenance",
        "logs",
        "events",
        "stats",
        "exec",
        "run",
        "hosts",
        "secrets",
        "plugin",
        "trust",
        "help",
    ];
    assert_eq!(names, [&built_in[..], &["foo"]].concat());
    let listed = listed.shows("check Check `Cloudpad.toml`, without touching anything");
    listed.shows(&format!("foo {}", shown(&room.at("bin/cloudpad-foo"))));
    let told = room.run(&["--list", "--json"]).expect(0).json();
    let last = told.as_array().unwrap().last().unwrap();
    assert_eq!(*last, json!({ "name": "foo", "path": room.at("bin/cloudpad-foo") }));
    room.nothing_has_run();
}

#[test]
fn commands_are_listed_whatever_the_config_is() {
    let room = Room::new();
    room.trap("bin/cloudpad-foo").config("nonsense");
    room.run(&["--list"]).expect(0).shows("foo ");
    Run::of(room.command("home", &["--list"])).expect(0).shows("foo ");
}

#[test]
fn providers_and_what_uses_them() {
    let room = Room::new();
    room.trap("bin/cloudpad-aws-inventory").trap("bin/libcloudpad_vault.so");
    room.config("[stages]\ninventory = \"aws\"\n");
    let version = env!("CARGO_PKG_VERSION");
    let path = |file: &str| shown(&room.at(&format!("bin/{file}")));
    let listed = room.run(&["plugin", "list"]).expect(0);
    let expected = [
        "STAGE PROVIDER CARRIER VERSION USED FOR WHERE".to_owned(),
        format!("inventory aws executable inventory {}", path("cloudpad-aws-inventory")),
        format!("inventory command built in {version}"),
        format!("inventory etcd built in {version}"),
        format!("source git built in {version} source"),
        format!("secrets age built in {version}"),
        format!("secrets command built in {version}"),
        format!("secrets env built in {version} secrets"),
        format!("build docker built in {version} build"),
        format!("push registry built in {version}"),
        format!("push ssh built in {version} push"),
        format!("deploy fleet built in {version}"),
        format!("deploy ssh built in {version} deploy"),
        format!("deploy swarm built in {version}"),
        format!("any vault library {}", path("libcloudpad_vault.so")),
        String::new(),
        "COMMAND WHERE".to_owned(),
        format!("aws-inventory {}", path("cloudpad-aws-inventory")),
    ];
    assert_eq!(listed.lines(), expected);
    let outside = Run::of(room.command("home", &["plugin", "list"])).expect(0);
    let aws = format!("inventory aws executable {}", path("cloudpad-aws-inventory"));
    outside.shows(&aws).shows(&format!("source git built in {version}"));
    room.nothing_has_run();
}

#[test]
fn what_is_shadowed_or_passed_over_is_told_when_asked() {
    let room = Room::new();
    room.trap("home/.local/share/cloudpad/plugins/cloudpad-foo").trap("bin/cloudpad-foo");
    room.trap("bin/cloudpad-bad").mode("bin/cloudpad-bad", 0o644).trap("bin/cloudpad-Odd");
    let first = shown(&room.at("home/.local/share/cloudpad/plugins/cloudpad-foo"));
    let plain = room.run(&["plugin", "list"]).expect(0);
    assert!(!plain.stdout.contains("NOT USED"));
    let all = room.run(&["plugin", "list", "--all"]).expect(0);
    all.shows(&format!("{} `{first}` goes before it", shown(&room.at("bin/cloudpad-foo"))))
        .shows(&format!("{} it is not executable", shown(&room.at("bin/cloudpad-bad"))))
        .shows(&format!(
            "{} what follows `cloudpad-` is not a plugin's name",
            shown(&room.at("bin/cloudpad-Odd"))
        ));
    let told = room.run(&["plugin", "list", "--all", "--json"]).expect(0).json();
    assert_eq!(told["commands"], json!([{ "command": "foo", "path": first }]));
    assert_eq!(told["unused"].as_array().map(Vec::len), Some(3), "{told}");
    room.nothing_has_run();
}

#[test]
fn what_the_project_may_not_use_is_told() {
    let room = Room::new();
    room.greets("bin/cloudpad-aws", "aws", "1.2").trap("project/.cloudpad/plugins/cloudpad-own");
    room.config("[stages]\ninventory = \"aws\"\nsource = \"own\"\npush = \"none\"\n");
    let listed = room.run(&["plugin", "list"]).expect(0);
    listed
        .shows("cloudpad-own cannot be used: you have not trusted it")
        .shows("push none missing push there is no");
    room.config("[stages]\ninventory = \"aws\"\n");
    room.run(&["trust", "--yes"]).expect(0);
    room.run(&["plugin", "lock"]).expect(0);
    room.run(&["plugin", "list"]).expect(0).shows("inventory aws executable 1.2 inventory");
    room.trap("bin/cloudpad-aws");
    room.run(&["plugin", "list"])
        .expect(0)
        .shows("cannot be used: plugin `aws`")
        .shows("`Cloudpad.lock` lists");
    room.config("nonsense");
    room.run(&["plugin", "list"]).expect(0).says("`cloudpad check` tells them").shows("source git built in");
    room.nothing_has_run();
}
