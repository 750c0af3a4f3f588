//! Plugins as they were written for protocol 1, which today's host has to get on with.

use std::path::{Path, PathBuf};

use cloudpad::plugin::sum::Sum;
use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{ContainerSpec, Host, Instance, Project};
use cloudpad_plugin_api::stage::deploy::{
    Checks, ImageRef, Named, Observe, Pull, Ready, Remove, Start, Stop,
};
use serde_json::Value;

use crate::built::{self, here, launch};
use crate::steps::{self, Step};
use crate::through_host;
use crate::wire::Wire;

/// The sums of all files in the folder, by name. They are added to, and never changed.
const SUMS: &str = include_str!("frozen.sums");

fn plugins() -> [(&'static str, PathBuf); 3] {
    let c = built::c("frozen/old.c", &here("frozen"), "cloudpad_old");
    [("Python", here("frozen/old.py")), ("sh", here("frozen/old.sh")), ("C", c)]
}

fn steps() -> Vec<Step> {
    let mut steps = steps::same();
    steps.iter_mut().filter(|step| step.provider == "same").for_each(|step| step.provider = "old");
    steps.extend(deploy());
    steps
}

fn deploy() -> Vec<Step> {
    let host = || Host { roles: vec!["web".to_owned()], ..Host::new("h1", "deploy@192.0.2.1") }.into();
    let project = || Project { name: "shop".to_owned(), environment: Some("staging".to_owned()) }.into();
    let (name, image) = ("shop-web-1-0f3a".to_owned(), "shop.web:1".to_owned());
    let named = || Named { id: Some("c1".to_owned()), name: name.clone() };
    let spec = ContainerSpec { image: image.clone(), stop_timeout: 10, ..ContainerSpec::default() };
    let start = Start {
        host: host(),
        project: project(),
        instance: Instance { service: "web".to_owned(), number: 1 },
        release: "20260131T235959Z".to_owned(),
        container: name.clone(),
        spec_id: "0f3a".to_owned(),
        spec: spec.into(),
    };
    let ready = Ready { host: host(), container: name.clone(), health: None, settle_ms: 1, timeout_ms: 1 };
    let remove =
        Remove { host: host(), project: project(), containers: vec![named()], images: vec![image.clone()] };
    let old = |what, request| Step::new(what, "old", Value::Null, request).keyed("a key");
    vec![
        old(
            "a look",
            Request::DeployObserve(Observe {
                host: host(),
                project: project(),
                connects: true,
                releases: true,
                checks: Some(Checks { ready_within_ms: 1000 }),
            }),
        ),
        old("a pull", Request::DeployPull(Pull { host: host(), image: ImageRef::Known(image), tag: None })),
        old("a start", Request::DeployStart(start)),
        old("ready", Request::DeployReady(ready)),
        old(
            "a stop",
            Request::DeployStop(Stop { host: host(), project: project(), container: named(), timeout: 1 }),
        ),
        old("a removal", Request::DeployRemove(remove)),
    ]
}

fn written(name: &str) -> String {
    std::fs::read_to_string(here("frozen").join(name)).unwrap()
}

#[test]
fn they_say_what_they_have_always_said() {
    for (name, path) in plugins() {
        let said = Wire::started(&launch("old", &path, &here(""))).converse(&steps()).to_string();
        assert!(
            said == written("old.transcript"),
            "{name} says something else than was written down:\n{said}"
        );
    }
}

#[test]
fn the_host_makes_the_same_of_it_as_ever() {
    for (name, path) in plugins() {
        let heard = through_host::converse(Some(&path), &steps()).to_string();
        assert!(
            heard == written("old.heard"),
            "of {name} is made something else than was written down:\n{heard}"
        );
    }
}

#[test]
fn they_are_as_they_were() {
    let sum = |path: &Path| Sum::of(&mut std::fs::File::open(path).unwrap()).unwrap();
    let mut files: Vec<_> =
        std::fs::read_dir(here("frozen")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let sums = files.iter().map(|path| format!("{} {}\n", sum(path), path.file_name().unwrap().display()));
    assert_eq!(sums.collect::<String>(), SUMS, "a file in `frozen` was changed: see its README.md");
}
