//! Build provider `docker`, on this machine's engine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use cloudpad_plugin_api::stage::build::{Observe, Recipe, Run};
use cloudpad_plugin_api::stage::source::Resolved;
use cloudpad_plugin_api::{Cancel, Context, Provider, Reply, Request, Stage};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::engine::{Image, unique};
use super::{World, hide_field, is_the_same_everywhere, without};
use crate::steps::{Step, check};

struct Room {
    dir: TempDir,
    /// The image that the others are built on.
    base: Image,
    repository: String,
}

fn room() -> Room {
    let room = Room { dir: tempfile::tempdir().unwrap(), base: Image::new(), repository: unique() };
    std::fs::create_dir(room.app()).unwrap();
    let write = |name: &str, text: &str| std::fs::write(room.app().join(name), text).unwrap();
    // Built anew in each room: what is in it is another each time.
    write("file", &room.repository);
    write("Dockerfile", &format!("FROM {}\nCOPY file /\nRUN echo built >/made\n", room.base.0));
    write("Failing", &format!("FROM {}\nCOPY file /\nRUN echo no luck; exit 3\n", room.base.0));
    write(
        "Waiting",
        &format!("FROM {}\nCOPY file /\nRUN echo up; exec /bin/busybox sleep 300\n", room.base.0),
    );
    room
}

impl Room {
    fn app(&self) -> PathBuf {
        self.dir.path().join("app")
    }

    fn recipe(&self, dockerfile: &str) -> Recipe {
        let path = self.app();
        let source = Resolved { name: "app".to_owned(), revision: None, dirty: false, path, pinned: false };
        Recipe {
            name: "web".to_owned(),
            repository: self.repository.clone(),
            source,
            prepare: Vec::new(),
            context: ".".to_owned(),
            dockerfile: dockerfile.to_owned(),
            target: None,
            args: BTreeMap::new(),
            variables: BTreeMap::new(),
            runit: BTreeMap::new(),
            platforms: Vec::new(),
            secrets: BTreeMap::new(),
            ssh: false,
            labels: BTreeMap::new(),
            cache_from: Vec::new(),
            cache_to: None,
        }
    }

    fn observe(&self) -> Request {
        Request::BuildObserve(self.observe_all(vec![self.recipe("Dockerfile")]))
    }

    fn observe_all(&self, recipes: Vec<Recipe>) -> Observe {
        Observe { recipes, cache: self.dir.path().join("cache") }
    }

    /// What the provider calls the image, where it can tell.
    fn reference(&self, dockerfile: &str) -> String {
        let all = Provider::built_in();
        let docker = all.into_iter().find(|provider| provider.name == "docker").expect("it is linked in");
        let cx = Context::new(Value::Null, Arc::new(|_| {}), Cancel::new());
        match docker.call(&cx, &Request::BuildObserve(self.observe_all(vec![self.recipe(dockerfile)]))) {
            Ok(Reply::Images(images)) => images.images[0].reference.clone(),
            _ => format!("{}:none", self.repository),
        }
    }

    fn run(&self, dockerfile: &str) -> Request {
        let reference = self.reference(dockerfile);
        Request::BuildRun(Box::new(Run {
            recipe: self.recipe(dockerfile),
            reference,
            bases: BTreeMap::new(),
            also: Vec::new(),
        }))
    }
}

impl World for Room {
    fn steps(&self) -> Vec<Step> {
        let step = |what, request| Step::new(what, "docker", Value::Null, request);
        vec![
            step("a config is fit", check(Stage::Build)),
            Step::new("a config is not fit", "docker", json!({ "colour": 1 }), check(Stage::Build)),
            step("a look", self.observe()),
            step("a build", self.run("Dockerfile")).keyed("build/web"),
            step("the same build again", self.run("Dockerfile")).keyed("build/web"),
            step("a build that fails", self.run("Failing")),
            step("no Dockerfile", self.run("None")),
            step("cancelled", self.run("Waiting")).cancelled(),
        ]
    }

    fn hide(&self, mut message: Value) -> Option<Value> {
        if message["t"] == "event" {
            return None;
        }
        hide_field(&mut message, "/ok/id");
        // A tag is the sum of what is another in each room.
        let tag = message.to_string().split(&format!("{}:", self.repository)).nth(1).map(|rest| {
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>()
        });
        let path = self.dir.path().to_string_lossy();
        let base = self.base.0.trim_end_matches(":1");
        Some(without(&message, &[&path, base, &self.repository, &tag.unwrap_or_default()]))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", &self.reference("Dockerfile")]).output();
    }
}

#[test]
fn it_is_the_same_everywhere() {
    let expected = [
        "unknown field `colour`",
        "\"built\":false",
        "\"cached\":false,\"id\":\"…\"",
        "\"cached\":true",
        "no luck",
        "has no Dockerfile",
        "\"kind\":\"cancelled\"",
    ];
    is_the_same_everywhere("docker", room, &expected);
}
