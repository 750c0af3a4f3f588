//! What is seen of services, tasks and nodes.

use serde_json::{Value, json};

use super::*;
use crate::spec::tests::{asked, service};

/// A service as a manager tells it, changed so after it was applied.
fn engine(change: impl FnOnce(&mut Value)) -> EngineService {
    let mut told = json!({
        "ID": "abcdefghijklmnop", "Spec": asked(&service(), None).unwrap(),
        "ServiceStatus": { "DesiredTasks": 2 }, "UpdateStatus": { "State": "completed", "Message": "done" },
    });
    change(&mut told);
    serde_json::from_value(told).unwrap()
}

/// A task of that service, changed so.
fn task(change: impl FnOnce(&mut Value)) -> Task {
    let mut told = json!({
        "ServiceID": "abcdefghijklmnop", "Slot": 1, "NodeID": "1", "DesiredState": "running",
        "Spec": asked(&service(), None).unwrap().task_template,
        "Status": { "State": "running", "Timestamp": "2026-01-31T12:00:00Z", "Message": "started" },
    });
    change(&mut told);
    serde_json::from_value(told).unwrap()
}

fn look(service: &EngineService, tasks: &[Task]) -> Seen {
    let nodes = ["n1", "n2"].map(|name| (name[1..].to_owned(), name.to_owned())).into();
    seen(service, tasks, &nodes, "2026-01-31T12:02:00Z".parse().unwrap())
}

#[test]
fn a_service_is_known_by_what_it_was_applied_as_until_somebody_changes_it() {
    let seen = look(&engine(|_| {}), &[]);
    assert_eq!((&*seen.name, &*seen.release, &*seen.id), ("web", "r1", "new"));
    assert_eq!((seen.service.as_deref(), &*seen.image), (Some(&service()), "r/web@sha256:1"));
    assert_eq!((seen.wanted, seen.rollout, &*seen.message), (2, Rollout::Settled, "done"));
    let replicas = |it: &mut Value| it["Spec"]["Mode"]["Replicated"]["Replicas"] = json!(3);
    let changed = look(&engine(replicas), &[]);
    assert_eq!((&*changed.id, changed.revision == seen.revision), ("", false), "somebody has scaled it");
    // How far an update is makes it no other one.
    assert_eq!(look(&engine(|it| it["UpdateStatus"] = Value::Null), &[]).revision, seen.revision);
    assert_ne!(look(&engine(|it| it["ID"] = json!("ponmlkjihgfedcba")), &[]).revision, seen.revision);
}

#[test]
fn an_update_that_was_given_up_is_told_from_one_that_was_taken_back() {
    for (state, expected) in [
        ("updating", Rollout::Updating),
        ("rollback_started", Rollout::Updating),
        ("paused", Rollout::Paused),
        ("rollback_paused", Rollout::Paused),
        ("rollback_completed", Rollout::RolledBack),
        ("completed", Rollout::Settled),
    ] {
        assert_eq!(rollout(&engine(|it| it["UpdateStatus"]["State"] = json!(state))), expected, "{state}");
    }
}

#[test]
fn an_instance_is_told_with_where_it_is_and_why_or_for_how_long() {
    let tasks = [
        task(|it| it["Slot"] = json!(3)),
        task(|it| it["DesiredState"] = json!("shutdown")),
        task(|it| it["ServiceID"] = json!("another")),
        task(|it| {
            (it["Slot"], it["NodeID"]) = (json!(2), json!("2"));
            it["Status"] = json!({ "State": "pending", "Message": "waits", "Err": "no\nnode" });
        }),
        task(|it| it["Status"] = json!({ "State": "preparing", "Message": "pulls", "Err": "" })),
        task(|it| {
            it["Slot"] = json!(4);
            it["Spec"]["ContainerSpec"]["Image"] = json!("old");
        }),
        task(|it| {
            it["Slot"] = json!(5);
            it["Status"]["State"] = json!("failed");
        }),
        task(|it| (it["Slot"], it["NodeID"]) = (json!(0), json!("unknown"))),
    ];
    let seen = look(&engine(|_| {}), &tasks);
    let told: Vec<_> = seen
        .instances
        .iter()
        .map(|one| (one.number, &*one.node, one.state, &*one.id, one.healthy, &*one.status))
        .collect();
    let (up, begins, gone) = (State::Running, State::Starting, State::Stopped);
    let expected = [
        (None, "", up, "new", true, "2 minutes"),
        (Some(1), "n1", begins, "new", false, "pulls"),
        (Some(2), "n2", begins, "new", false, "no node"),
        (Some(3), "n1", up, "new", true, "2 minutes"),
        (Some(4), "n1", up, "another", false, "2 minutes"),
        (Some(5), "n1", gone, "new", false, "started"),
    ];
    assert_eq!(told, expected);
    // Nobody has asked one without checks for its health.
    let mut plain = service();
    Arc::make_mut(&mut plain.spec).health = None;
    let plain = asked(&plain, None).unwrap();
    let running = task(|it| it["Spec"] = json!(plain.task_template));
    let seen = look(&engine(|it| it["Spec"] = json!(plain)), &[running]);
    assert_eq!((&*seen.instances[0].id, seen.instances[0].healthy), ("new", false));
}

#[test]
fn a_node_has_the_roles_of_its_labels_and_says_why_it_takes_nothing() {
    let see = |availability: &str, state: &str| {
        let labels = json!({ "cloudpad.role.web": "true", "cloudpad.role.db": "false", "rack": "7" });
        let told = json!({
            "Spec": { "Role": "worker", "Availability": availability, "Labels": labels },
            "Description": { "Hostname": "n1" }, "Status": { "State": state, "Addr": "192.0.2.1" },
        });
        node(&serde_json::from_value(told).unwrap())
    };
    let well = see("active", "ready");
    assert_eq!((&*well.name, &*well.address, &*well.closed), ("n1", "192.0.2.1", ""));
    assert_eq!(well.roles, ["web", "worker"]);
    let labels = [("cloudpad.role.db", "false"), ("rack", "7")];
    assert_eq!(well.labels, labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    let closed = [("drain", "ready"), ("pause", "ready"), ("active", "down")];
    assert_eq!(closed.map(|(one, other)| see(one, other).closed), ["drain", "pause", "down"]);
}
