//! Going back from a release that was begun and has not come to its end, or that came to hosts one after the other.

use cloudpad_plugin_api::stage::deploy::State;

use super::kit::{Case, check, text};
use super::record::{release, remembering};
use super::restore::{back, before, go_back, running};
use super::sim::Sim;

/// Releases `r6` and `r7` of `web`, on three hosts.
fn two() -> Case {
    let mut case = remembering();
    release(&mut case, "r6", "web", "v6");
    release(&mut case, "r7", "web", "v7");
    case
}

/// Begins a release and breaks it off behind the first action on a host that is called so.
fn broken_off(case: &mut Case, id: &str, tag: &str, method: &str) {
    case.goal.release = id.to_owned();
    case.image("web", tag);
    let plan = case.plan();
    let mut sim = Sim::new(case);
    for action in &plan.actions {
        sim.apply(action).unwrap();
        if action.request.method() == method {
            break;
        }
    }
    case.observed = sim.observed;
}

fn everywhere(case: &mut Case) -> Vec<String> {
    ["h1", "h2", "h3"].iter().flat_map(|host| running(case, host)).collect()
}

#[test]
fn what_was_broken_off_is_taken_back_and_not_the_release_before_it() {
    for method in ["deploy.start", "deploy.ready", "deploy.stop"] {
        let mut case = two();
        broken_off(&mut case, "r8", "v8", method);
        assert_eq!(before(&case), Ok("r7".to_owned()), "after {method}");
        back(&mut case, "r9", "r7");
        let plan = case.deploy();
        let [note] = &plan.notes[..] else { panic!("{}", text(&plan)) };
        assert_eq!(
            note.message,
            "release `r8` is not complete: what ran before it began is brought back; `cloudpad rollback RELEASE` goes further back"
        );
        assert_eq!(everywhere(&mut case), ["shop.web:v7"; 3]);
        // Once it is taken back, one goes on from there.
        case.goal.restore = None;
        assert_eq!(before(&case), Ok("r6".to_owned()), "after {method}");
    }
}

#[test]
fn what_of_it_has_ended_is_cleared_away() {
    let mut case = two();
    broken_off(&mut case, "r8", "v8", "deploy.start");
    let failed = case.seen("h1").containers.iter_mut().find(|c| c.state == State::Starting);
    failed.unwrap().state = State::Stopped;
    back(&mut case, "r9", "r7");
    check(
        &case.deploy(),
        "0 remove/h1
         note: release `r8` is not complete: what ran before it began is brought back; `cloudpad rollback RELEASE` goes further back",
    );
}

#[test]
fn one_that_names_an_older_release_gets_that() {
    let mut case = two();
    broken_off(&mut case, "r8", "v8", "deploy.stop");
    go_back(&mut case, "r9", "r6");
    assert_eq!(everywhere(&mut case), ["shop.web:v6"; 3]);
}

#[test]
fn a_rollback_that_was_broken_off_goes_on() {
    let mut case = two();
    back(&mut case, "r8", "r6");
    let plan = case.plan();
    let mut sim = Sim::new(&case);
    plan.actions[..3].iter().for_each(|action| sim.apply(action).unwrap());
    (case.observed, case.goal.restore) = (sim.observed, None);
    assert_eq!(running(&mut case, "h1"), ["shop.web:v6"]);
    assert_eq!(before(&case), Ok("r6".to_owned()));
}

#[test]
fn what_came_to_one_host_before_the_others_goes_from_all_of_them() {
    let mut case = two();
    case.goal.select.hosts = vec!["h3".into()];
    release(&mut case, "r8", "web", "v8");
    case.goal.select.hosts = Vec::new();
    assert_eq!(before(&case), Ok("r7".to_owned()), "of a part alone, that part goes back");
    release(&mut case, "r9", "web", "v8");
    assert_eq!(before(&case), Ok("r7".to_owned()), "at `r8` one host had the same as now");
    go_back(&mut case, "s1", "r7");
    assert_eq!(everywhere(&mut case), ["shop.web:v7"; 3]);
}

#[test]
fn a_host_that_came_after_the_others_does_not_go_back_alone() {
    let mut case = two();
    case.goal.select.hosts = vec!["h1".into(), "h2".into()];
    release(&mut case, "r8", "web", "v8");
    case.goal.select.hosts = Vec::new();
    release(&mut case, "r9", "web", "v8");
    assert_eq!(case.seen("h1").releases.as_ref().unwrap().last().unwrap().id, "r8");
    assert_eq!(before(&case), Ok("r7".to_owned()));
}
