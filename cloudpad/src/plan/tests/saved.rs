//! Saved plans.

use std::sync::Arc;

use cloudpad_plugin_api::model::Protocol;
use cloudpad_plugin_api::stage::deploy::{PortHeld, State};

use super::kit::*;
use crate::plan::SavedPlan;

fn saved(case: &Case) -> SavedPlan {
    let plan = SavedPlan::new(&case.config, case.goal.clone(), &case.observed, case.plan());
    let text = serde_json::to_string(&plan).unwrap();
    let read: SavedPlan = serde_json::from_str(&text).unwrap();
    assert_eq!(read, plan);
    read
}

/// What is said against it, and below that why.
fn complaints(plan: &SavedPlan, case: &Case) -> Vec<String> {
    let Err(failure) = plan.check(&case.config, &case.observed) else { return Vec::new() };
    [vec![failure.message], failure.causes].concat()
}

#[test]
fn what_does_not_matter_may_change() {
    let mut case = case();
    case.deploy();
    case.image("web", "v2");
    let plan = saved(&case);
    let seen = case.seen("h1");
    seen.containers[0].state = State::Starting;
    seen.engine.version = "28.0".into();
    seen.images.push("other:1".into());
    seen.ports.push(PortHeld {
        published: 9,
        protocol: Protocol::Tcp,
        host_ip: None,
        container: "other".into(),
    });
    assert_eq!(complaints(&plan, &case), [""; 0]);
}

#[test]
fn what_does_is_named() {
    let mut case = case();
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.deploy();
    case.image("web", "v2");
    let plan = saved(&case);
    let name = case.seen("h1").containers[0].name.clone();
    case.image("web", "v3");
    case.seen("h1").containers.clear();
    case.seen("h2").containers[0].state = State::Stopped;
    case.seen("h2").ports.clear();
    case.seen("h2").ports.push(PortHeld {
        published: 8080,
        protocol: Protocol::Tcp,
        host_ip: None,
        container: "other".into(),
    });
    case.unseen("h3");
    assert_eq!(
        complaints(&plan, &case),
        [
            "the saved plan is out of date".to_owned(),
            "image `web` was shop.web:v2, is shop.web:v3".to_owned(),
            format!("`h1`: container `{name}` was running, is gone"),
            // Its container is gone, so that the port is somebody else's now.
            format!("`h1`: port 8080 is now held by `{name}`"),
            format!("`h2`: container `{name}` was running, is stopped"),
            "`h2`: port 8080 is now held by `other`".to_owned(),
            "`h3`: cannot be looked at now".to_owned(),
        ]
    );
}

#[test]
fn of_many_differences_the_first_are_told() {
    let mut case = case();
    let plan = saved(&case);
    for number in 1..=14 {
        case.observed.secrets.insert(format!("s{number:02}"), "mark".into());
    }
    let complaints = complaints(&plan, &case);
    assert_eq!(complaints.len(), 1 + 10 + 1);
    assert_eq!(complaints[10..], ["secret `s10` has another value now", "and 4 more"]);
}

#[test]
fn another_environment_or_version_is_refused() {
    let mut case = case();
    let mut plan = saved(&case);
    Arc::make_mut(&mut case.config.project).environment = Some("staging".into());
    assert_eq!(complaints(&plan, &case), ["the saved plan is for `shop`, not for `shop.staging`"]);
    plan.version = 2;
    assert_eq!(complaints(&plan, &case), ["the saved plan has version 2, not 1"]);
}

#[test]
fn a_damaged_one_is_refused() {
    let plan = saved(&case());
    let damages: [fn(&mut SavedPlan); 4] = [
        |saved| saved.plan.actions[0].needs = vec![1],
        |saved| saved.plan.actions[1].needs = vec![1],
        |saved| saved.plan.actions[1].needs = vec![4_000_000_000],
        |saved| saved.plan.actions[1].id = 0,
    ];
    for damage in damages {
        let mut damaged = plan.clone();
        damage(&mut damaged);
        let said = complaints(&damaged, &case());
        assert_eq!(said, ["the saved plan is damaged: its actions are not in the order of their needs"]);
    }
    assert_eq!(complaints(&plan, &case()), [""; 0]);
}

#[test]
fn another_config_is_refused() {
    let mut case = case();
    let plan = saved(&case);
    case.config.hosts[0].address = "elsewhere.test".into();
    assert_eq!(
        complaints(&plan, &case),
        ["the saved plan is out of date", "the config says something else now"]
    );
}
