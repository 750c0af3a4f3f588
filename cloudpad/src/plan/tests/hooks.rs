//! Which hooks go with a plan.

use super::kit::*;
use crate::config::HookPoint;
use crate::plan::{Plan, SavedPlan, Until};

fn points(plan: &Plan) -> Vec<&str> {
    plan.hooks.iter().map(|hook| hook.point.name()).collect()
}

fn hooked() -> Case {
    let mut case = case();
    let command = |point: HookPoint| vec![vec![point.name().to_owned()]];
    case.config.hooks.commands = HookPoint::ALL.into_iter().map(|point| (point, command(point))).collect();
    case
}

#[test]
fn those_of_a_build_go_with_builds_and_those_of_a_deploy_with_deploys() {
    let mut case = hooked();
    let deploy = ["before_deploy", "after_deploy", "after_failure"];
    assert_eq!(points(&case.plan()), [&["before_build"][..], &deploy].concat());
    case.goal.until = Until::Build;
    assert_eq!(points(&case.plan()), ["before_build"]);
    case.goal.until = Until::Push;
    assert_eq!(points(&case.plan()), ["before_build"]);
    case.goal.until = Until::Deploy;
    case.deploy();
    assert_eq!(points(&case.plan()), [""; 0], "nothing is done");
    case.service("web", |web| _ = web.env.insert("SIZE".into(), "2".into()));
    assert_eq!(points(&case.plan()), deploy, "nothing is built");
}

#[test]
fn a_saved_plan_brings_no_hooks_of_its_own() {
    let case = hooked();
    let mut saved = SavedPlan::new(&case.config, case.goal.clone(), &case.observed, case.plan());
    assert_eq!(saved.check(&case.config, &case.observed), Ok(()));
    saved.plan.hooks[0].command = vec!["evil".into()];
    let failure = saved.check(&case.config, &case.observed).unwrap_err();
    assert_eq!(failure.message, "the saved plan is damaged: its hooks are not those of the config");
}
