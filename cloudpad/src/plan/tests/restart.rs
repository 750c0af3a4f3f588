//! Containers that are restarted, a few at a time.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::State;
use proptest::prelude::*;

use super::kit::{check, text};
use super::props::simulated;
use super::random::world;
use super::sim::{containers, interleaving, routed, running};
use super::stop::{ask, ask_world, carry_out, deployed, refused};
use crate::config::Amount;
use crate::observed::{HostState, Observed};
use crate::plan;

#[test]
fn one_after_the_other_leaves_its_route_and_comes_back_to_it() {
    let mut case = deployed();
    case.goal.select.hosts = vec!["h1".into()];
    // Whatever the config says by now.
    case.service("web", |web| web.stop_timeout = 99);
    let plan = ask(&case, &["web"], plan::restart).unwrap();
    check(
        &plan,
        "restart web.1 on h1
         restart web.2 on h1
         0 route/h1/shop-web-1-#1
         1 stop/h1/shop-web-1-#1 < 0
         2 start/h1/shop-web-1-#1 < 1
         3 ready/h1/shop-web-1-#1 < 2
         4 route/h1/shop-web-1-#1 < 3
         5 route/h1/shop-web-2-#1 < 4
         6 stop/h1/shop-web-2-#1 < 5
         7 start/h1/shop-web-2-#1 < 6
         8 ready/h1/shop-web-2-#1 < 7
         9 route/h1/shop-web-2-#1 < 8",
    );
    let led = |at: usize| match &plan.actions[at].request {
        Request::DeployRoute(route) => (route.add.len(), route.remove.len(), route.drain_ms),
        _ => panic!(),
    };
    assert_eq!((led(0), led(4)), ((0, 1, 30_000), (1, 0, 0)));
    assert!(plan.actions[1..5].iter().all(|action| action.continues), "an interrupt leaves none stopped");
    let before = case.observed.clone();
    carry_out(&mut case, &plan);
    assert_eq!(case.observed, before);
}

#[test]
fn in_batches_but_never_all_of_a_host() {
    let mut case = deployed();
    case.config.deploy.batch = Amount::Percent(100);
    check(
        &ask(&case, &["web.1"], plan::restart).unwrap(),
        "restart web.1 on h1
         restart web.1 on h2
         0 route/h1/shop-web-1-#1
         1 stop/h1/shop-web-1-#1 < 0
         2 start/h1/shop-web-1-#1 < 1
         3 ready/h1/shop-web-1-#1 < 2
         4 route/h1/shop-web-1-#1 < 3
         5 route/h2/shop-web-1-#1
         6 stop/h2/shop-web-1-#1 < 5
         7 start/h2/shop-web-1-#1 < 6
         8 ready/h2/shop-web-1-#1 < 7
         9 route/h2/shop-web-1-#1 < 8",
    );
    let plan = ask(&case, &["web"], plan::restart).unwrap();
    let second = plan.actions.iter().find(|action| action.key.starts_with("route/h1/shop-web-2")).unwrap();
    assert_eq!(second.needs, [4], "it waits for the other one of its host: {}", text(&plan));
}

#[test]
fn where_only_one_serves_it_is_said() {
    let mut case = deployed();
    case.goal.select.hosts = vec!["h1".into()];
    let plan = ask(&case, &["db"], plan::restart).unwrap();
    let told: Vec<_> = plan.notes.iter().map(|note| (&*note.message, note.incomplete)).collect();
    assert_eq!(told, [("`db.1` is all that serves of `db` on `h1`, which does not answer meanwhile", false)]);
    for container in case.seen("h1").containers.iter_mut().filter(|c| c.instance.number == 2) {
        container.state = State::Unhealthy;
    }
    let plan = ask(&case, &["web.1"], plan::restart).unwrap();
    assert_eq!(plan.notes.len(), 1);
    let plan = ask(&case, &["web"], plan::restart).unwrap();
    assert_eq!(plan.changes[0].instance.number, 2, "what does not serve anyway comes first");
}

#[test]
fn as_many_serve_as_have_to_or_it_is_refused() {
    let mut case = deployed();
    case.config.deploy.min_healthy = Amount::Percent(100);
    let told = "`web` cannot be restarted: 4 of its containers serve, and to stop one would leave 3 where \
                `deploy.min_healthy` asks for 4";
    assert_eq!(refused(ask(&case, &["web.1"], plan::restart)), [told]);
    // Those of hosts that are not selected count.
    case.config.deploy.min_healthy = Amount::Count(3);
    case.goal.select.hosts = vec!["h1".into()];
    assert!(ask(&case, &["web.1"], plan::restart).is_ok());
}

#[test]
fn what_does_not_run_is_told_and_what_is_protected_left_alone() {
    let mut case = deployed();
    let plan = ask(&case, &["web.1"], plan::stop).unwrap();
    carry_out(&mut case, &plan);
    let problems = ask(&case, &["web.1", "api"], plan::restart).unwrap_err();
    let told: Vec<_> = problems.iter().map(|p| (&*p.message, p.hint.as_deref().unwrap())).collect();
    assert_eq!(
        told[1],
        ("no container of `web.1` runs: web.1 on h1 is stopped", "`cloudpad start web.1` starts it")
    );
    assert_eq!(told[0].0, "there is no container of `api`");
    let plan = ask(&case, &["web"], plan::restart).unwrap();
    assert_eq!(plan.changes.len(), 2);
    let told = "`web.1` on `h1` is stopped, and stays so; `cloudpad start web.1` starts it";
    assert_eq!(plan.notes[0].message, told);
    let plan = ask(&case, &["*"], plan::restart).unwrap();
    assert!(text(&plan).contains("is protected, and left alone") && !text(&plan).contains("stop/h1/shop-db"));
}

/// How many containers of a service serve on a host. A deploy that was broken off may have left two of one instance, and each
/// of them counts.
fn serves(observed: &Observed, host: &str, service: &str) -> usize {
    let all = containers(&observed.hosts[host]).iter();
    all.filter(|c| c.state == State::Running && c.instance.service == service).count()
}

/// The same on all hosts.
fn serve(observed: &Observed, service: &str) -> usize {
    observed.hosts.keys().map(|host| serves(observed, host, service)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn the_same_runs_afterwards_and_enough_serve_meanwhile(world in world(), which: u8, order: Vec<u8>) {
        let plan = ask_world(&world, which, plan::restart)?;
        let mut sim = simulated(&world);
        // How many of a service have to serve, and on which hosts one of them at least.
        let up = running(&world.truth);
        let whole = |service: &str| up.iter().filter(|(_, name)| name.contains(&format!("-{service}-"))).count();
        let min = world.case.config.deploy.min_healthy;
        let floors: BTreeMap<&str, usize> = ["a", "b", "c"].into_iter().map(|service| {
            let hidden = world.case.observed.hosts.values().any(|host| matches!(host, HostState::Unseen(_)));
            let whole = u32::try_from(whole(service)).unwrap();
            let floor = if hidden { 0 } else { min.of(whole).min(whole) as usize };
            (service, floor.min(serve(&world.truth, service)))
        }).collect();
        for id in interleaving(&plan, &order) {
            let action = &plan.actions[id as usize];
            if let Request::DeployStop(stop) = &action.request {
                let is_led_to = routed(&sim.observed).iter().any(|(host, _, name)| *host == stop.host.name && *name == stop.container.name);
                prop_assert!(!is_led_to, "{}", action.key);
            }
            sim.apply(action).map_err(TestCaseError::fail)?;
            for (service, floor) in &floors {
                prop_assert!(serve(&sim.observed, service) >= *floor, "{service} after {}: {}", action.key, text(&plan));
                for host in world.truth.hosts.keys().filter(|host| serves(&world.truth, host, service) > 1) {
                    prop_assert!(serves(&sim.observed, host, service) > 0, "{service} on {host} after {}", action.key);
                }
            }
        }
        prop_assert_eq!(running(&sim.observed), up);
        prop_assert!(routed(&sim.observed).is_superset(&routed(&world.truth)));
    }
}
