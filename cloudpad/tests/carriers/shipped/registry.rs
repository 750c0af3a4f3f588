//! Push provider `registry`, to a registry of its own.

use std::process::Command;

use cloudpad_plugin_api::stage::push::{Gone, List, Remove, Run};
use cloudpad_plugin_api::{Request, Stage};
use serde_json::{Value, json};

use super::engine::{Image, Mute, Server};
use super::{World, hide_field, is_the_same_everywhere, without};
use crate::steps::{Step, check};

struct Room {
    server: Server,
    image: Image,
    mute: Mute,
}

fn room() -> Room {
    Room { server: Server::new(), image: Image::new(), mute: Mute::new() }
}

impl World for Room {
    fn steps(&self) -> Vec<Step> {
        let step = |what, config, request| Step::new(what, "registry", config, request);
        let push = |image: &str| {
            Request::PushRun(Run { reference: image.to_owned(), host: None, similar: Vec::new() })
        };
        let list = |repository: &str| Request::PushList(List { repository: repository.to_owned() });
        let gone = Gone { digest: format!("sha256:{}", "0".repeat(64)), tags: Vec::new() };
        let remove = Remove { repository: "cptc-none".to_owned(), images: vec![gone] };
        let name = self.image.0.trim_end_matches(":1");
        let to = |address: &str| json!({ "registry": address, "namespace": "team/x" });
        let (open, mute) = (to(&self.server.address), self.mute.clone());
        vec![
            step("a config is fit", open.clone(), check(Stage::Push)),
            step("no config", Value::Null, check(Stage::Push)),
            step("a config with an odd registry", to("registry"), check(Stage::Push)),
            step("a config with an odd key", json!({ "colour": 1 }), check(Stage::Push)),
            step("a push", open.clone(), push(&self.image.0)).keyed("push/web"),
            step("the same push again", open.clone(), push(&self.image.0)).keyed("push/web"),
            step("no such image", open.clone(), push("cptc-none:1")),
            step("no tag", open.clone(), push("cptc-none")),
            step("a list", open.clone(), list(name)),
            step("a list of what nobody has pushed", open.clone(), list("cptc-none")),
            step("a registry that removes nothing", open, Request::PushRemove(remove)).keyed("remove/none"),
            step("cancelled", to(&mute.address()), push(&self.image.0)).cancelled_once(move || mute.take()),
        ]
    }

    fn hide(&self, mut message: Value) -> Option<Value> {
        if message["t"] == "event" {
            return None;
        }
        if let Some(sent) = message.pointer_mut("/ok/sent") {
            *sent = (sent.as_u64() > Some(0)).into();
        }
        ["created", "size"].iter().for_each(|key| hide_field(&mut message, &format!("/ok/images/0/{key}")));
        let line = message.to_string();
        let digest = line.split("sha256:").nth(1).map(|rest| &rest[..64]);
        let name = self.image.0.trim_end_matches(":1");
        Some(without(&message, &[&self.server.address, name, digest.unwrap_or_default()]))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // A push that is broken off leaves the name that it has given.
        let list = ["images", "--format", "{{.Repository}}:{{.Tag}}"];
        let all = Command::new("docker").args(list).output().unwrap();
        let all = String::from_utf8_lossy(&all.stdout).into_owned();
        let ours = all.lines().filter(|name| name.ends_with(&format!("/{}", self.image.0)));
        for name in ours {
            let _ = Command::new("docker").args(["rmi", name]).output();
        }
    }
}

#[test]
fn it_is_the_same_everywhere() {
    let expected = [
        "is not told which registry",
        "`registry` is not the address",
        "unknown field `colour`",
        "team/x/…@sha256:…",
        "\"sent\":true",
        "\"sent\":false",
        "could not push `cptc-none:1`",
        "it has no tag",
        "\"tags\":[\"1\"]",
        "\"images\":[]",
        "the registry lets nobody remove images",
        "\"kind\":\"cancelled\"",
    ];
    is_the_same_everywhere("registry", room, &expected);
}
