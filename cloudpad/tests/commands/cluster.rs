//! Commands where a cluster decides what runs where.

use serde_json::json;

use crate::room::Room;

/// A project whose deploy provider is a plugin for a cluster.
fn room() -> Room {
    let room = Room::new();
    room.config("[stages]\ndeploy = \"mine\"\n");
    let hello = json!({
        "t": "hello", "name": "mine", "version": "1", "protocols": [1],
        "provides": [{ "stage": "deploy", "provider": "mine", "methods": ["cluster.apply"] }],
    });
    room.program("bin/cloudpad-mine", &format!("#!/bin/sh\necho '{hello}'\ncat >/dev/null\n"));
    room
}

#[test]
fn what_is_about_hosts_is_refused() {
    let room = room();
    for command in [&["exec", "web", "true"][..], &["hosts", "ls"], &["stop", "web"], &["maintenance", "on"]]
    {
        let refused = room.run(command).expect(2);
        refused.says("is not supported with deploy provider `mine`: a cluster decides what runs where");
    }
    let said = room.run(&["history"]);
    assert!(!said.stderr.contains("a cluster decides"), "{said:?}");
}

#[test]
fn all_that_a_swarm_cannot_do_is_told_by_a_look_at_the_config() {
    let room = Room::new();
    room.write("project/Dockerfile", "FROM scratch\n");
    let config = "[project]\nname = \"shop\"\n[stages]\ndeploy = \"swarm\"\n[images.web]\n\
                  [services.web]\nimage = \"web\"\nreplicas = 1\nvolumes = [\"data:/data\"]\n\
                  health = { http = \"/\", port = 80 }\nroute = { hosts = [\"a.example.com\"], port = 80 }\n";
    room.write("project/Cloudpad.toml", config);
    let told = room.run(&["check"]).expect(2);
    told.says("the proxy for routes runs on hosts").says("is sent to each host");
    let push =
        "[stages.push]\nprovider = \"registry\"\nconfig = { registry = \"r.example.com\" }\n[images.web]";
    let config = config.replace("route = ", "# ").replace("[images.web]", push);
    room.write("project/Cloudpad.toml", &config);
    room.run(&["check"]).expect(2).says("`web` has volumes").says("is asked by HTTP");
    let etcd = "[stages.inventory]\nprovider = \"etcd\"\nconfig = { endpoints = [\"http://127.0.0.1:1\"], publish = \"/services/\" }\n";
    room.config(&format!("[stages]\ndeploy = \"swarm\"\n{etcd}"));
    room.run(&["check"])
        .expect(2)
        .says("`publish` would tell others where instances are")
        .says("Cloudpad.toml:11:");
    room.config(&format!("[stages]\ndeploy = \"swarm\"\n{}", etcd.replace(", publish = \"/services/\"", "")));
    room.run(&["check"]).expect(0);
}
