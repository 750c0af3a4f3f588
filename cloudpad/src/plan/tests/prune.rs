//! What is removed when nothing needs it any more.

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{OneOff, State};

use super::kit::{Case, check};
use super::record::{release, remembered, remembering};
use super::sim::Sim;
use crate::config::Problem;
use crate::plan::{self, Plan};

/// Four releases of one service on one host, with all that was ever kept of them.
fn four() -> Case {
    let mut case = remembering();
    case.config.hosts.truncate(1);
    case.observed.hosts.retain(|name, _| name == "h1");
    case.config.deploy.keep = 9;
    for (id, tag) in [("r1", "v1"), ("r2", "v2"), ("r3", "v3"), ("r4", "v4")] {
        release(&mut case, id, "web", tag);
    }
    // Nobody looks at the config's images.
    case.observed.images.clear();
    case.goal.release = "r5".into();
    case
}

fn prune(case: &Case) -> Plan {
    try_prune(case, &[]).unwrap()
}

fn try_prune(case: &Case, named: &[&str]) -> Result<Plan, Vec<Problem>> {
    let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
    plan::prune(&case.config, &case.inventory(), &case.observed, &case.goal, &named)
}

/// The images that the plan removes.
fn images(plan: &Plan) -> Vec<String> {
    let removes = plan.actions.iter().filter_map(|action| match &action.request {
        Request::DeployRemove(q) => Some(q.images.clone()),
        _ => None,
    });
    removes.flatten().collect()
}

fn carry_out(case: &mut Case, plan: &Plan) {
    let mut sim = Sim::new(case);
    plan.actions.iter().for_each(|action| sim.apply(action).unwrap());
    case.observed = sim.observed;
}

#[test]
fn what_is_beyond_what_is_kept_goes_with_its_images_and_releases() {
    let mut case = four();
    assert!(prune(&case).is_empty());
    case.config.deploy.keep = 1;
    let plan = prune(&case);
    check(
        &plan,
        "0 record/h1
         1 remove/h1 < 0",
    );
    assert_eq!(images(&plan), ["shop.web:v1", "shop.web:v2"]);
    carry_out(&mut case, &plan);
    let ids: Vec<_> = remembered(&mut case, "h1").iter().map(|release| release.id.clone()).collect();
    assert_eq!(ids, ["r3", "r4"]);
    assert_eq!(case.seen("h1").containers.len(), 2);
    assert!(prune(&case).is_empty(), "once is enough");
}

#[test]
fn images_that_something_needs_stay() {
    let mut case = four();
    case.config.deploy.keep = 1;
    let mut add =
        |images: &[&str]| case.seen("h1").images.extend(images.iter().map(|image| image.to_string()));
    add(&["shop.api:left", "shop-api:theirs", "registry.test/shop.web:1", "nginx:1"]);
    assert_eq!(images(&prune(&case)), ["shop.web:v1", "shop.web:v2", "shop.api:left"]);
    case.seen("h1").needed_elsewhere = vec!["shop.web:v2".into(), "shop.api:left".into()];
    assert_eq!(images(&prune(&case)), ["shop.web:v1"], "another environment needs the others");
    case.seen("h1").built = Some(vec!["shop.web:v2".into()]);
    assert_eq!(images(&prune(&case)), [""; 0], "what only has the name of one is not the project's");
    case.seen("h1").built = None;
    case.seen("h1").containers[0].spec = None;
    case.seen("h1").containers[0].state = State::Running;
    assert_eq!(images(&prune(&case)), [""; 0], "that one may be made from any of them");
}

#[test]
fn a_host_that_remembers_nothing_loses_only_what_was_made_from_its_images() {
    let mut case = four();
    case.config.deploy.keep = 1;
    case.seen("h1").releases = None;
    case.seen("h1").images.push("shop.api:left".into());
    let plan = prune(&case);
    check(&plan, "0 remove/h1");
    assert_eq!(images(&plan), [""; 0]);
}

#[test]
fn services_that_are_gone_leave_nothing_and_what_runs_is_left_alone() {
    let mut case = four();
    case.config.services.remove("web");
    case.seen("h1").containers.retain(|c| c.state == State::Running);
    assert!(prune(&case).is_empty(), "a deploy stops it");
    case.seen("h1").containers[0].state = State::Stopped;
    let plan = prune(&case);
    check(&plan, "0 remove/h1");
    assert_eq!(images(&plan), [""; 0], "the releases need them");
    case.goal.select.services = vec!["other".into()];
    assert!(prune(&case).is_empty(), "and only of what is meant");
}

/// A one-off container of `cloudpad run`, or of a job.
fn one_off(name: &str, labels: &[(&str, &str)], exit_code: Option<i64>) -> OneOff {
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    OneOff {
        id: name.into(),
        name: name.into(),
        release: "r4".into(),
        labels: labels.collect(),
        state: if exit_code.is_some() { State::Stopped } else { State::Running },
        exit_code,
        created: 1,
        image: "shop.web:of-a-job".into(),
        lasting: String::new(),
    }
}

#[test]
fn one_offs_of_nobody_go_when_they_have_ended_or_are_named() {
    let mut case = four();
    let (like, job, by_hand) =
        (("cloudpad.run", "web"), ("cloudpad.job", "migrate"), ("cloudpad.job-when", "manual"));
    case.seen("h1").one_offs = vec![
        one_off("shop-run-web-1", &[like], None),
        one_off("shop-run-web-2", &[like], Some(137)),
        one_off("shop-run-migrate-1", &[job, by_hand], Some(0)),
        one_off("shop.migrate.r4", &[job, ("cloudpad.job-when", "before")], Some(1)),
        OneOff { state: State::Stopped, ..one_off("shop-run-web-3", &[like], None) },
    ];
    let plan = prune(&case);
    let keys = |plan: &Plan| plan.actions.iter().map(|action| action.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&plan), ["remove/h1"]);
    assert_eq!(plan.notes.len(), 2, "{:?}", plan.notes);
    let told = "one-off container `shop-run-web-1`, web (run), still runs on `h1`, and is left alone: \
                `cloudpad prune shop-run-web-1` ends it where nobody waits for it any more";
    assert_eq!(plan.notes[0].message, told);
    assert!(plan.notes[1].message.contains("has not begun yet"), "{:?}", plan.notes[1]);
    carry_out(&mut case, &plan);
    let left = |case: &mut Case| -> Vec<String> {
        case.seen("h1").one_offs.iter().map(|one_off| one_off.name.clone()).collect()
    };
    assert_eq!(
        left(&mut case),
        ["shop-run-web-1", "shop.migrate.r4", "shop-run-web-3"],
        "a deploy needs that of its job"
    );
    case.goal.select.services = vec!["other".into()];
    assert!(prune(&case).notes.is_empty(), "only of what is meant");
    case.goal.select.services.clear();
    let problems = try_prune(&case, &["shop-run-web-1", "shop-run-web-9"]).unwrap_err();
    assert_eq!(problems[0].message, "there is no one-off container `shop-run-web-9` on the selected hosts");
    let plan = try_prune(&case, &["shop-run-web-1", "shop-run-web-3", "shop.migrate.r4"]).unwrap();
    assert_eq!(keys(&plan), ["stop/h1/shop-run-web-1", "remove/h1"]);
    assert_eq!(plan.actions[1].needs, [0]);
    carry_out(&mut case, &plan);
    assert!(left(&mut case).is_empty() && prune(&case).notes.is_empty());
}
