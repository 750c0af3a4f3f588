//! More or fewer instances of what is deployed.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{Container, ImageRef, State};
use proptest::prelude::*;

use super::kit::{Case, check, ports, text};
use super::props::{look, simulated};
use super::random::world;
use super::record::{release, remembering};
use super::sim::{containers, interleaving, routed, running};
use super::stop::{carry_out, deployed, refused};
use crate::config::{Amount, Count, MountMode, Problem, Secret};
use crate::instances::Size;
use crate::observed::{HostState, Observed};
use crate::plan::{self, Asked, Plan};

fn scale(case: &Case, sizes: &[&str]) -> Result<Plan, Vec<Problem>> {
    let sizes: Vec<Size> = sizes.iter().map(|word| word.parse().unwrap()).collect();
    let mut goal = case.goal.clone();
    (goal.select.services, goal.release) =
        (sizes.iter().map(|size| size.service.clone()).collect(), String::new());
    let (config, inventory, observed) = (&case.config, &case.inventory(), &case.observed);
    plan::scale(&Asked { config, inventory, observed, goal: &goal, targets: &[] }, &sizes)
}

/// The same, as text without the last note, which tells for how long.
fn told(case: &Case, sizes: &[&str]) -> Plan {
    let mut plan = scale(case, sizes).unwrap();
    let last = plan.notes.pop().unwrap();
    assert!(last.message.contains("until the next `cloudpad deploy`") && !last.incomplete);
    plan
}

/// `web`, so many in all of three hosts, which all have its image.
fn replicas(count: u32) -> Case {
    let mut case = remembering();
    for host in ["h1", "h2", "h3"] {
        case.seen(host).images.push("shop.web:v1".into());
    }
    case.service("web", |web| web.count = Count::Replicas(count));
    release(&mut case, "r1", "web", "v1");
    case
}

/// The instances of a service that run, with their hosts.
fn instances(case: &Case, service: &str) -> Vec<String> {
    let all =
        case.observed.hosts.iter().flat_map(|(host, state)| containers(state).iter().map(move |c| (host, c)));
    let up = all.filter(|(_, c)| c.state.is_up() && c.instance.service == service);
    up.map(|(host, c)| format!("{} on {host}", c.instance)).collect()
}

#[test]
fn more_on_each_host_are_made_like_those_that_are_there_and_get_requests() {
    let mut case = deployed();
    // Whatever the config says by now.
    case.service("web", |web| (web.stop_timeout, web.count) = (99, Count::Replicas(1)));
    case.image("web", "v2");
    case.goal.select.hosts = vec!["h1".into()];
    let plan = told(&case, &["web=3"]);
    check(
        &plan,
        "create web.3 on h1
         0 start/h1/shop-web-3-#1
         1 ready/h1/shop-web-3-#1 < 0
         2 route/h1/shop-web-3-#1 < 1",
    );
    let Request::DeployStart(start) = &plan.actions[0].request else { panic!() };
    assert_eq!((&*start.spec.image, start.spec.stop_timeout, &*start.release), ("shop.web:v1", 10, "r1"));
    carry_out(&mut case, &plan);
    assert!(scale(&case, &["web=3"]).unwrap().is_empty());
    assert_eq!((instances(&case, "web").len(), routed(&case.observed).len()), (5, 5));
    assert_eq!(case.seen("h1").releases.as_ref().unwrap().len(), 1, "it is no release");
}

#[test]
fn those_that_are_too_many_leave_their_route_and_are_removed() {
    let mut case = deployed();
    case.goal.select.hosts = vec!["h1".into()];
    let plan = told(&case, &["web=1"]);
    check(
        &plan,
        "remove web.2 on h1
         0 route/h1/shop-web-2-#1
         1 stop/h1/shop-web-2-#1 < 0
         2 remove/h1 < 1",
    );
    let Request::DeployRoute(route) = &plan.actions[0].request else { panic!() };
    assert_eq!(route.drain_ms, 30_000);
    let images = case.seen("h1").images.clone();
    carry_out(&mut case, &plan);
    assert_eq!(case.seen("h1").images, images, "the release needs them");
    case.goal.select.hosts.clear();
    case.goal.release = "r2".into();
    case.deploy();
    assert_eq!(instances(&case, "web").len(), 4, "the next deploy brings as many as the config says");
}

#[test]
fn none_is_a_size_also_of_what_is_protected_and_it_comes_back() {
    let mut case = deployed();
    let plan = told(&case, &["db=0", "web=0"]);
    assert!(text(&plan).contains("is protected, and stopped since it is named"), "{}", text(&plan));
    carry_out(&mut case, &plan);
    assert!(running(&case.observed).is_empty());
    let plan = told(&case, &["web=1", "db=1"]);
    carry_out(&mut case, &plan);
    assert_eq!(instances(&case, "web"), ["web.1 on h1", "web.1 on h2"]);
    assert_eq!((instances(&case, "db").len(), routed(&case.observed).len()), (1, 2));
}

#[test]
fn replicas_go_where_there_are_fewest_and_the_highest_numbers_go_first() {
    let mut case = replicas(2);
    assert_eq!(instances(&case, "web"), ["web.1 on h1", "web.2 on h2"]);
    // How it was deployed counts, not what the config says by now.
    case.service("web", |web| web.count = Count::PerHost(9));
    let plan = told(&case, &["web=4"]);
    carry_out(&mut case, &plan);
    assert_eq!(instances(&case, "web"), ["web.1 on h1", "web.4 on h1", "web.2 on h2", "web.3 on h3"]);
    let plan = told(&case, &["web=3"]);
    check(&plan, "remove web.4 on h1\n0 stop/h1/shop-web-4-#1\n1 remove/h1 < 0");
    carry_out(&mut case, &plan);
    case.goal.select.hosts = vec!["h2".into()];
    let plan = scale(&case, &["web=2"]).unwrap();
    assert!(plan.is_empty());
    assert_eq!(
        plan.notes.iter().map(|n| (&*n.message, n.incomplete)).collect::<Vec<_>>(),
        [("`web.3` stays, since `h3` is not selected", true)]
    );
    let plan = told(&case, &["web=5"]);
    carry_out(&mut case, &plan);
    assert_eq!(
        instances(&case, "web").iter().filter(|on| on.ends_with("h2")).count(),
        3,
        "those that are new"
    );
}

#[test]
fn only_hosts_that_can_have_its_image_get_one() {
    let mut case = replicas(1);
    for host in ["h2", "h3"] {
        case.seen(host).images.clear();
    }
    let plan = told(&case, &["web=2"]);
    assert_eq!(plan.changes[0].host, "h1");
    case.goal.select.hosts = vec!["h2".into()];
    assert_eq!(refused(scale(&case, &["web=2"])), ["no selected host has the image of `web`"]);
    let from = ImageRef::Known("registry.test/shop.web@sha256:1".into());
    case.seen("h1").releases.as_mut().unwrap()[0].images.insert("shop.web:v1".into(), from.clone());
    let plan = told(&case, &["web=2"]);
    let Request::DeployPull(pull) = &plan.actions[0].request else { panic!("{}", text(&plan)) };
    assert_eq!((&*pull.host.name, &pull.image, pull.tag.as_deref()), ("h2", &from, Some("shop.web:v1")));
}

#[test]
fn what_another_one_cannot_have_is_refused_before_anything_is_touched() {
    let one_each = |change: &dyn Fn(&mut crate::config::Service)| {
        let mut case = remembering();
        case.service("web", change);
        case.deploy();
        case
    };
    let case = one_each(&|web| web.ports = vec![ports(8080, 8080)]);
    assert_eq!(refused(scale(&case, &["web=2"]))[0], "`web.1` and `web.2` both need port 8080 of `h1`");
    let case = one_each(&|web| web.volumes = vec![super::kit::volume("data", MountMode::Exclusive)]);
    assert_eq!(
        refused(scale(&case, &["web=2"]))[0],
        "`web.1` and `web.2` would both write to `shop.data` of `h1`"
    );
    let mut case = one_each(&|web| web.ports = vec![ports(8080, 8081)]);
    let plan = told(&case, &["web=2"]);
    let Request::DeployStart(start) = &plan.actions[0].request else { panic!() };
    assert_eq!(start.spec.ports[0].published, 8081);
    assert_eq!(refused(scale(&case, &["web=3"])), ["the ports 8080-8081 are too few for instance `web.3`"]);
    case.service("web", |web| web.ports = vec![ports(9000, 9001)]);
    let unknown = "which ports `web.2` would have is not known: those of `web` have changed";
    assert_eq!(refused(scale(&case, &["web=2"])), [unknown]);
    assert!(scale(&case, &["web=1"]).unwrap().is_empty());
}

#[test]
fn what_is_not_deployed_or_not_in_sight_is_refused() {
    let mut case = replicas(2);
    case.service("api", |_| {});
    assert_eq!(refused(scale(&case, &["api=2"])), ["no host remembers a container of `api`"]);
    assert_eq!(refused(scale(&case, &["web=2", "web=3"])), ["`web` is given two sizes"]);
    for wrong in ["web", "web=", "=1", "web=-1", "web=x"] {
        assert!(wrong.parse::<Size>().is_err(), "{wrong}");
    }
    case.unseen("h3");
    assert_eq!(refused(scale(&case, &["web=3"])), ["host `h3` cannot be looked at: no route to `h3`"]);
    case.goal.select.hosts = vec!["h1".into()];
    let unknown = "host `h3` cannot be looked at, so nobody knows which instances of `web` it has";
    assert_eq!(refused(scale(&case, &["web=3"])), [unknown]);
}

#[test]
fn what_is_made_has_the_secrets_of_now_and_what_runs_stays_as_it_is() {
    let mut case = remembering();
    case.observed.secrets.insert("db".into(), "old".into());
    case.service("web", |web| _ = web.secrets.insert("DB".into(), Secret::named("db")));
    case.deploy();
    case.observed.secrets.clear();
    case.goal.select.hosts = vec!["h1".into()];
    let first = scale(&case, &["web=2"]).unwrap();
    assert_eq!(plan::secrets(&first, &case.observed), BTreeSet::from(["db".to_owned()]));
    case.observed.secrets.insert("db".into(), "new".into());
    let plan = told(&case, &["web=2"]);
    let [note] = &plan.notes[..] else { panic!("{}", text(&plan)) };
    let expected =
        "`web.2` on `h1` gets the value that the secret `db` has now, which is not that of the others";
    assert_eq!((&*note.message, plan.changes.len()), (expected, 1));
    carry_out(&mut case, &plan);
    assert!(scale(&case, &["web=2"]).unwrap().is_empty());
    case.observed.secrets.insert("db".into(), "newer".into());
    assert!(scale(&case, &["web=2"]).unwrap().is_empty());
}

#[test]
fn as_many_serve_as_have_to_of_those_that_are_to_be() {
    let mut case = replicas(3);
    case.config.deploy.min_healthy = Amount::Percent(100);
    let number = |c: &&mut Container| c.instance.number == 1;
    let one = case.seen("h1").containers.iter_mut().find(number).unwrap();
    one.state = State::Unhealthy;
    check(
        &told(&case, &["web=1"]),
        "start-first web.1 on h1 fails its health check
         remove web.2 on h2
         remove web.3 on h3
         0 start/h1/shop-web-1-anew-#1
         1 ready/h1/shop-web-1-anew-#1 < 0
         2 stop/h1/shop-web-1-#1 < 1
         3 stop/h2/shop-web-2-#1 < 2
         4 stop/h3/shop-web-3-#1 < 2
         5 remove/h1 < 3 4
         6 remove/h2 < 5
         7 remove/h3 < 5",
    );
}

/// `web`, two on `h1`, of which the first does not do well.
fn first_is(state: State) -> Case {
    let mut case = deployed();
    case.goal.select.hosts = vec!["h1".into()];
    let is_first = |c: &&mut Container| c.instance.to_string() == "web.1";
    case.seen("h1").containers.iter_mut().find(is_first).unwrap().state = state;
    case
}

#[test]
fn what_is_ill_is_made_anew_before_what_serves_is_too_many() {
    let mut case = first_is(State::Unhealthy);
    // Whatever the config says by now.
    case.image("web", "v2");
    let plan = told(&case, &["web=1"]);
    check(
        &plan,
        "start-first web.1 on h1 fails its health check
         remove web.2 on h1
         0 start/h1/shop-web-1-anew-#1
         1 ready/h1/shop-web-1-anew-#1 < 0
         2 route/h1/shop-web-1-anew-#1 < 1
         3 stop/h1/shop-web-1-#1 < 2
         4 route/h1/shop-web-2-#1 < 3
         5 stop/h1/shop-web-2-#1 < 3 4
         6 remove/h1 < 5",
    );
    carry_out(&mut case, &plan);
    assert!(scale(&case, &["web=1"]).unwrap().is_empty());
    // And again, from the one that has another name.
    case.seen("h1").containers.iter_mut().for_each(|c| c.state = State::Unhealthy);
    let again = told(&case, &["web=1"]);
    assert!(
        again.actions[0].key.starts_with("start/h1/shop-web-1-") && !again.actions[0].key.contains("anew")
    );
}

#[test]
fn what_is_made_anew_has_the_secrets_of_now() {
    let mut case = remembering();
    case.observed.secrets.insert("db".into(), "old".into());
    case.service("web", |web| _ = web.secrets.insert("DB".into(), Secret::named("db")));
    case.deploy();
    case.goal.select.hosts = vec!["h1".into()];
    case.seen("h1").containers[0].state = State::Unhealthy;
    case.observed.secrets.insert("db".into(), "new".into());
    let plan = told(&case, &["web=1"]);
    let Request::DeployStart(start) = &plan.actions[0].request else { panic!("{}", text(&plan)) };
    assert_eq!((&*start.spec.secrets["DB"].mark, plan.notes.len()), ("new", 1));
}

#[test]
fn what_is_made_anew_is_not_said_to_serve_nobody() {
    for made_anew in [State::Unhealthy, State::Paused] {
        assert_eq!(told(&first_is(made_anew), &["web=1"]).notes, []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 1_000_000, ..ProptestConfig::default() })]

    #[test]
    fn as_many_run_as_were_asked_for_and_those_that_ran_still_do(
        world in world(),
        service in prop::sample::select(vec!["a", "b", "c"]),
        count in 0u32..5,
        order: Vec<u8>,
    ) {
        let size = format!("{service}={count}");
        let plan = scale(&world.case, &[&size]).map_err(|problems| TestCaseError::reject(format!("{problems:?}")))?;
        let mut sim = simulated(&world);
        let serves = |observed: &Observed, host: &str| {
            let mut all = containers(&observed.hosts[host]).iter();
            all.any(|c| c.state == State::Running && c.instance.service == service)
        };
        let mut gaps = BTreeSet::new();
        for id in interleaving(&plan, &order) {
            let action = &plan.actions[id as usize];
            if let Request::DeployStop(stop) = &action.request {
                let is_led_to = routed(&sim.observed).iter().any(|(host, _, name)| *host == stop.host.name && *name == stop.container.name);
                // One that has to be gone before another starts is led elsewhere by what takes its place.
                let is_replaced = plan.changes.iter().any(|change| change.kind == plan::ChangeKind::ReplaceStopFirst);
                prop_assert!(!is_led_to || is_replaced, "{}", action.key);
            }
            sim.apply(action).map_err(TestCaseError::fail)?;
            gaps.extend(world.truth.hosts.keys().filter(|host| !serves(&sim.observed, host)).cloned());
        }
        let is_told = |host: &str| plan.notes.iter().any(|note| note.message.contains(&format!("on `{host}` serves then")));
        for host in gaps.iter().filter(|host| serves(&world.truth, host)) {
            let is_up = |c: &&Container| c.state.is_up() && c.instance.service == service;
            let before: BTreeSet<_> = containers(&world.truth.hosts[host]).iter().filter(is_up).map(|c| &c.name).collect();
            let stays = containers(&sim.observed.hosts[host]).iter().filter(is_up).any(|c| before.contains(&c.name));
            prop_assert!(!stays || is_told(host), "on {host}: {}", text(&plan));
        }
        let told: BTreeMap<_, _> = plan.changes.iter().map(|change| ((&*change.host, change.instance.clone()), change.kind)).collect();
        let mut numbers = BTreeSet::new();
        for (host, state) in &world.truth.hosts {
            if matches!(world.case.observed.hosts[host], HostState::Unseen(_)) {
                continue;
            }
            let up = |state| containers(state).iter().filter(|c: &&Container| c.state.is_up()).collect::<Vec<_>>();
            let (before, after) = (up(state), up(&sim.observed.hosts[host]));
            let is_told = |c: &Container| told.contains_key(&(&**host, c.instance.clone()));
            for changed in before.iter().filter(|c| !after.iter().any(|a| a.name == c.name)) {
                prop_assert!(is_told(changed) && changed.instance.service == service, "{}", changed.name);
            }
            for changed in after.iter().filter(|c| !before.iter().any(|b| b.name == c.name)) {
                prop_assert!(is_told(changed) && changed.instance.service == service, "{}", changed.name);
            }
            let is_left = plan.notes.iter().any(|note| note.message.contains("stays, since"));
            let chosen = &world.case.goal.select.hosts;
            for one in after.iter().filter(|c| c.instance.service == service) {
                let is_meant = chosen.is_empty() || chosen.contains(host);
                prop_assert!(is_left || !is_meant || one.instance.number <= count, "{}", one.name);
                numbers.insert(one.instance.number);
            }
        }
        if world.case.goal.select.hosts.is_empty() {
            prop_assert!((1..=count).all(|number| numbers.contains(&number)), "{numbers:?}");
        }
        let mut after = world.clone();
        after.case.observed = look(&world, &sim.observed);
        let again = scale(&after.case, &[&size]);
        let incomplete = plan.notes.iter().any(|note| note.incomplete);
        prop_assert!(incomplete || again.as_ref().is_ok_and(Plan::is_empty), "{again:#?}");
    }
}

#[test]
fn what_was_kept_of_those_that_go_is_told() {
    let mut case = deployed();
    let kept = |case: &Case| {
        let notes = scale(case, &["web=1"]).unwrap().notes;
        notes
            .into_iter()
            .map(|note| note.message)
            .filter(|note| note.starts_with("what was kept"))
            .collect::<Vec<_>>()
    };
    assert!(kept(&case).is_empty());
    release(&mut case, "r2", "web", "v2");
    let told = "what was kept of `web.2` is removed too: going back to an earlier release makes it again from its image";
    assert_eq!(kept(&case), [told]);
}
