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
