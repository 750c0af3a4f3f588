//! Wire messages as values against the lines that stand for them, both ways. `transcripts` holds all of the
//! protocol; here is that a field of a line is the field of the type that it should be.

#![allow(clippy::unwrap_used, reason = "a test may")]

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{ImageRef, Pull, Pulled};
use cloudpad_plugin_api::stage::inventory::List;
use cloudpad_plugin_api::stage::secrets::Values;
use cloudpad_plugin_api::wire::{Call, FromHost, FromPlugin, HostHello, PluginHello, Provides};
use cloudpad_plugin_api::{
    CheckConfig, Event, Failure, Level, Outcome, Progress, Reply, Request, Secret, Stage,
};
use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

fn same<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    value: &T,
    expected: &serde_json::Value,
) {
    assert_eq!(&serde_json::to_value(value).unwrap(), expected);
    assert_eq!(&serde_json::from_value::<T>(expected.clone()).unwrap(), value);
}

#[test]
fn messages_of_the_host() {
    let pull = Request::DeployPull(Pull {
        host: Host::new("h1", "deploy@192.0.2.1").into(),
        image: ImageRef::Known("r.example/app@sha256:0".to_owned()),
        tag: Some("app:1".to_owned()),
    });
    let call = Call {
        id: 7,
        provider: "ssh".to_owned(),
        config: json!({ "socket": "/run/docker.sock" }),
        key: "pull/h1/app:1".to_owned(),
        secrets: Values(BTreeMap::from([("token".to_owned(), Secret::from("s3cr3t".to_owned()))])),
        request: pull,
    };
    let host = json!({ "name": "h1", "address": "deploy@192.0.2.1" });
    same(
        &FromHost::Call(call),
        &json!({
            "t": "call", "id": 7, "provider": "ssh", "config": { "socket": "/run/docker.sock" },
            "key": "pull/h1/app:1", "secrets": { "token": "s3cr3t" }, "method": "deploy.pull",
            "params": { "host": host, "image": "r.example/app@sha256:0", "tag": "app:1" },
        }),
    );
    let hello = HostHello { protocol: 1, version: "0.1.0".to_owned(), max_line: 16 };
    same(
        &FromHost::Hello(hello),
        &json!({ "t": "hello", "protocol": 1, "version": "0.1.0", "max_line": 16 }),
    );
    let cancel = FromHost::Cancel { id: 7, reason: "interrupted".to_owned() };
    same(&cancel, &json!({ "t": "cancel", "id": 7, "reason": "interrupted" }));
}

#[test]
fn messages_of_the_plugin() {
    let hello = PluginHello {
        name: "aws".to_owned(),
        version: "1.2.3".to_owned(),
        protocols: vec![1],
        provides: vec![Provides {
            stage: Stage::Inventory,
            provider: "aws".to_owned(),
            methods: vec!["inventory.list".to_owned()],
            about: "EC2 instances by tag".to_owned(),
            scope: None,
        }],
        parallel: true,
    };
    same(
        &FromPlugin::Hello(hello),
        &json!({
            "t": "hello", "name": "aws", "version": "1.2.3", "protocols": [1], "parallel": true,
            "provides": [{ "stage": "inventory", "provider": "aws", "methods": ["inventory.list"],
                           "about": "EC2 instances by tag" }],
        }),
    );
    let progress =
        Progress { label: "sending".to_owned(), done: 1, total: Some(2), unit: "bytes".to_owned() };
    same(
        &FromPlugin::Event { id: 7, event: Event::Progress(progress) },
        &json!({ "t": "event", "id": 7, "kind": "progress", "label": "sending", "done": 1, "total": 2, "unit": "bytes" }),
    );
    let log = Event::Log { level: Level::Warn, message: "slow".to_owned() };
    same(
        &FromPlugin::Event { id: 7, event: log },
        &json!({ "t": "event", "id": 7, "kind": "log", "level": "warn", "message": "slow" }),
    );
    same(
        &FromPlugin::Result { id: 7, ok: json!({ "id": "sha256:1" }) },
        &json!({ "t": "result", "id": 7, "ok": { "id": "sha256:1" } }),
    );
    same(
        &FromPlugin::Error {
            id: 7,
            error: Failure::failed("no").cause("why").on("h1").outcome(Outcome::Partial),
        },
        &json!({ "t": "error", "id": 7, "error": { "kind": "failed", "message": "no", "causes": ["why"],
                 "retryable": false, "outcome": "partial", "host": "h1" } }),
    );
}

#[test]
fn an_answer_is_read_as_what_was_asked_for() {
    let pull = Request::DeployPull(Pull {
        host: Host::new("h1", "local").into(),
        image: ImageRef::Known("app:1".to_owned()),
        tag: None,
    });
    let check = Request::ConfigCheck(CheckConfig { stage: Stage::Push });
    for (request, reply, ok) in [
        (&pull, Reply::Pulled(Pulled { id: "sha256:1".to_owned() }), json!({ "id": "sha256:1" })),
        (&check, Reply::Done, json!({})),
    ] {
        assert_eq!(serde_json::to_value(&reply).unwrap(), ok);
        assert_eq!(request.reply(ok).unwrap(), reply);
    }
    let list = Request::InventoryList(List {});
    assert!(list.reply(json!({ "id": "sha256:1" })).is_err(), "another method's answer");
    assert!(check.reply(json!("fine")).is_err(), "no object");
    let more = json!({ "id": "sha256:1", "size": 3 });
    assert_eq!(pull.reply(more).unwrap(), Reply::Pulled(Pulled { id: "sha256:1".to_owned() }));
}
