//! Containers that are stopped for those who ask.

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::Restart;
use cloudpad_plugin_api::stage::deploy::State;
use proptest::prelude::*;

use super::kit::{Case, check, route, text};
use super::props::{look, simulated};
use super::random::{World, world};
use super::record::{release, remembering};
use super::sim::{Sim, containers, interleaving, routed, running};
use crate::config::{Count, Problem};
use crate::plan::{self, Asked, Plan};

/// `web`, two on each of two hosts and with a route, and `db` on the first, which is protected.
pub fn deployed() -> Case {
    let mut case = remembering();
    case.config.hosts.truncate(2);
    case.observed.hosts.remove("h3");
    for host in ["h1", "h2"] {
        case.seen(host).proxy = Some(Box::default());
    }
    case.image("db", "v1");
    case.service("db", |db| (db.hosts, db.protected) = (vec!["h1".into()], true));
    case.service("web", |web| (web.count, web.route) = (Count::PerHost(2), Some(route())));
    release(&mut case, "r1", "web", "v1");
    case.goal.release = String::new();
    case
}

/// Makes a plan about these targets; with none, about everything.
pub fn ask(
    case: &Case,
    targets: &[&str],
    decide: impl FnOnce(&Asked<'_>) -> Result<Plan, Vec<Problem>>,
) -> Result<Plan, Vec<Problem>> {
    let targets: Vec<crate::instances::Target> = targets.iter().map(|word| word.parse().unwrap()).collect();
    let mut goal = case.goal.clone();
    goal.select.services = targets.iter().map(|target| target.service.clone()).collect();
    let (config, inventory, observed) = (&case.config, &case.inventory(), &case.observed);
    decide(&Asked { config, inventory, observed, goal: &goal, targets: &targets })
}

/// The messages of the problems.
pub fn refused(plan: Result<Plan, Vec<Problem>>) -> Vec<String> {
    plan.map(|plan| text(&plan)).unwrap_err().into_iter().map(|problem| problem.message).collect()
}

pub fn carry_out(case: &mut Case, plan: &Plan) {
    let mut sim = Sim::new(case);
    plan.actions.iter().for_each(|action| sim.apply(action).unwrap());
    case.observed = sim.observed;
}

/// A plan without its last note, which tells for how long.
fn but_the_last_note(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    let last = plan.notes.pop().unwrap();
    assert!(
        last.message.contains("until `cloudpad start`, or the next `cloudpad deploy`") && !last.incomplete
    );
    plan
}

#[test]
fn requests_are_led_elsewhere_and_then_all_stop_at_once() {
    let mut case = deployed();
    let plan = ask(&case, &["web"], plan::stop).unwrap();
    check(
        &but_the_last_note(&plan),
        "stop web.1 on h1
         stop web.2 on h1
         stop web.1 on h2
         stop web.2 on h2
         0 route/h1/shop-web-1-#1
         1 stop/h1/shop-web-1-#1 < 0
         2 route/h1/shop-web-2-#1
         3 stop/h1/shop-web-2-#1 < 2
         4 route/h2/shop-web-1-#1
         5 stop/h2/shop-web-1-#1 < 4
         6 route/h2/shop-web-2-#1
         7 stop/h2/shop-web-2-#1 < 6",
    );
    let Request::DeployRoute(first) = &plan.actions[0].request else { panic!() };
    assert!(
        first.rule.is_some() && first.drain_ms == 30_000,
        "the route stays, and what is asked is answered"
    );
    carry_out(&mut case, &plan);
    assert!(ask(&case, &["web"], plan::stop).unwrap().is_empty() && routed(&case.observed).is_empty());
    let releases = case.seen("h1").releases.clone();
    assert_eq!(releases.unwrap().len(), 1, "it is no release");
    case.goal.release = "r2".into();
    assert_eq!(case.deploy().changes.len(), 4, "which the next deploy starts again");
    assert_eq!(routed(&case.observed).len(), 4);
}

#[test]
fn one_instance_is_stopped_and_the_config_of_now_does_not_matter() {
    let mut case = deployed();
    case.service("web", |web| (web.count, web.route) = (Count::PerHost(1), None));
    let mut made = (*case.config.proxy.made).clone();
    made.image = "caddy:2".into();
    case.config.proxy.made = made.into();
    case.config.deploy.min_healthy = crate::config::Amount::Percent(100);
    case.goal.select.hosts = vec!["h2".into()];
    let plan = ask(&case, &["web.2"], plan::stop).unwrap();
    check(
        &but_the_last_note(&plan),
        "stop web.2 on h2
         0 route/h2/shop-web-2-#1
         1 stop/h2/shop-web-2-#1 < 0",
    );
    case.config.services.remove("web");
    assert_eq!(ask(&case, &["web.2"], plan::stop).unwrap().actions.len(), 2, "nor whether it is in there");
}

#[test]
fn where_what_stays_does_not_serve_it_is_said() {
    let mut case = deployed();
    let ill = case.seen("h1").containers.iter_mut().find(|c| c.instance.to_string() == "web.1").unwrap();
    (ill.state, ill.status.reason) = (State::Unhealthy, Some("`GET /up` answered 404".into()));
    let plan = but_the_last_note(&ask(&case, &["web.2"], plan::stop).unwrap());
    let [note] = &plan.notes[..] else { panic!("{}", text(&plan)) };
    assert!(
        note.message.starts_with("nothing of `web` on `h1` serves then: `shop-web-1-"),
        "{}",
        note.message
    );
    let why = "` stays, and is not well: `GET /up` answered 404";
    assert!(note.message.ends_with(why), "{}", note.message);
    // Who stops all of it knows.
    assert_eq!(but_the_last_note(&ask(&case, &["web"], plan::stop).unwrap()).notes, []);
    assert_eq!(but_the_last_note(&ask(&case, &["web.1"], plan::stop).unwrap()).notes, []);
}

#[test]
fn what_is_protected_is_stopped_by_its_own_name_only() {
    let case = deployed();
    for targets in [&[][..], &["d*"]] {
        let plan = ask(&case, targets, plan::stop).unwrap();
        assert!(!text(&plan).contains("stop/h1/shop-db"), "{}", text(&plan));
        assert!(text(&plan).contains("is protected, and left alone: only who names `db` means it"));
        assert!(plan.notes.iter().all(|note| !note.incomplete));
    }
    let plan = ask(&case, &["db.1"], plan::stop).unwrap();
    assert!(text(&plan).contains("0 stop/h1/shop-db-1-"), "{}", text(&plan));
    assert!(text(&plan).contains("is protected, and stopped since it is named"));
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let mut case = deployed();
    case.service("api", |_| {});
    let problems = ask(&case, &["web.1", "web.9", "api"], plan::stop).unwrap_err();
    let told: Vec<_> = problems.iter().map(|p| (&*p.message, p.hint.as_deref().unwrap())).collect();
    let brings = "`cloudpad ps` lists what there is, `cloudpad deploy` brings it";
    assert_eq!(
        told,
        [
            ("there is no container of `web.9`", "there is `web.1`, `web.2`"),
            ("there is no container of `api`", brings)
        ]
    );
    case.goal.select.hosts = vec!["h2".into()];
    case.service("db", |db| db.hosts.clear());
    assert_eq!(
        refused(ask(&case, &["db"], plan::stop)),
        ["there is no container of `db` on the selected hosts"]
    );
}

#[test]
fn a_host_out_of_sight_is_in_the_way_of_those_it_may_have() {
    let mut case = deployed();
    case.unseen("h2");
    assert_eq!(
        refused(ask(&case, &["web"], plan::stop)),
        ["host `h2` cannot be looked at: no route to `h2`"]
    );
    assert!(ask(&case, &["db"], plan::stop).is_ok(), "it is not for that host");
    case.config.services.remove("web");
    assert_eq!(refused(ask(&case, &["web"], plan::stop)).len(), 1, "nobody knows whether it is there");
}

#[test]
fn what_the_engine_starts_again_is_told() {
    let mut case = deployed();
    case.service("web", |web| web.restart = Restart::Always);
    case.goal.release = "r2".into();
    case.deploy();
    case.goal.release.clear();
    let plan = ask(&case, &["web.1"], plan::stop).unwrap();
    assert!(
        plan.notes[0].message.ends_with("has `restart = \"always\"`: it comes back when the engine does")
    );
}

/// Makes a plan in a random world about a part of it.
pub fn ask_world(
    world: &World,
    which: u8,
    decide: impl FnOnce(&Asked<'_>) -> Result<Plan, Vec<Problem>>,
) -> Result<Plan, TestCaseError> {
    let targets: &[&str] = match which % 4 {
        0 => &["a"],
        1 => &["b.1", "a"],
        2 => &["*"],
        _ => &[],
    };
    let reject = |problems| TestCaseError::reject(format!("{problems:?}"));
    ask(&world.case, targets, decide).map_err(reject)
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn only_what_was_asked_for_stops_and_gets_no_request_by_then(world in world(), which: u8, order: Vec<u8>) {
        let plan = ask_world(&world, which, plan::stop)?;
        let mut sim = simulated(&world);
        for id in interleaving(&plan, &order) {
            let action = &plan.actions[id as usize];
            if let Request::DeployStop(stop) = &action.request {
                let is_led_to = routed(&sim.observed).iter().any(|(host, _, name)| *host == stop.host.name && *name == stop.container.name);
                prop_assert!(!is_led_to, "{}", action.key);
            }
            sim.apply(action).map_err(TestCaseError::fail)?;
        }
        let told: Vec<_> = plan.changes.iter().map(|change| (&change.host, &change.instance)).collect();
        for (host, state) in &world.truth.hosts {
            for container in containers(state) {
                let after = containers(&sim.observed.hosts[host]).iter().find(|c| c.name == container.name);
                let state = match told.contains(&(host, &container.instance)) && container.state.is_up() {
                    true => State::Stopped,
                    false => container.state,
                };
                // One that is protected may run beside one that is not.
                let is_left = container.state.is_up() && after.is_some_and(|after| after.state == container.state);
                prop_assert!(is_left || after.is_some_and(|after| after.state == state), "{}", container.name);
            }
        }
        let mut after = world.clone();
        after.case.observed = look(&world, &sim.observed);
        prop_assert!(ask_world(&after, which, plan::stop)?.is_empty());
        prop_assert!(running(&sim.observed).is_subset(&running(&world.truth)));
    }
}
