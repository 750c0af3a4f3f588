//! Containers that run, and may not serve all the same.

use cloudpad_plugin_api::stage::deploy::State;

use super::kit::*;
use super::sim::Sim;
use crate::config::{Amount, Count};

/// Three hosts after a deploy that was broken off once the new container of h1 had been started.
fn broken_off() -> Case {
    let mut case = case();
    case.config.deploy.batch = Amount::Percent(100);
    case.deploy();
    case.image("web", "v2");
    let plan = case.plan();
    let mut sim = Sim::new(&case);
    for action in &plan.actions {
        let host = action.host.as_deref().unwrap_or("h1");
        if host == "h1" && !action.key.starts_with("ready/") && !action.key.starts_with("stop/") {
            sim.apply(action).unwrap();
        }
    }
    case.observed = sim.observed;
    case
}

#[test]
fn what_may_never_have_served_is_waited_for_before_what_it_replaces_is_stopped() {
    let mut case = broken_off();
    case.config.hosts.truncate(1);
    check(
        &case.deploy(),
        "
        start-first web.1 on h1 image
        0 ready/h1/shop-web-1-#1
        1 stop/h1/shop-web-1-#2 < 0
        ",
    );
    assert!(case.plan().is_empty());
}

#[test]
fn what_may_never_have_served_is_waited_for_before_others_are_updated() {
    let mut case = broken_off();
    let old = |c: &cloudpad_plugin_api::stage::deploy::Container| c.state == State::Running;
    case.seen("h1").containers.retain(|c| !old(c));
    check(
        &case.deploy(),
        "
        await web.1 on h1
        start-first web.1 on h2 image
        start-first web.1 on h3 image
        0 ready/h1/shop-web-1-#1
        1 push/h2/shop.web:v2
        2 start/h2/shop-web-1-#1 < 0 1
        3 ready/h2/shop-web-1-#1 < 2
        4 stop/h2/shop-web-1-#2 < 3
        5 push/h3/shop.web:v2
        6 start/h3/shop-web-1-#1 < 2 5
        7 ready/h3/shop-web-1-#1 < 6
        8 stop/h3/shop-web-1-#2 < 7
        ",
    );
    assert!(case.plan().is_empty());
}

#[test]
fn what_may_never_have_served_is_waited_for_though_nothing_else_is_to_be_done() {
    let mut case = case();
    case.deploy();
    case.seen("h2").containers[0].state = State::Starting;
    check(
        &case.deploy(),
        "
        await web.1 on h2
        0 ready/h2/shop-web-1-#1
        ",
    );
    assert!(case.plan().is_empty());
}

#[test]
fn what_may_never_have_served_is_waited_for_before_others_are_removed() {
    let mut case = case();
    case.config.deploy.min_healthy = Amount::Count(1);
    case.service("web", |web| web.count = Count::Replicas(3));
    case.deploy();
    case.service("web", |web| web.count = Count::Replicas(1));
    case.seen("h1").containers[0].state = State::Starting;
    check(
        &case.deploy(),
        "
        await web.1 on h1
        remove web.2 on h2
        remove web.3 on h3
        0 ready/h1/shop-web-1-#1
        1 stop/h2/shop-web-2-#1 < 0
        2 stop/h3/shop-web-3-#1 < 0
        3 remove/h2 < 1 2
        4 remove/h3 < 3
        ",
    );
}

#[test]
fn a_container_that_does_not_do_well_is_told_and_left() {
    let mut case = case();
    case.config.hosts.truncate(2);
    case.deploy();
    case.seen("h2").containers[0].state = State::Restarting;
    let plan = case.plan();
    assert!(plan.actions.is_empty(), "{plan:?}");
    let told: Vec<_> = plan.notes.iter().map(|note| note.message.split("` on ").last().unwrap()).collect();
    assert_eq!(told, ["`h2` keeps ending, and is started again"]);
    case.image("web", "v2");
    assert_eq!(case.plan().notes, [], "what is replaced need not be told");
}
