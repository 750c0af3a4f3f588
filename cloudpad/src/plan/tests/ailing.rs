//! Instances that run and fail their health check: another container takes their place.

use cloudpad_plugin_api::model::{Check, Health};
use cloudpad_plugin_api::stage::deploy::State;

use super::kit::{Case, case, check, text};
use crate::config::{Amount, Update};
use crate::plan::{self, ChangeKind, Failed};

/// A deployed service of which one container fails its health check, for this reason.
fn ailing(host: &str, reason: Option<&str>) -> Case {
    let mut case = case();
    case.service("web", |web| web.health = Some(engine_health()));
    case.deploy();
    let container = &mut case.seen(host).containers[0];
    container.state = State::Unhealthy;
    container.status.reason = reason.map(str::to_owned);
    case
}

fn engine_health() -> Health {
    Health { check: Check::Image, interval_ms: 1000, timeout_ms: 1000, retries: 3 }
}

fn names(case: &mut Case, host: &str) -> Vec<String> {
    case.seen(host).containers.iter().map(|container| container.name.clone()).collect()
}

#[test]
fn it_is_replaced_by_the_same_under_another_name_and_removed() {
    let mut case = ailing("h2", Some("`GET /up` on port 80 answered 500"));
    let before = names(&mut case, "h2");
    let plan = case.deploy();
    check(
        &plan,
        "
        start-first web.1 on h2 fails its health check: `GET /up` on port 80 answered 500
        0 start/h2/shop-web-1-anew-#1
        1 ready/h2/shop-web-1-anew-#1 < 0
        2 stop/h2/shop-web-1-#1 < 1
        3 remove/h2 < 2
        ",
    );
    assert_eq!(*plan.changes[0].why, ["fails its health check: `GET /up` on port 80 answered 500"]);
    assert_eq!(plan.notes, []);
    assert!(names(&mut case, "h2")[0].contains("-anew-"));
    assert!(case.plan().is_empty() && case.plan().notes.is_empty(), "{}", text(&case.plan()));
    // And the next one has the first one's name again.
    case.seen("h2").containers[0].state = State::Unhealthy;
    assert_eq!(*case.deploy().changes[0].why, ["fails its health check"]);
    assert_eq!(names(&mut case, "h2"), before);
    assert!(case.plan().is_empty());
}

#[test]
fn a_broken_off_replacement_goes_on() {
    let mut case = ailing("h2", None);
    let plan = case.plan();
    let mut sim = super::sim::Sim::new(&case);
    plan.actions[..2].iter().for_each(|action| sim.apply(action).unwrap());
    case.observed = sim.observed;
    assert_eq!(names(&mut case, "h2").len(), 2);
    let mut both = case.clone();
    let plan = case.deploy();
    let stops: Vec<_> = plan.actions.iter().map(|action| action.request.method()).collect();
    assert_eq!(stops, ["deploy.ready", "deploy.stop", "deploy.remove"], "{}", text(&plan));
    assert_eq!(names(&mut case, "h2").len(), 1);
    assert!(case.plan().is_empty());
    both.seen("h2").containers.iter_mut().for_each(|container| container.state = State::Unhealthy);
    both.deploy();
    assert!(
        names(&mut both, "h2").iter().all(|name| name.contains("-anew2-")),
        "{:?}",
        names(&mut both, "h2")
    );
    assert!(both.plan().is_empty());
}

#[test]
fn what_a_broken_off_replacement_leaves_does_not_push_out_earlier_releases() {
    let mut case = super::record::remembering();
    case.config.deploy.keep = 2;
    for (id, tag) in [("r1", "v1"), ("r2", "v2"), ("r3", "v3")] {
        super::record::release(&mut case, id, "web", tag);
    }
    let before = names(&mut case, "h2");
    case.goal.release = "r4".into();
    for _ in 0..3 {
        let up = case.seen("h2").containers.iter_mut().find(|c| c.state.is_up()).unwrap();
        up.state = State::Unhealthy;
        let plan = case.plan();
        let mut sim = super::sim::Sim::new(&case);
        // Killed when the old one is stopped, and not removed yet.
        let until = plan.actions.iter().take_while(|action| !action.key.starts_with("remove/"));
        until.for_each(|action| sim.apply(action).unwrap());
        case.observed = sim.observed;
    }
    case.deploy();
    let kept = |case: &mut Case| {
        let all = case.seen("h2").containers.iter();
        all.filter(|c| !c.state.is_up()).map(|c| c.spec.as_ref().unwrap().image.clone()).collect::<Vec<_>>()
    };
    assert_eq!((names(&mut case, "h2").len(), before.len()), (3, 3));
    let mut left = kept(&mut case);
    left.sort();
    assert_eq!(left, ["shop.web:v1", "shop.web:v2"]);
    assert!(case.plan().is_empty());
}

#[test]
fn what_no_release_has_goes_before_what_one_has() {
    let mut case = super::record::remembering();
    case.config.deploy.keep = 1;
    super::record::release(&mut case, "r1", "web", "v1");
    super::record::release(&mut case, "r2", "web", "v2");
    // Made by a deploy that was killed before it was started.
    let mut made = case.seen("h2").containers.iter().find(|c| !c.state.is_up()).unwrap().clone();
    (made.id, made.spec_id, made.created) = ("9".into(), "ffffffff".into(), i64::MAX);
    made.name = "shop-web-1-ffffffff".into();
    case.seen("h2").containers.push(made);
    case.seen("h2").containers.sort_by(|a, b| a.name.cmp(&b.name));
    case.deploy();
    let names = names(&mut case, "h2");
    assert!(names.len() == 2 && !names.iter().any(|name| name.ends_with("ffffffff")), "{names:?}");
}

#[test]
fn what_was_made_in_its_place_is_started_again_like_any_other() {
    let mut case = ailing("h2", None);
    case.deploy();
    case.seen("h2").containers[0].state = State::Stopped;
    let plan = case.deploy();
    assert_eq!(plan.changes[0].kind, ChangeKind::Start);
    assert!(plan.actions[0].key.contains("-anew-"), "{}", text(&plan));
    assert_eq!(names(&mut case, "h2").len(), 1);
}

#[test]
fn one_that_did_not_serve_when_it_was_started_again_is_replaced_and_removed() {
    let mut case = ailing("h2", None);
    let container = &mut case.seen("h2").containers[0];
    (container.state, container.status.unproven) = (State::Stopped, true);
    check(
        &case.deploy(),
        "create web.1 on h2 the one that is kept did not pass its health check when it was started last
         0 start/h2/shop-web-1-anew-#1
         1 ready/h2/shop-web-1-anew-#1 < 0
         2 remove/h2 < 1",
    );
    assert_eq!(names(&mut case, "h2").len(), 1);
    assert!(case.plan().is_empty());
}

#[test]
fn one_without_a_check_may_not_be_well_either() {
    let mut case = ailing("h2", None);
    case.service("web", |web| web.health = None);
    case.deploy();
    let container = case.seen("h2").containers.iter_mut().find(|c| c.state.is_up()).unwrap();
    (container.state, container.status.reason) =
        (State::Unhealthy, Some("not in the network `shop` any more".into()));
    let plan = case.deploy();
    assert_eq!(*plan.changes[0].why, ["is not well: not in the network `shop` any more"]);
    assert!(case.plan().is_empty());
}

#[test]
fn one_that_is_paused_is_replaced_too_unless_one_goes_back() {
    let mut case = ailing("h2", None);
    case.seen("h2").containers[0].state = State::Paused;
    let mut back = case.clone();
    let plan = case.deploy();
    assert_eq!(
        (plan.changes[0].kind, &*plan.changes[0].why),
        (ChangeKind::ReplaceStartFirst, &["is paused".to_owned()][..])
    );
    assert!(plan.notes.is_empty() && case.plan().is_empty());
    ["h1", "h2", "h3"].iter().for_each(|host| back.seen(host).releases = Some(Vec::new()));
    back.deploy();
    back.seen("h2").containers[0].state = State::Paused;
    back.goal.restore = Some(back.goal.release.clone());
    let [note] = &back.plan().notes[..] else { panic!("{}", text(&back.plan())) };
    assert!(
        note.message.ends_with("is paused; `cloudpad restart web.1 --host h2` lets it go on"),
        "{}",
        note.message
    );
}

#[test]
fn it_is_stopped_first_where_it_has_to_be_and_counts_as_none_that_serves() {
    let mut case = ailing("h2", None);
    case.service("web", |web| web.update = Update::StopFirst);
    case.config.deploy.min_healthy = Amount::Count(2);
    let plan = case.deploy();
    assert_eq!(plan.changes[0].kind, ChangeKind::ReplaceStopFirst);
    assert!(plan.actions[0].key.starts_with("stop/h2"), "{}", text(&plan));
    assert!(case.plan().is_empty());
}

#[test]
fn where_the_new_one_fails_too_the_old_one_is_left_as_it_was() {
    for update in [Update::StartFirst, Update::StopFirst] {
        let mut case = ailing("h2", None);
        case.service("web", |web| web.update = update);
        let (made, before) = (case.plan(), case.observed.clone());
        let mut begun = std::collections::BTreeSet::new();
        let mut sim = super::sim::Sim::new(&case);
        for action in &made.actions {
            begun.insert(action.id);
            if action.request.method() == "deploy.ready" {
                sim.fail(action);
                break;
            }
            sim.apply(action).unwrap();
        }
        let failed = Failed { plan: &made, begun: &begun, unknown: &[].into() };
        let undo = plan::undo(&failed, &before, &sim.observed, &case.config, &case.inventory(), &case.goal);
        undo.actions.iter().for_each(|action| sim.apply(action).unwrap());
        let all = |observed| super::sim::running(observed);
        assert_eq!(all(&sim.observed), all(&before), "{}", text(&undo));
        case.observed = sim.observed;
        assert_eq!(names(&mut case, "h2").len(), 1);
    }
}

#[test]
fn what_is_protected_is_told_and_replaced_only_where_it_is_named() {
    let mut case = case();
    case.service("web", |web| (web.protected, web.health) = (true, Some(engine_health())));
    case.deploy();
    let container = &mut case.seen("h2").containers[0];
    (container.state, container.status.reason) = (State::Unhealthy, Some("nobody listens".into()));
    let plan = case.plan();
    assert!(plan.is_empty(), "{}", text(&plan));
    let [note] = &plan.notes[..] else { panic!("{:?}", plan.notes) };
    assert!(note.message.ends_with("` on `h2` fails its health check: nobody listens"), "{}", note.message);
    case.goal.select.services = vec!["web".into()];
    assert_eq!(case.plan().changes.len(), 1);
}

#[test]
fn who_goes_back_is_not_kept_by_what_fails() {
    let mut case = case();
    ["h1", "h2", "h3"].iter().for_each(|host| case.seen(host).releases = Some(Vec::new()));
    case.deploy();
    case.seen("h2").containers[0].state = State::Unhealthy;
    case.goal.restore = Some(case.goal.release.clone());
    let plan = case.plan();
    assert!(plan.is_empty(), "{}", text(&plan));
    assert_eq!(plan.notes.len(), 1);
}

#[test]
fn what_is_replaced_anyway_stays_to_go_back_to() {
    let mut case = ailing("h2", None);
    case.image("web", "v2");
    let plan = case.deploy();
    assert_eq!((plan.changes.len(), &*plan.changes[1].why), (3, &["image".to_owned()][..]));
    assert_eq!(names(&mut case, "h2").len(), 2);
}
