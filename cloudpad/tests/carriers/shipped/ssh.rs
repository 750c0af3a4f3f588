//! Push and deploy provider `ssh`, on this machine's engine.

use std::process::Command;
use std::sync::Arc;

use cloudpad_plugin_api::model::{ContainerSpec, Host, Instance, Project};
use cloudpad_plugin_api::stage::deploy::{
    Exec, ImageRef, Named, Observe, Pull, Ready, Remove, Run as RunOnce, Start, Stop,
};
use cloudpad_plugin_api::stage::push::Run;
use cloudpad_plugin_api::{Request, Stage};
use serde_json::{Value, json};

use super::engine::{Image, Mute, unique};
use super::{World, hide_field, is_the_same_everywhere, without};
use crate::steps::{Step, check};

struct Room {
    image: Image,
    host: Arc<Host>,
    mute: Mute,
    project: Arc<Project>,
}

fn room() -> Room {
    Room {
        image: Image::new(),
        host: Host::new("here", Host::LOCAL).into(),
        mute: Mute::new(),
        project: Project { name: unique(), environment: None }.into(),
    }
}

impl Room {
    fn container(&self) -> String {
        format!("{}-web-1-0f3a", self.project.name)
    }

    fn named(&self) -> Named {
        Named { id: None, name: self.container() }
    }

    fn observe(&self, host: &Arc<Host>) -> Request {
        Request::DeployObserve(Observe {
            host: host.clone(),
            project: self.project.clone(),
            connects: false,
            releases: false,
            checks: None,
        })
    }

    fn start(&self, image: &str) -> Request {
        let command = ["/bin/busybox", "sleep", "300"].map(str::to_owned).to_vec();
        let spec =
            ContainerSpec { image: image.to_owned(), command: Some(command), ..ContainerSpec::default() };
        Request::DeployStart(Start {
            host: self.host.clone(),
            project: self.project.clone(),
            instance: Instance { service: "web".to_owned(), number: 1 },
            release: "20260131T235959Z".to_owned(),
            container: self.container(),
            spec_id: "0f3a".to_owned(),
            spec: spec.into(),
        })
    }

    fn ready(&self, settle_ms: u64) -> Request {
        let (host, container) = (self.host.clone(), self.container());
        Request::DeployReady(Ready { host, container, health: None, settle_ms, timeout_ms: 600_000 })
    }

    fn stop(&self) -> Request {
        let (host, project, container) = (self.host.clone(), self.project.clone(), self.named());
        Request::DeployStop(Stop { host, project, container, timeout: 0 })
    }

    fn remove(&self) -> Request {
        let (host, project, containers) = (self.host.clone(), self.project.clone(), vec![self.named()]);
        Request::DeployRemove(Remove { host, project, containers, images: Vec::new() })
    }

    fn exec(&self) -> Request {
        Request::DeployExec(Exec {
            host: self.host.clone(),
            project: self.project.clone(),
            container: self.named(),
            command: ["/bin/busybox", "sh", "-c", "echo two; exit 4"].map(str::to_owned).to_vec(),
            tty: None,
            env: Default::default(),
            user: None,
            workdir: None,
            stream: None,
        })
    }

    fn run(&self, script: &str) -> Request {
        let command = ["/bin/busybox", "sh", "-c", script].map(str::to_owned).to_vec();
        let spec =
            ContainerSpec { image: self.image.0.clone(), command: Some(command), ..ContainerSpec::default() };
        Request::DeployRun(RunOnce {
            host: self.host.clone(),
            project: self.project.clone(),
            release: "20260131T235959Z".to_owned(),
            container: format!("{}-job", self.project.name),
            labels: Default::default(),
            spec: spec.into(),
            timeout_ms: None,
            keep: false,
            tty: None,
            stream: None,
        })
    }

    fn pull(&self) -> Request {
        let image = ImageRef::Known("127.0.0.1:1/none:1".to_owned());
        Request::DeployPull(Pull { host: self.host.clone(), image, tag: None })
    }

    fn push(&self, image: &str) -> Request {
        let host = Some(self.host.clone());
        Request::PushRun(Run { reference: image.to_owned(), host, similar: Vec::new() })
    }
}

impl World for Room {
    fn steps(&self) -> Vec<Step> {
        let step = |what, request| Step::new(what, "ssh", Value::Null, request);
        let config = |what, stage, config| Step::new(what, "ssh", config, check(stage));
        let mute = self.mute.clone();
        let host = Host::new("mute", format!("me@{}", mute.address())).into();
        vec![
            config("a config is fit", Stage::Deploy, json!({ "connect_timeout": 5 })),
            config("a config is not fit", Stage::Deploy, json!({ "colour": 1 })),
            config("the other stage's config is not fit", Stage::Push, json!({ "connect_timeout": "soon" })),
            step("a look at nothing", self.observe(&self.host)),
            step("a push to where it is", self.push(&self.image.0)).keyed("push/web"),
            step("no such image", self.push("cptc-none:1")),
            step("no such registry", self.pull()),
            step("no image to start", self.start("cptc-none:1")),
            step("a start", self.start(&self.image.0)).keyed("start/web"),
            step("the same start again", self.start(&self.image.0)).keyed("start/web"),
            step("ready", self.ready(100)),
            step("a look", self.observe(&self.host)),
            step("a command", self.exec()),
            step("it runs", self.remove()),
            step("a stop", self.stop()).keyed("stop/web"),
            step("a removal", self.remove()).keyed("remove"),
            step("the same removal again", self.remove()).keyed("remove"),
            step("it is not there", self.stop()),
            step("a job", self.run("echo one; exit 3")).keyed("run/job"),
            step("cancelled", self.observe(&host)).cancelled_once(move || mute.take()),
        ]
    }

    fn hide(&self, mut message: Value) -> Option<Value> {
        if message["t"] == "event" && message["kind"] != "output" {
            return None;
        }
        let own =
            ["engine", "images", "built", "ports", "id", "tries", "containers/0/id", "containers/0/created"];
        own.iter().for_each(|field| hide_field(&mut message, &format!("/ok/{field}")));
        if message["error"]["kind"] == "cancelled" {
            // Connecting and waiting for it see the cancel in whatever order.
            hide_field(&mut message, "/error/message");
        }
        let image = self.image.0.trim_end_matches(":1");
        Some(without(&message, &[&self.project.name, image, &self.mute.address()]))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        for name in [self.container(), format!("{}.unproven", self.container())] {
            let _ = Command::new("docker").args(["rm", "--force", &name]).output();
        }
    }
}

#[test]
fn it_is_the_same_everywhere() {
    let expected = [
        "unknown field `colour`",
        "invalid type: string \\\"soon\\\"",
        "\"containers\":[]",
        "\"created\":true",
        "\"created\":false",
        "\"state\":\"running\"",
        "\"kind\":\"stale\"",
        "\"line\":\"one\"",
        "\"line\":\"two\"",
        "\"exit_code\":4",
        "\"exit_code\":3",
        "\"kind\":\"cancelled\"",
    ];
    is_the_same_everywhere("ssh", room, &expected);
}
