//! `hosts add` and `check` as they look at the file in all of its environments, without any host.

use crate::room::Room;

#[test]
fn the_first_hosts_come_one_by_one() {
    let room = Room::new();
    room.config(
        "roles = [\"web\"]\n[services.worker]\nimage = \"web\"\nroles = [\"worker\"]\n[services.db]\nimage = \"web\"\nhosts = [\"h1\"]\n",
    );
    room.run(&["plan"])
        .expect(2)
        .says("`cloudpad hosts add h1 ADDRESS` adds it")
        .says("--role worker` adds one that has it");
    let added = room.run(&["hosts", "add", "h1", "h1", "--role", "web"]).expect(0).says("added `h1`");
    let added = added.says("warning: no host has the role `worker`");
    assert!(!added.stderr.contains("`web`") && !added.stderr.contains("this machine"), "{added:#?}");
    // What would make it worse is refused as ever.
    room.run(&["hosts", "add", "h2", "h1"]).expect(2).says("host `h1` has this address too");
    let added = room.run(&["hosts", "add", "h2", "h2", "--role", "worker", "--offline"]).expect(0);
    assert!(!added.stderr.contains("warning"), "{added:#?}");
    room.run(&["check"]).expect(0).says("2 hosts");
}

#[test]
fn a_host_has_to_be_right_in_all_environments() {
    let room = Room::new();
    let staging = "[hosts.h1]\naddress = \"h1\"\n[environments.staging.hosts.h1]\naddress = \"h3\"\n[environments.test]\n";
    room.config(staging);
    let before = room.read("project/Cloudpad.toml");
    let refused = room.run(&["hosts", "add", "h3", "h3", "--offline"]).expect(2);
    refused.says("error: in environment `staging`: host `h1` has this address too").says("Cloudpad.toml:");
    assert_eq!(room.read("project/Cloudpad.toml"), before);
    room.run(&["hosts", "add", "h3", "h3", "--offline", "-e", "test"]).expect(0);
    room.run(&["check"]).expect(0).says("; so it is in environment `staging`, `test`");
    room.config(&format!("{staging}[hosts.h3]\naddress = \"h3\"\n[hosts.h4]\naddress = \"h4\"\n"));
    let words = "in environment `staging`: host `h1` has this address too";
    room.run(&["check"]).expect(2).says(words);
    room.run(&["check", "-e", "test"]).expect(0);
    room.run(&["hosts", "rm", "h4", "--yes"]).expect(2).says(words);
}

#[test]
fn what_is_wrong_in_all_environments_is_said_once() {
    let room = Room::new();
    room.config("[environments.staging]\n[images.app]\ndockerfile = \"none/Dockerfile\"\n");
    let refused = room.run(&["check"]).expect(2).says("Cloudpad.toml:9:14");
    assert_eq!(refused.stderr.matches("error:").count(), 1, "{refused:#?}");
}

#[test]
fn a_host_of_an_inventory_is_not_put_into_a_file_that_is_wrong() {
    let room = Room::new();
    let inventory =
        "[stages.inventory]\nprovider = \"etcd\"\nconfig = { endpoints = [\"http://127.0.0.1:1\"] }\n";
    room.config(&format!(
        "{inventory}[jobs.migrate]\nservice = \"web\"\nwhen = \"before\"\ndepends_on = [\"db\"]\n"
    ));
    let before = room.read("project/Cloudpad.toml");
    let add = ["hosts", "add", "h1", "h1", "--offline"];
    room.run(&add).expect(2).says("Cloudpad.toml:").says("`db`");
    assert_eq!(room.read("project/Cloudpad.toml"), before);
    // One that is not TOML names nothing.
    room.config(&format!("{inventory}[jobs"));
    let before = room.read("project/Cloudpad.toml");
    room.run(&add).expect(2).says("the file cannot be read");
    assert_eq!(room.read("project/Cloudpad.toml"), before);
}
