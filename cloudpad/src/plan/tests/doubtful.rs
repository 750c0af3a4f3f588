//! Containers that run, and may not serve all the same.

use cloudpad_plugin_api::model::{Check, Health};
use cloudpad_plugin_api::stage::deploy::State;

use super::kit::*;
use crate::config::Amount;

#[test]
fn what_may_never_have_served_is_asked_before_others_are_updated() {
    let mut case = case();
    case.config.hosts.truncate(3);
    case.service("web", |web| {
        let check = Check::Http { port: 8080, path: "/up".into() };
        web.health = Some(Health { check, interval_ms: 1000, timeout_ms: 1000, retries: 3 });
    });
    case.config.deploy.batch = Amount::Percent(100);
    case.deploy();
    case.image("web", "v2");
    // A deploy that was broken off once h1 had been started.
    let plan = case.plan();
    let mut sim = super::sim::Sim::new(&case);
    for action in plan.actions.iter().filter(|action| action.host.as_deref().is_none_or(|host| host == "h1"))
    {
        sim.apply(action).unwrap();
    }
    case.observed = sim.observed;
    let plan = case.plan();
    let proof = plan.actions.iter().find(|action| action.key.starts_with("ready/h1/")).unwrap();
    let mut starts = plan.actions.iter().filter(|action| action.key.starts_with("start/")).peekable();
    assert!(starts.peek().is_some());
    assert!(starts.all(|start| reaches(&plan, start.id, proof.id)));
}

fn reaches(plan: &crate::plan::Plan, from: u32, to: u32) -> bool {
    from == to || plan.actions[from as usize].needs.iter().any(|&need| reaches(plan, need, to))
}

#[test]
fn a_container_that_does_not_do_well_is_told_and_left() {
    let mut case = case();
    case.config.hosts.truncate(2);
    case.deploy();
    case.seen("h1").containers[0].state = State::Paused;
    case.seen("h2").containers[0].state = State::Unhealthy;
    let plan = case.plan();
    assert!(plan.actions.is_empty(), "{plan:?}");
    let told: Vec<_> = plan.notes.iter().map(|note| note.message.split("` on ").last().unwrap()).collect();
    assert_eq!(told, ["`h1` is paused", "`h2` fails its health check"]);
    case.image("web", "v2");
    assert_eq!(case.plan().notes, [], "what is replaced need not be told");
}
