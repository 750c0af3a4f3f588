//! Containers that were stopped, and are started again.

use std::collections::BTreeSet;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{PortHeld, State};
use proptest::prelude::*;

use super::kit::{Case, check, ports, text};
use super::props::{look, simulated};
use super::random::world;
use super::sim::{Sim, containers, interleaving, routed, running};
use super::stop::{ask, ask_world, carry_out, deployed, refused};
use crate::config::{Job, JobOf, Secret, When};
use crate::observed::HostState;
use crate::plan::{self, Failed, past};

/// All is stopped.
fn stopped() -> Case {
    let mut case = deployed();
    let plan = ask(&case, &["web", "db"], plan::stop).unwrap();
    carry_out(&mut case, &plan);
    case
}

fn of(case: &mut Case, number: u32) -> &mut cloudpad_plugin_api::stage::deploy::Container {
    let all = case.seen("h1").containers.iter_mut();
    all.into_iter().find(|c| c.instance.service == "web" && c.instance.number == number).unwrap()
}

#[test]
fn what_was_stopped_runs_again_as_it_was_and_gets_requests_when_it_serves() {
    let mut case = stopped();
    // Whatever the config says by now, and without its jobs.
    case.service("web", |web| web.stop_timeout = 99);
    let job = Job { of: JobOf::Service("web".into()), ..super::jobs::job(When::Before) };
    case.config.jobs.insert("migrate".into(), job);
    case.goal.select.hosts = vec!["h1".into()];
    let plan = ask(&case, &["web"], plan::start).unwrap();
    check(
        &plan,
        "start web.1 on h1
         start web.2 on h1
         0 start/h1/shop-web-1-#1
         1 ready/h1/shop-web-1-#1 < 0
         2 route/h1/shop-web-1-#1 < 1
         3 start/h1/shop-web-2-#1 < 2
         4 ready/h1/shop-web-2-#1 < 3
         5 route/h1/shop-web-2-#1 < 4",
    );
    carry_out(&mut case, &plan);
    assert_eq!((running(&case.observed).len(), routed(&case.observed).len()), (2, 2));
    assert!(ask(&case, &["web"], plan::start).unwrap().is_empty());
    let all = ask(&Case { goal: super::kit::case().goal, ..case.clone() }, &[], plan::start).unwrap();
    assert_eq!(all.changes.len(), 3, "what is protected may be started: {}", text(&all));
}

#[test]
fn what_does_not_serve_yet_is_waited_for_and_what_does_gets_requests() {
    let mut case = deployed();
    case.goal.select.hosts = vec!["h1".into()];
    of(&mut case, 1).state = State::Starting;
    let name = of(&mut case, 2).name.clone();
    case.seen("h1").proxy.as_mut().unwrap().routes[0].containers.retain(|routed| *routed != name);
    let plan = ask(&case, &["web"], plan::start).unwrap();
    check(
        &plan,
        "await web.1 on h1
         0 ready/h1/shop-web-1-#1
         1 route/h1/shop-web-1-#1 < 0",
    );
    let Request::DeployRoute(route) = &plan.actions[1].request else { panic!() };
    assert!(route.add.contains(&name));
    of(&mut case, 1).state = State::Running;
    check(&ask(&case, &["web"], plan::start).unwrap(), "0 route/h1/shop-web-2-#1");
}

#[test]
fn what_a_deploy_has_to_see_to_is_told() {
    let mut case = stopped();
    let gone = of(&mut case, 1).name.clone();
    case.seen("h1").containers.retain(|container| container.name != gone);
    let other = of(&mut case, 2);
    (other.state, other.spec_id) = (State::Running, "another".into());
    case.goal.select.hosts = vec!["h1".into()];
    let plan = ask(&case, &["web"], plan::start).unwrap();
    let notes: Vec<_> = plan.notes.iter().map(|note| (&*note.message, note.incomplete)).collect();
    let name = of(&mut case, 2).name.clone();
    assert_eq!(
        notes,
        [
            ("`web.1` is not on `h1` any more; `cloudpad deploy` makes it again", true),
            (&*format!("`{name}` on `h1` is not what is to run there; `cloudpad deploy` sees to it"), true)
        ]
    );
    assert!(plan.is_empty());
    case.goal.select.hosts = vec!["h2".into()];
    case.seen("h2").proxy = Some(Box::default());
    let plan = ask(&case, &["web"], plan::start).unwrap();
    assert_eq!(plan.notes[0].message, "no request is led to `web` on `h2` yet; `cloudpad deploy` sees to it");
}

#[test]
fn what_is_not_to_run_is_refused() {
    let mut case = stopped();
    case.service("api", |_| {});
    let told = refused(ask(&case, &["web.3", "api"], plan::start));
    assert_eq!(told, ["there is no container of `web.3`", "there is no container of `api`"]);
    case.unseen("h2");
    assert_eq!(
        refused(ask(&case, &["web"], plan::start)),
        ["host `h2` cannot be looked at: no route to `h2`"]
    );
    case.seen("h1").releases = None;
    assert_eq!(refused(ask(&case, &["db"], plan::start)), ["`h1` does not remember what is to run there"]);
}

#[test]
fn a_port_that_somebody_has_taken_meanwhile_is_found_before_anything_is_touched() {
    let mut case = super::record::remembering();
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.deploy();
    let plan = ask(&case, &["web"], plan::stop).unwrap();
    carry_out(&mut case, &plan);
    let (published, protocol) = (8080, cloudpad_plugin_api::model::Protocol::Tcp);
    case.seen("h2").ports = vec![PortHeld { published, protocol, host_ip: None, container: "theirs".into() }];
    let told = refused(ask(&case, &["web"], plan::start));
    assert_eq!(told, ["port 8080 of `h2` is held by the container `theirs`, which is not the project's"]);
}

#[test]
fn secrets_that_are_files_may_be_gone_and_are_asked_for() {
    let mut case = deployed();
    for (target, name) in [("DB", "db"), ("/run/key", "key")] {
        case.observed.secrets.insert(name.into(), "mark".into());
        case.service("web", |web| _ = web.secrets.insert(target.into(), Secret::named(name)));
    }
    case.goal.release = "r2".into();
    case.deploy();
    let plan = ask(&case, &["web.1"], plan::stop).unwrap();
    carry_out(&mut case, &plan);
    let names = plan::secrets(&ask(&case, &["web"], plan::start).unwrap(), &case.observed);
    assert_eq!(names, BTreeSet::from(["key".to_owned()]));
    assert_eq!(plan::secrets(&ask(&case, &["db"], plan::start).unwrap(), &case.observed), BTreeSet::new());
}

#[test]
fn what_does_not_come_up_is_stopped_again_with_what_came_with_it_and_stays() {
    let mut case = stopped();
    let plan = ask(&case, &["web"], plan::start).unwrap();
    case.goal.select.services = vec!["web".into()];
    let mut sim = Sim::new(&case);
    for action in &plan.actions {
        if action.key.starts_with("ready/h1/shop-web-2") {
            sim.fail(action);
            break;
        }
        sim.apply(action).unwrap();
    }
    let failed = Failed { plan: &plan, begun: &BTreeSet::new(), unknown: &BTreeSet::new() };
    let undo =
        plan::undo(&failed, &case.observed, &sim.observed, &case.config, &case.inventory(), &case.goal);
    undo.actions.iter().for_each(|action| sim.apply(action).unwrap());
    assert_eq!((running(&sim.observed), routed(&sim.observed)), (BTreeSet::new(), BTreeSet::new()));
    assert!(!undo.actions.iter().any(|action| matches!(action.request, Request::DeployRemove(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn all_that_is_to_run_and_is_there_runs_and_nothing_else_changes(world in world(), which: u8, order: Vec<u8>) {
        let plan = ask_world(&world, which, plan::start)?;
        let mut sim = simulated(&world);
        // What is to run was decided when the file may still have let two write to one volume.
        sim.exclusive.clear();
        for id in interleaving(&plan, &order) {
            sim.apply(&plan.actions[id as usize]).map_err(TestCaseError::fail)?;
        }
        let told: Vec<_> = plan.changes.iter().map(|change| (&change.host, &change.instance)).collect();
        for (host, state) in &world.truth.hosts {
            let HostState::Seen(seen) = state else { continue };
            let to_run = past::current(seen).map_or(&[][..], |release| &release.containers);
            let after = containers(&sim.observed.hosts[host]);
            prop_assert_eq!(after.len(), seen.containers.len());
            for (before, after) in seen.containers.iter().zip(after) {
                if before.state != after.state {
                    let is_to_run = to_run.iter().any(|r| r.instance == after.instance && r.spec_id == after.spec_id);
                    prop_assert!(is_to_run && after.state == State::Running, "{}", after.name);
                    prop_assert!(told.contains(&(host, &after.instance)));
                }
            }
        }
        let mut after = world.clone();
        after.case.observed = look(&world, &sim.observed);
        let again = ask_world(&after, which, plan::start)?;
        prop_assert!(again.is_empty(), "{}", text(&again));
    }
}
