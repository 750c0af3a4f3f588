//! Where requests are led while a deploy or its undo goes on, as text.

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::Protocol;
use cloudpad_plugin_api::stage::deploy::{Claim, PortHeld, Proxy, Rule, SetRoute};

use super::kit::*;
use super::sim::{Sim, routed, running};
use crate::config::{Count, Route, RouteTls, Update};
use crate::plan::{self, Failed, Plan};

/// Two hosts, each with room for a proxy; `web` has a route.
fn routed_case() -> Case {
    let mut case = case();
    case.config.hosts.truncate(2);
    for host in ["h1", "h2"] {
        case.seen(host).proxy = Some(Box::default());
    }
    case.service("web", |service| service.route = Some(Route { hosts: vec!["shop.de".into()], ..route() }));
    case
}

fn routes(plan: &Plan) -> Vec<&SetRoute> {
    plan.actions
        .iter()
        .filter_map(|action| match &action.request {
            Request::DeployRoute(route) => Some(&**route),
            _ => None,
        })
        .collect()
}

#[test]
fn the_new_one_serves_and_is_led_to_before_the_old_one_stops() {
    let mut case = routed_case();
    check(
        &case.deploy(),
        "
        create web.1 on h1
        create web.1 on h2
        0 fetch/./r1
        1 build/shop.web:v1 < 0
        2 push/h1/shop.web:v1 < 1
        3 start/h1/shop-web-1-#1 < 2
        4 ready/h1/shop-web-1-#1 < 3
        5 pull/h1/caddy:1
        6 route/h1/shop-web-1-#1 < 4 5
        7 push/h2/shop.web:v1 < 1
        8 start/h2/shop-web-1-#1 < 6 7
        9 ready/h2/shop-web-1-#1 < 8
        10 pull/h2/caddy:1
        11 route/h2/shop-web-1-#1 < 9 10
        note: the proxy is made on `h1`, `h2` from `caddy:1`, and takes the ports 80 and 443 there
        ",
    );
    assert!(case.plan().is_empty());
    case.image("web", "v2");
    let plan = case.deploy();
    check(
        &plan,
        "
        start-first web.1 on h1 image
        start-first web.1 on h2 image
        0 fetch/./r1
        1 build/shop.web:v2 < 0
        2 push/h1/shop.web:v2 < 1
        3 start/h1/shop-web-1-#1 < 2
        4 ready/h1/shop-web-1-#1 < 3
        5 route/h1/shop-web-1-#1 < 4
        6 stop/h1/shop-web-1-#2 < 5
        7 push/h2/shop.web:v2 < 1
        8 start/h2/shop-web-1-#1 < 6 7
        9 ready/h2/shop-web-1-#1 < 8
        10 route/h2/shop-web-1-#1 < 9
        11 stop/h2/shop-web-1-#2 < 10
        ",
    );
    let (first, continues) = (routes(&plan)[0], plan.actions[5].continues);
    assert_eq!((first.add.len(), first.remove.len(), first.drain_ms, continues), (1, 1, 30_000, true));
    assert!(case.plan().is_empty());
}

#[test]
fn a_changed_route_is_one_action_and_none_that_ends_one_is_lost() {
    let mut case = routed_case();
    case.deploy();
    case.service("web", |service| service.route.as_mut().unwrap().sticky = true);
    let note = "note: the route of `web` on `h1`, `h2` changes in `sticky`";
    check(&case.deploy(), &format!("0 route/h1/web\n1 route/h2/web\n{note}"));
    assert!(case.plan().is_empty());
    case.service("web", |service| service.route = None);
    let plan = case.deploy();
    check(&plan, "0 route/h1/web\n1 route/h2/web");
    assert!(routes(&plan).iter().all(|route| route.rule.is_none() && route.drain_ms == 30_000));
    assert!(case.plan().is_empty());
    case.service("web", |service| service.route = Some(route()));
    let plan = case.deploy();
    assert!(routes(&plan).iter().all(|route| route.add.len() == 1), "to what runs already");
    case.config.services.clear();
    case.service("other", |_| {});
    case.image("other", "v1");
    case.goal.select.services = vec!["web".into()];
    check(
        &case.deploy(),
        "
        remove web.1 on h1
        remove web.1 on h2
        0 route/h1/web
        1 stop/h1/shop-web-1-#1 < 0
        2 route/h2/web
        3 stop/h2/shop-web-1-#1 < 2
        4 remove/h1 < 1 3
        5 remove/h2 < 4
        ",
    );
}

#[test]
fn a_route_is_ended_by_the_proxy_that_there_is() {
    let mut case = routed_case();
    case.deploy();
    let made = case.config.proxy.made.clone();
    case.config.proxy.made = Proxy { image: "caddy:2".into(), ..(*made).clone() }.into();
    case.service("web", |service| service.route = None);
    let plan = case.deploy();
    check(&plan, "0 route/h1/web\n1 route/h2/web");
    assert!(routes(&plan).iter().all(|route| route.proxy == made));
    assert!(case.plan().is_empty());
}

#[test]
fn fewer_instances_are_left_before_they_stop() {
    let mut case = routed_case();
    case.service("web", |service| service.count = Count::PerHost(2));
    case.deploy();
    case.service("web", |service| service.count = Count::PerHost(1));
    let plan = case.deploy();
    check(
        &plan,
        "
        remove web.2 on h1
        remove web.2 on h2
        0 route/h1/shop-web-2-#1
        1 stop/h1/shop-web-2-#1 < 0
        2 route/h2/shop-web-2-#1
        3 stop/h2/shop-web-2-#1 < 2
        4 remove/h1 < 1 3
        5 remove/h2 < 4
        ",
    );
    assert!(routes(&plan).iter().all(|route| route.rule.is_some() && route.remove.len() == 1));
}

#[test]
fn what_stops_first_is_led_to_again_and_waits_for_nobody() {
    let mut case = routed_case();
    case.service("web", |service| service.update = Update::StopFirst);
    case.deploy();
    case.image("web", "v2");
    let plan = case.deploy();
    let order = plan.actions.iter().filter(|action| action.host.as_deref() == Some("h1"));
    let order: Vec<_> = order.map(|action| action.request.method()).collect();
    assert_eq!(order, ["push.run", "deploy.stop", "deploy.start", "deploy.ready", "deploy.route"]);
    assert_eq!(routes(&plan)[0].drain_ms, 0);
}

#[test]
fn an_undo_leads_back_before_it_stops_anything() {
    let mut case = routed_case();
    case.deploy();
    case.image("web", "v2");
    case.service("web", |service| service.route.as_mut().unwrap().sticky = true);
    for failing in ["ready/h2/", "route/h2/", "stop/h1/", "stop/h2/"] {
        let plan = case.plan();
        let mut sim = Sim::new(&case);
        for action in plan.actions.iter().take_while(|action| !action.key.starts_with(failing)) {
            sim.apply(action).unwrap();
        }
        let none = &Default::default();
        let failed = Failed { plan: &plan, begun: none, unknown: none };
        let undo =
            plan::undo(&failed, &case.observed, &sim.observed, &case.config, &case.inventory(), &case.goal);
        for action in &undo.actions {
            if let Request::DeployStop(stop) = &action.request {
                let name = (stop.host.name.clone(), "web".to_owned(), stop.container.name.clone());
                assert!(!routed(&sim.observed).contains(&name), "{failing}: {}", text(&undo));
            }
            sim.apply(action).unwrap();
        }
        assert_eq!(running(&sim.observed), running(&case.observed), "{failing}");
        for host in ["h1", "h2"] {
            let proxy = |observed: &crate::observed::Observed| match &observed.hosts[host] {
                crate::observed::HostState::Seen(seen) => seen.proxy.clone(),
                crate::observed::HostState::Unseen(_) => None,
            };
            assert_eq!(proxy(&sim.observed), proxy(&case.observed), "{failing}");
        }
    }
}

#[test]
fn what_ran_without_requests_gets_none_when_a_deploy_is_undone() {
    let mut case = routed_case();
    case.config.hosts.truncate(1);
    case.deploy();
    case.image("web", "v2");
    // Broken off when the new one serves, and before it gets requests.
    let mut sim = Sim::new(&case);
    let begun = case.plan().actions;
    begun.iter().take_while(|action| !action.key.starts_with("route/")).for_each(|a| sim.apply(a).unwrap());
    case.observed = sim.observed;
    let before = routed(&case.observed);
    assert_eq!((before.len(), running(&case.observed).len()), (1, 2));
    // The next one leads requests to it, and then nobody knows whether the old one is stopped.
    let plan = case.plan();
    let stop = plan.actions.iter().find(|action| action.key.starts_with("stop/")).unwrap();
    let mut sim = Sim::new(&case);
    plan.actions[..stop.id as usize].iter().for_each(|action| sim.apply(action).unwrap());
    let now = sim.observed.clone();
    sim.apply(stop).unwrap();
    let failed = Failed { plan: &plan, begun: &(0..=stop.id).collect(), unknown: &[stop.id].into() };
    let undo = plan::undo(&failed, &case.observed, &now, &case.config, &case.inventory(), &case.goal);
    undo.actions.iter().for_each(|action| sim.apply(action).unwrap());
    assert_eq!(routed(&sim.observed), before, "{}", text(&undo));
}

#[test]
fn a_proxy_that_is_gone_or_another_is_made_again() {
    let mut case = routed_case();
    case.deploy();
    case.seen("h1").proxy.as_mut().unwrap().settled = false;
    check(&case.deploy(), "0 route/h1/web");
    let proxy = case.seen("h1").proxy.as_mut().unwrap();
    (proxy.settled, proxy.down) = (false, true);
    check(
        &case.deploy(),
        "0 route/h1/web
         note: the proxy on `h1` does not run, so nobody answers shop.de there; it is started again",
    );
    case.seen("h2").proxy.as_mut().unwrap().made = None;
    check(
        &case.deploy(),
        "0 route/h2/web\nnote: the proxy is made on `h2` from `caddy:1`, and takes the ports 80 and 443 there",
    );
    let mut made = (*case.config.proxy.made).clone();
    made.image = "caddy:2".into();
    case.config.proxy.made = made.into();
    check(
        &case.deploy(),
        "
        0 pull/h1/caddy:2
        1 route/h1/web < 0
        2 pull/h2/caddy:2
        3 route/h2/web < 2
        note: the proxy on `h1` is made anew from `caddy:2`: for a moment nobody answers there
        note: the proxy on `h2` is made anew from `caddy:2`: for a moment nobody answers there
        ",
    );
}

#[test]
fn what_others_have_is_found_before_anything_is_touched() {
    let mut case = routed_case();
    let held = PortHeld { published: 80, protocol: Protocol::Tcp, host_ip: None, container: "nginx".into() };
    case.seen("h1").ports.push(held);
    let claim =
        Claim { project: "blog".into(), service: "site".into(), hosts: vec!["shop.de".into()], path: None };
    case.seen("h2").proxy.as_mut().unwrap().claims.push(claim);
    assert_eq!(
        case.problems(),
        [
            "the proxy needs port 80 of `h1`, which container `nginx` holds",
            "on `h2`, shop.de leads to service `site` of project `blog` already"
        ]
    );
    case.seen("h1").proxy = None;
    assert!(case.problems()[0].contains("the deploy provider cannot lead requests to services on `h1`"));
}

#[test]
fn a_proxy_that_serves_others_keeps_its_ports() {
    let mut case = routed_case();
    case.deploy();
    let claim =
        Claim { project: "blog".into(), service: "site".into(), hosts: vec!["blog.de".into()], path: None };
    case.seen("h2").proxy.as_mut().unwrap().claims.push(claim);
    let mut made = (*case.config.proxy.made).clone();
    made.image = "caddy:2".into();
    case.config.proxy.made = made.clone().into();
    let notes: Vec<_> = case.plan().notes.into_iter().map(|note| note.message).collect();
    assert!(notes[1].ends_with("for a moment nobody answers there, neither for `blog`"), "{notes:?}");
    made.http_port = 8080;
    case.config.proxy.made = made.into();
    assert_eq!(
        case.problems(),
        [
            "the proxy of `h2` has port 80 as its `http_port`, at which it serves `blog` too, and is to have 8080"
        ]
    );
    case.service("web", |service| service.route = None);
    assert_eq!(routes(&case.plan()).len(), 2, "who takes a route off may have changed them");
}

#[test]
fn maintenance_outlives_a_deploy_and_is_told() {
    let mut case = routed_case();
    case.deploy();
    for host in ["h1", "h2"] {
        let route = &mut case.seen(host).proxy.as_mut().unwrap().routes[0];
        route.rule = Rule { maintenance: Some("back soon".into()), ..(*route.rule).clone() }.into();
    }
    let notes: Vec<_> = case.plan().notes.into_iter().map(|note| note.message).collect();
    assert_eq!(notes[0], "`web` on `h1` is in maintenance; `cloudpad maintenance off` ends it");
    assert!(case.plan().is_empty());
    case.image("web", "v2");
    let plan = case.deploy();
    let page = |route: &&SetRoute| route.rule.as_ref().unwrap().maintenance.clone();
    assert_eq!(routes(&plan).iter().map(page).collect::<Vec<_>>(), vec![Some("back soon".to_owned()); 2]);
}

#[test]
fn requests_are_led_elsewhere_after_the_jobs_that_come_before() {
    let mut case = routed_case();
    case.deploy();
    case.config.jobs.insert("migrate".into(), super::jobs::job(crate::config::When::Before));
    case.image("web", "v2");
    case.service("web", |service| service.route = None);
    let plan = case.plan();
    let place =
        |method: &str| plan.actions.iter().position(|action| action.request.method() == method).unwrap();
    let (job, route) = (place("deploy.run"), place("deploy.route"));
    assert!(plan.actions[route].needs.contains(&u32::try_from(job).unwrap()), "{}", text(&plan));
}

#[test]
fn a_first_route_says_that_the_proxy_is_made_and_another_certificate_what_it_does() {
    let mut case = routed_case();
    let notes = |case: &Case| -> Vec<String> { case.plan().notes.into_iter().map(|n| n.message).collect() };
    let made = "the proxy is made on `h1`, `h2` from `caddy:1`, and takes the ports 80 and 443 there";
    assert_eq!(notes(&case), [made]);
    case.deploy();
    case.image("web", "v2");
    assert_eq!(notes(&case), [""; 0], "it is there");
    case.deploy();
    let change = |route: &mut Route| (route.tls, route.redirect) = (Some(RouteTls::Auto), true);
    case.service("web", |service| change(service.route.as_mut().unwrap()));
    case.seen("h2").proxy.as_mut().unwrap().made = None;
    let made = "the proxy is made on `h2` from `caddy:1`, and takes the ports 80 and 443 there";
    let tls = "the route of `web` on `h1`, `h2` changes in `tls`, `redirect`, which closes idle connections";
    assert_eq!(notes(&case), [made, tls]);
}
