//! A service whose requests another one takes, or that moves to another host: somebody answers all the time.

use cloudpad_plugin_api::stage::deploy::State;

use super::kit::{Case, case, check, ports, route, text, volume};
use super::sim::{Sim, interleaving};
use crate::config::{Count, Job, JobOf, MountMode, Route, Update, When};
use crate::observed::{HostState, Observed};

/// Two hosts with a proxy, on which `web` answers shop.de.
fn shop() -> Case {
    let mut case = case();
    case.config.hosts.truncate(2);
    case.observed.hosts.retain(|name, _| name != "h3");
    for host in ["h1", "h2"] {
        case.seen(host).proxy = Some(Box::default());
    }
    case.service("web", |service| service.route = at());
    case.image("front", "v1");
    case
}

fn at() -> Option<Route> {
    Some(Route { hosts: vec!["shop.de".into()], ..route() })
}

/// The hosts on which shop.de leads to something that serves.
fn answered(observed: &Observed) -> Vec<&str> {
    let answers = |(_, state): &(&String, &HostState)| {
        let HostState::Seen(seen) = state else { return false };
        let routes = seen.proxy.iter().flat_map(|proxy| &proxy.routes);
        let mut names = routes.filter(|route| route.rule.hosts == ["shop.de"]).flat_map(|r| &r.containers);
        names.any(|name| seen.containers.iter().any(|c| c.name == *name && c.state == State::Running))
    };
    observed.hosts.iter().filter(answers).map(|(name, _)| name.as_str()).collect()
}

/// That shop.de is answered on so many hosts at least, in whatever order the plan is carried out.
#[track_caller]
fn is_answered(case: &Case, least: usize) {
    let plan = case.plan();
    for seed in 0..64u32 {
        let choices: Vec<u8> = (0..24).map(|at| (seed * 37 + at * at * 11 + seed * at) as u8).collect();
        let mut sim = Sim::new(case);
        for id in interleaving(&plan, &choices) {
            sim.apply(&plan.actions[id as usize]).unwrap();
            let hosts = answered(&sim.observed);
            let action = &plan.actions[id as usize].key;
            assert!(hosts.len() >= least, "only {hosts:?} after {action} of {}", text(&plan));
        }
    }
}

fn rename(case: &mut Case) {
    case.config.services.remove("web");
    case.service("front", |service| service.route = at());
}

#[test]
fn another_service_serves_before_the_one_whose_requests_it_takes_stops() {
    let mut case = shop();
    case.service("web", |web| web.count = Count::PerHost(2));
    case.deploy();
    rename(&mut case);
    is_answered(&case, 2);
    case.deploy();
    assert!(case.plan().is_empty());
}

#[test]
fn each_host_leaves_the_old_one_once_its_own_new_one_is_led_to() {
    let mut case = shop();
    case.deploy();
    rename(&mut case);
    check(
        &case.deploy(),
        "
        create front.1 on h1
        create front.1 on h2
        remove web.1 on h1
        remove web.1 on h2
        0 fetch/./r1
        1 build/shop.front:v1 < 0
        2 push/h1/shop.front:v1 < 1
        3 start/h1/shop-front-1-#1 < 2
        4 ready/h1/shop-front-1-#1 < 3
        5 route/h1/shop-front-1-#1 < 4
        6 push/h2/shop.front:v1 < 1
        7 start/h2/shop-front-1-#1 < 5 6
        8 ready/h2/shop-front-1-#1 < 7
        9 route/h2/shop-front-1-#1 < 8
        10 route/h1/web < 5
        11 stop/h1/shop-web-1-#2 < 10
        12 route/h2/web < 9
        13 stop/h2/shop-web-1-#2 < 12
        14 remove/h1 < 11 13
        15 remove/h2 < 14
        ",
    );
}

#[test]
fn a_service_that_loses_its_route_to_another_one_goes_on_until_that_serves() {
    let mut case = shop();
    case.deploy();
    case.service("web", |web| web.route = None);
    case.service("front", |service| service.route = at());
    is_answered(&case, 2);
    case.image("web", "v2");
    is_answered(&case, 2);
}

#[test]
fn one_that_moves_serves_elsewhere_before_it_stops() {
    let mut case = shop();
    case.service("web", |web| web.hosts = vec!["h1".into()]);
    case.deploy();
    case.service("web", |web| web.hosts = vec!["h2".into()]);
    is_answered(&case, 1);
    case.deploy();
    assert_eq!(answered(&case.observed), ["h2"]);
}

#[test]
fn where_the_new_one_needs_what_the_old_one_has_that_is_told() {
    let told = "nobody answers shop.de on `h1`, `h2` from when `web` stops until `front` serves, which has to wait for that";
    let notes = |case: &Case| case.plan().notes.into_iter().map(|note| note.message).collect::<Vec<_>>();
    let mut case = shop();
    case.service("web", |web| web.ports = vec![ports(8000, 8000)]);
    case.deploy();
    rename(&mut case);
    case.service("front", |front| front.ports = vec![ports(8000, 8000)]);
    assert_eq!(notes(&case), [told]);
    case.deploy();
    assert_eq!(answered(&case.observed).len(), 2);

    let mut case = shop();
    case.service("web", |web| web.volumes = vec![volume("data", MountMode::Exclusive)]);
    case.deploy();
    rename(&mut case);
    case.service("front", |front| {
        (front.volumes, front.update) = (vec![volume("data", MountMode::Exclusive)], Update::StopFirst);
    });
    assert_eq!(notes(&case), [told]);
    case.deploy();
    assert!(case.plan().is_empty());
}

#[test]
fn a_job_between_them_is_not_in_the_way() {
    let mut case = shop();
    case.deploy();
    rename(&mut case);
    let job = super::jobs::job(When::Before);
    case.config.jobs.insert("migrate".into(), Job { of: JobOf::Image("front".into()), ..job });
    case.image("front", "v2");
    is_answered(&case, 2);
}
