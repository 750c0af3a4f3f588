//! Ready images by their digests.

use cloudpad_plugin_api::stage::deploy::{Digest, Digests};
use cloudpad_plugin_api::{Failure, Request};

use super::kit::*;
use crate::config::Image;
use crate::observed::Pin;
use crate::plan::{SavedPlan, look_pins, pins, scope};

const OLD: &str = "nginx:1@sha256:01";
const NEW: &str = "nginx:1@sha256:02";

/// `web` is made from `nginx:1`.
fn ready() -> Case {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.config.images.insert("web".into(), Image::Ready { reference: "nginx:1".into() });
    case
}

fn means(case: &mut Case, reference: &str) {
    let pin = Pin { reference: reference.into(), kept: None };
    case.observed.pins.insert("nginx:1".into(), pin);
}

/// The registry's answer.
fn told(digest: Option<&str>) -> Digests {
    let failure = digest.is_none().then(|| Failure::failed("could not look for `nginx:1`: no such host"));
    Digests { images: vec![Digest { image: "nginx:1".into(), digest: digest.map(Into::into), failure }] }
}

#[test]
fn a_tag_that_has_moved_is_a_change_and_one_that_has_not_is_none() {
    let mut case = ready();
    means(&mut case, OLD);
    let first = case.deploy();
    assert!(first.actions.iter().any(|action| action.key == format!("pull/h1/{OLD}")), "{}", text(&first));
    assert!(case.plan().is_empty());
    means(&mut case, NEW);
    let moved = case.plan();
    assert!(text(&moved).starts_with("start-first web.1 on h1 image"), "{}", text(&moved));
    assert!(moved.actions.iter().any(|action| action.key == format!("pull/h1/{NEW}")), "{}", text(&moved));
    case.seen("h1").digests.push("docker.io/library/nginx@sha256:02".into());
    assert!(!case.plan().actions.iter().any(|action| action.key.starts_with("pull/")));
}

#[test]
fn only_names_that_may_move_are_asked_for_where_somebody_can_be_asked() {
    let mut case = ready();
    case.config.images.insert("db".into(), Image::Ready { reference: "db@sha256:01".into() });
    case.service("db", |_| {});
    case.host("h9", &[]);
    let ask = |case: &Case| {
        let inventory = case.inventory();
        let scope = scope(&case.config, &inventory, &case.goal.select).unwrap();
        look_pins(&case.config, &inventory, &scope, &case.observed.hosts)
    };
    assert_eq!(ask(&case), None, "no host can");
    case.seen("h9").resolves = true;
    let Some(Request::DeployResolve(asked)) = ask(&case) else { panic!("nobody is asked") };
    assert_eq!((asked.host.name.as_str(), asked.images), ("h9", vec!["nginx:1".to_owned()]));
    case.config.images.insert("web".into(), Image::Ready { reference: OLD.into() });
    assert_eq!(ask(&case), None, "both are told");
}

#[test]
fn what_a_registry_does_not_tell_stays_what_runs() {
    let mut case = ready();
    means(&mut case, OLD);
    case.seen("h1").releases = Some(Vec::new());
    case.deploy();
    let kept = pins(told(None), &case.observed).unwrap();
    assert_eq!(kept["nginx:1"].reference, OLD);
    case.observed.pins = kept;
    let plan = case.plan();
    assert!(plan.is_empty(), "{}", text(&plan));
    let note = &plan.notes[0].message;
    assert!(note.contains(&format!("`{OLD}` stays what it was")) && note.contains("no such host"), "{note}");
    case.seen("h1").containers.clear();
    assert_eq!(pins(told(None), &case.observed).unwrap()["nginx:1"].reference, OLD, "it is remembered");
}

#[test]
fn what_is_in_no_registry_is_what_hosts_have_by_that_name_or_an_error() {
    let mut case = ready();
    let failures = pins(told(None), &case.observed).unwrap_err();
    assert!(failures[0].message.contains("no such host"), "{failures:?}");
    case.seen("h1").images.push("nginx:1".into());
    assert!(pins(told(None), &case.observed).unwrap().is_empty());
    assert_eq!(pins(told(Some("sha256:02")), &case.observed).unwrap()["nginx:1"].reference, NEW);
}

#[test]
fn a_saved_plan_is_about_the_bytes_that_it_was_made_for() {
    let mut case = ready();
    means(&mut case, OLD);
    let saved = SavedPlan::new(&case.config, case.goal.clone(), &case.observed, case.plan());
    assert_eq!(saved.check(&case.config, &case.observed), Ok(()));
    means(&mut case, NEW);
    let failure = saved.check(&case.config, &case.observed).unwrap_err();
    assert_eq!(failure.causes, [format!("image `nginx:1` was {OLD}, is {NEW}")]);
}
