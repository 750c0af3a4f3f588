//! The providers that ship, in the four carriers that a plugin in Rust has. Each does its work anew in each of them, in
//! a world that is the same at the beginning.

mod docker;
mod engine;
mod etcd;
mod fleet;
mod git;
mod inventory;
mod registry;
mod secrets;
mod ssh;
mod swarm;

use std::path::PathBuf;

use cloudpad_plugin_api::Plugin;
use serde_json::{Value, json};

use crate::built::{here, launch, library, made};
use crate::steps::Step;
use crate::transcript::{Transcript, assert_same};
use crate::wire::Wire;
use crate::{direct, through_host};

/// What a provider works on, and what it is asked there. It is gone when it is dropped.
trait World {
    /// The calls.
    fn steps(&self) -> Vec<Step>;

    /// A message without what is another in each world; nothing where it is not always said.
    fn hide(&self, message: Value) -> Option<Value>;
}

/// Has all carriers of the plugin of crate `cloudpad-NAME` do the same. What each of `expected` says was done.
#[track_caller]
fn is_the_same_everywhere<W: World>(name: &'static str, world: fn() -> W, expected: &[&str]) {
    let found = Plugin::built_in().into_iter().find(|plugin| plugin.name == format!("cloudpad-{name}"));
    let linked = found.expect("it is linked in");
    let said = on(world, |steps| direct::converse(linked, steps, &here("")));
    for part in expected {
        assert!(said.to_string().contains(part), "no {part} in:\n{said}");
    }
    let is_line = |what: &str| what.starts_with("line: ");
    let lines = on(world, |steps| Wire::linked(linked).converse(&with_lines(steps)));
    assert_same("direct", &said, &lines.without(is_line));
    for (carrier, path) in processes(name) {
        let launch = launch(name, &path, &here(""));
        let found = on(world, |steps| Wire::started(&launch).converse(&with_lines(steps)));
        assert_same(carrier, &found, &lines);
    }
    let chosen = on(world, |steps| through_host::converse(None, steps));
    for (carrier, path) in processes(name) {
        let found = on(world, |steps| through_host::converse(Some(&path), steps));
        assert_same(carrier, &found, &chosen);
    }
}

fn processes(name: &str) -> [(&'static str, PathBuf); 2] {
    let isolated = made(&format!("examples/{}", library(&format!("{name}_library"))));
    [("executable", made(&format!("cloudpad-{name}"))), ("isolated library", isolated)]
}

fn on<W: World>(world: fn() -> W, converse: impl FnOnce(&[Step]) -> Transcript) -> Transcript {
    let world = world();
    converse(&world.steps()).changed(|message| world.hide(message))
}

/// And what only a line can say.
fn with_lines(steps: &[Step]) -> Vec<Step> {
    let provider = steps[0].provider;
    let line = |what, provider, method| Step::line(what, provider, method, json!({}));
    let mut all = steps.to_vec();
    all.push(line("line: an unknown method", provider, "inventory.sing"));
    all.push(line("line: an unknown provider", "other", "inventory.list"));
    all
}

/// A message with `…` for each of these texts, of which some may be empty.
fn without(message: &Value, texts: &[&str]) -> Value {
    let hidden = texts
        .iter()
        .filter(|text| !text.is_empty())
        .fold(message.to_string(), |line, text| line.replace(text, "…"));
    serde_json::from_str(&hidden).expect("a message still")
}

/// Puts `…` in the place of what this path leads to, where there is anything.
fn hide_field(message: &mut Value, path: &str) {
    if let Some(value) = message.pointer_mut(path) {
        *value = "…".into();
    }
}
