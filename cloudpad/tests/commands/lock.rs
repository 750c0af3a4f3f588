//! `cloudpad plugin lock`.

use serde_json::json;

use crate::room::Room;

const INVENTORY: &str = "[stages]\ninventory = \"aws\"\n";

#[test]
fn what_the_project_uses_is_locked() {
    let room = Room::new();
    room.run(&["plugin", "lock"]).expect(0).says("nothing to lock");
    assert!(!room.at("project/Cloudpad.lock").exists());
    room.greets("bin/cloudpad-aws", "aws", "1.0").trap("bin/cloudpad-other").config(INVENTORY);
    room.run(&["plugin", "lock"]).expect(0).says("+ aws 1.0\n").says("written; commit `Cloudpad.lock`");
    let text = room.read("project/Cloudpad.lock");
    assert!(
        text.contains("name = \"aws\"\nfile = \"cloudpad-aws\"\nversion = \"1.0\"\n")
            && text.contains("any = \""),
        "{text}"
    );
    assert!(!text.contains("other"));
    room.run(&["plugin", "lock"]).expect(0).says("nothing has changed");
    assert_eq!(room.read("project/Cloudpad.lock"), text);
    room.greets("bin/cloudpad-aws", "aws", "2.0");
    assert_eq!(
        room.run(&["plugin", "lock", "--json"]).expect(0).json(),
        json!([{ "change": "changed", "name": "aws", "from": "1.0", "to": "2.0" }])
    );
    room.config("");
    room.run(&["plugin", "lock"]).expect(0).says("- aws\n");
    room.nothing_has_run();
}

#[test]
fn what_the_project_brings_or_names_is_locked_and_not_started() {
    let room = Room::new();
    room.trap("project/.cloudpad/plugins/cloudpad-own").trap("tools/named");
    room.config("[plugins.named]\npath = \"../tools/named\"\n");
    room.run(&["plugin", "lock"]).expect(2).says("plugin `own`").says("you have not trusted it");
    assert!(!room.at("project/Cloudpad.lock").exists());
    room.run(&["trust", "--yes"]).expect(0);
    room.run(&["plugin", "lock"]).expect(0).says("+ named\n+ own\n");
    room.nothing_has_run();
}

#[test]
fn all_environments_are_locked() {
    let room = Room::new();
    room.greets("bin/cloudpad-aws", "aws", "1").greets("bin/cloudpad-gcp", "gcp", "1");
    let staging = "[environments.staging.stages]\ninventory = \"gcp\"\n";
    room.config(&format!("{INVENTORY}{staging}"));
    room.run(&["plugin", "lock"]).expect(0).says("+ aws 1\n+ gcp 1\n");
    // An environment that cannot be understood here, for want of a variable, loses nothing.
    room.config(&format!("{INVENTORY}[environments.staging.services.web]\ncommand = \"${{MISSING}}\"\n"));
    room.run(&["plugin", "lock"])
        .expect(0)
        .says("environment `staging` has problems")
        .says("nothing has changed");
    room.config(INVENTORY);
    room.run(&["plugin", "lock"]).expect(0).says("- gcp\n");
    room.config("[environments.staging.images.web]\nreference = \"web:2\"\n[hosts.h1]\n");
    room.config("nonsense");
    room.run(&["plugin", "lock"]).expect(2).says("nonsense");
}

#[test]
fn one_name_is_one_file() {
    let room = Room::new();
    room.trap("tools/a").program("tools/b", "#!/bin/sh\n");
    room.config(
        "[plugins.x]\npath = \"../tools/a\"\n[environments.staging.plugins.x]\npath = \"../tools/b\"\n",
    );
    room.run(&["plugin", "lock"])
        .expect(2)
        .says("plugin `x` is another file in one environment than in another");
}

#[test]
fn a_plugin_that_does_not_work_is_not_locked() {
    let room = Room::new();
    room.program("bin/cloudpad-aws", "#!/bin/sh\necho oops >&2; exit 3\n").config(INVENTORY);
    room.run(&["plugin", "lock"])
        .expect(2)
        .says("plugin `aws`")
        .says("ended with exit status 3")
        .says("oops");
    room.config("[stages]\ninventory = \"gone\"\n");
    room.run(&["plugin", "lock"]).expect(2).says("has no provider `gone`");
    assert!(!room.at("project/Cloudpad.lock").exists());
}
