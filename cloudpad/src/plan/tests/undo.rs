//! What brings back what ran before, as text.

use cloudpad_plugin_api::Request;

use super::kit::*;
use super::sim::{Sim, running};
use crate::config::MountMode;
use crate::observed::{HostState, Observed};
use crate::plan::{self, Action, Failed, Plan};

/// Carries out the plan's first actions, lets the next one fail, and makes the plan that undoes it.
fn fail_at(case: &Case, key: &str) -> (Plan, Sim) {
    let plan = case.plan();
    let mut sim = Sim::new(case);
    for action in &plan.actions {
        if action.key.starts_with(key) {
            sim.fail(action);
            break;
        }
        sim.apply(action).unwrap();
    }
    (undo(case, &plan, &sim.observed), sim)
}

fn undo(case: &Case, failed: &Plan, now: &Observed) -> Plan {
    undo_unknown(case, failed, &[], now)
}

/// The same, where nobody knows what became of these actions.
fn undo_unknown(case: &Case, plan: &Plan, keys: &[&str], now: &Observed) -> Plan {
    let meant = |action: &&Action| keys.iter().any(|key| action.key.starts_with(key));
    let unknown = &plan.actions.iter().filter(meant).map(|action| action.id).collect();
    let failed = Failed { plan, begun: &[].into(), unknown };
    plan::undo(&failed, &case.observed, now, &case.config, &case.inventory(), &case.goal)
}

fn second_version(change: impl FnOnce(&mut crate::config::Service)) -> Case {
    let mut case = case();
    case.config.hosts.truncate(2);
    case.service("web", change);
    case.deploy();
    case.image("web", "v2");
    case
}

#[test]
fn a_failed_start_first_update() {
    let case = second_version(|_| {});
    let (undo, mut sim) = fail_at(&case, "ready/h2/");
    check(
        &undo,
        "
        start-first web.1 on h1
        start-first web.1 on h2
        0 start/h1/shop-web-1-#1
        1 ready/h1/shop-web-1-#1 < 0
        2 stop/h1/shop-web-1-#2 < 1
        3 stop/h2/shop-web-1-#2 < 2
        4 remove/h1 < 2
        5 remove/h2 < 3
        ",
    );
    undo.actions.iter().for_each(|action| sim.apply(action).unwrap());
    assert_eq!(running(&sim.observed), running(&case.observed));
    assert_eq!((images(&sim, "h1"), images(&sim, "h2")), (1, 1));
}

/// How many images a host has.
fn images(sim: &Sim, host: &str) -> usize {
    match &sim.observed.hosts[host] {
        HostState::Seen(seen) => seen.images.len(),
        HostState::Unseen(_) => 0,
    }
}

#[test]
fn an_image_that_was_there_before_stays_when_a_failed_update_is_undone() {
    let mut case = second_version(|_| {});
    case.seen("h1").images.push("shop.web:v2".into());
    let (undo, mut sim) = fail_at(&case, "ready/h2/");
    undo.actions.iter().for_each(|action| sim.apply(action).unwrap());
    assert_eq!((images(&sim, "h1"), images(&sim, "h2")), (2, 1));
}

#[test]
fn a_failed_stop_first_update() {
    let case = second_version(|web| web.ports = vec![ports(8080, 8080)]);
    let (undo, mut sim) = fail_at(&case, "ready/h2/");
    check(
        &undo,
        "
        stop-first web.1 on h2
        stop-first web.1 on h1
        0 stop/h2/shop-web-1-#1
        1 start/h2/shop-web-1-#2 < 0
        2 ready/h2/shop-web-1-#2 < 1
        3 stop/h1/shop-web-1-#1 < 2
        4 start/h1/shop-web-1-#2 < 3
        5 ready/h1/shop-web-1-#2 < 4
        6 remove/h1 < 3 5
        7 remove/h2 < 0
        ",
    );
    undo.actions.iter().for_each(|action| sim.apply(action).unwrap());
    assert_eq!(running(&sim.observed), running(&case.observed));
}

/// Carries out what comes before the stop of h2's old container. It stops, and nobody has heard of it.
fn fail_in_the_stop(case: &Case) -> (Plan, Sim) {
    let (plan, key) = (case.plan(), "stop/h2/");
    let mut sim = Sim::new(case);
    let before = plan.actions.iter().take_while(|action| !action.key.starts_with(key));
    before.for_each(|action| sim.apply(action).unwrap());
    (undo_unknown(case, &plan, &[key], &sim.observed), sim)
}

#[test]
fn what_may_be_about_to_stop_is_stopped_for_certain_and_started_again_beside_the_new_one() {
    let case = second_version(|_| {});
    let (undo, mut sim) = fail_in_the_stop(&case);
    check(
        &undo,
        "
        start-first web.1 on h1
        start-first web.1 on h2
        0 start/h1/shop-web-1-#1
        1 ready/h1/shop-web-1-#1 < 0
        2 stop/h1/shop-web-1-#2 < 1
        3 stop/h2/shop-web-1-#1 < 2
        4 start/h2/shop-web-1-#1 < 3
        5 ready/h2/shop-web-1-#1 < 4
        6 stop/h2/shop-web-1-#2 < 5
        7 remove/h1 < 2
        8 remove/h2 < 6
        ",
    );
    undo.actions.iter().for_each(|action| sim.apply(action).unwrap());
    assert_eq!(running(&sim.observed), running(&case.observed));
}

#[test]
fn what_may_be_about_to_stop_for_the_new_one_is_stopped_for_certain_and_started_again() {
    let case = second_version(|web| web.ports = vec![ports(8080, 8080)]);
    let (undo, mut sim) = fail_in_the_stop(&case);
    check(
        &undo,
        "
        stop-first web.1 on h2
        stop-first web.1 on h1
        0 stop/h2/shop-web-1-#1
        1 start/h2/shop-web-1-#1 < 0
        2 ready/h2/shop-web-1-#1 < 1
        3 stop/h1/shop-web-1-#2 < 2
        4 start/h1/shop-web-1-#1 < 3
        5 ready/h1/shop-web-1-#1 < 4
        6 remove/h1 < 3 5
        ",
    );
    undo.actions.iter().for_each(|action| sim.apply(action).unwrap());
    assert_eq!(running(&sim.observed), running(&case.observed));
}

#[test]
fn a_first_deploy_that_failed_leaves_nothing_behind() {
    let mut case = case();
    case.config.hosts.truncate(2);
    let (undo, mut sim) = fail_at(&case, "ready/h2/");
    check(
        &undo,
        "
        remove web.1 on h1
        remove web.1 on h2
        0 stop/h1/shop-web-1-#1
        1 stop/h2/shop-web-1-#1
        2 remove/h1 < 0
        3 clear/h1 < 2
        4 remove/h2 < 1
        5 clear/h2 < 4
        ",
    );
    let Request::DeployClear(clear) = &undo.actions[3].request else { panic!() };
    assert_eq!((&*clear.networks, &*clear.volumes), (&["shop.default".to_owned()][..], &[][..]));
    undo.actions.iter().for_each(|action| sim.apply(action).unwrap());
    assert!(running(&sim.observed).is_empty());
}

#[test]
fn what_was_removed_is_made_again_from_its_label() {
    let mut case = second_version(|_| {});
    case.config.services.clear();
    let failed = case.plan();
    let (_, mut sim) = fail_at(&case, "remove/");
    for host in ["h1", "h2"] {
        let Some(crate::observed::HostState::Seen(seen)) = sim.observed.hosts.get_mut(host) else { panic!() };
        seen.containers.clear();
    }
    check(
        &undo(&case, &failed, &sim.observed),
        "
        start web.1 on h1
        start web.1 on h2
        0 start/h1/shop-web-1-#1
        1 ready/h1/shop-web-1-#1 < 0
        2 start/h2/shop-web-1-#1 < 1
        3 ready/h2/shop-web-1-#1 < 2
        ",
    );
}

#[test]
fn what_cannot_be_brought_back_is_said() {
    let mut case = second_version(|_| {});
    case.seen("h1").containers[0].spec = None;
    let failed = case.plan();
    let (_, mut sim) = fail_at(&case, "remove/");
    let unseen = {
        let mut case = case.clone();
        case.unseen("h2");
        case.observed.hosts["h2"].clone()
    };
    sim.observed.hosts.insert("h2".into(), unseen);
    check(
        &undo(&case, &failed, &sim.observed),
        "
        incomplete, note: host `h2` cannot be looked at, so nothing is brought back there: no route to `h2`
        incomplete, note: `shop-web-1-1c82dfb7` on `h1` cannot be brought back: its label is not understood
        ",
    );
}

#[test]
fn a_volume_that_another_service_took_over_is_given_back() {
    let mut case = second_version(|web| web.volumes = vec![volume("data", MountMode::Exclusive)]);
    case.config.hosts.truncate(1);
    let web = case.config.services.remove("web").unwrap();
    case.config.services.insert("site".into(), web);
    let (undo, mut sim) = fail_at(&case, "ready/");
    check(
        &undo,
        "
        remove site.1 on h1
        start web.1 on h1
        0 stop/h1/shop-site-1-#1
        1 start/h1/shop-web-1-#2 < 0
        2 ready/h1/shop-web-1-#2 < 1
        3 remove/h1 < 0 2
        ",
    );
    undo.actions.iter().for_each(|action| sim.apply(action).unwrap());
    assert_eq!(running(&sim.observed), running(&case.observed));
}

#[test]
fn nothing_that_happened_is_nothing_to_undo() {
    let case = second_version(|_| {});
    assert_eq!(undo(&case, &case.plan(), &case.observed), Plan::default());
    // Where nobody has looked again, nothing has been touched.
    assert_eq!(undo(&case, &case.plan(), &Observed::default()), Plan::default());
}

#[test]
fn what_somebody_else_has_started_meanwhile_is_left_alone() {
    let case = second_version(|_| {});
    let failed = case.plan();
    let (_, mut sim) = fail_at(&case, "ready/h2/");
    for host in ["h1", "h2"] {
        let Some(crate::observed::HostState::Seen(seen)) = sim.observed.hosts.get_mut(host) else { panic!() };
        let mut theirs = seen.containers[0].clone();
        (theirs.name, theirs.spec_id) = ("shop-web-1-theirs".into(), "theirs".into());
        theirs.state = cloudpad_plugin_api::stage::deploy::State::Running;
        seen.containers.push(theirs);
    }
    check(
        &undo(&case, &failed, &sim.observed),
        "
        incomplete, note: `shop-web-1-theirs` on `h1` was started by somebody else meanwhile, so web.1 is left alone
        incomplete, note: `shop-web-1-theirs` on `h2` was started by somebody else meanwhile, so web.1 is left alone
        ",
    );
}
