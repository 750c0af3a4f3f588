//! What hosts remember of routes, and what comes of it when one goes back.

use std::sync::Arc;

use cloudpad_plugin_api::stage::deploy::{Rule, Tls};

use super::kit::{Case, check, route, text};
use super::record::{release, remembered, remembering};
use super::restore::{back, before, go_back};
use super::sim::routed;
use crate::config::{Route, RouteTls};

fn at(name: &str) -> Option<Route> {
    Some(Route { hosts: vec![name.into()], ..route() })
}

/// One host with a proxy, on which `web` answers shop.de since release `r1`.
fn shop() -> Case {
    let mut case = remembering();
    case.config.hosts.truncate(1);
    case.observed.hosts.retain(|name, _| name == "h1");
    case.seen("h1").proxy = Some(Box::default());
    case.config.deploy.keep = 9;
    case.service("web", |web| web.route = at("shop.de"));
    release(&mut case, "r1", "web", "v1");
    case
}

/// The name that each service answers.
fn led(case: &mut Case) -> Vec<String> {
    let routes = &case.seen("h1").proxy.as_ref().unwrap().routes;
    routes.iter().map(|route| format!("{} {}", route.rule.hosts.join(" "), route.service)).collect()
}

fn notes(case: &Case) -> Vec<String> {
    case.plan().notes.into_iter().map(|note| note.message).collect()
}

/// `front` in place of `web`, as release `r2`.
fn renamed() -> Case {
    let mut case = shop();
    case.config.services.remove("web");
    case.service("front", |front| front.route = at("shop.de"));
    release(&mut case, "r2", "front", "v1");
    assert_eq!(led(&mut case), ["shop.de front"]);
    case
}

#[test]
fn what_comes_back_has_the_route_that_it_had() {
    let mut case = renamed();
    back(&mut case, "r3", "r1");
    assert_eq!(notes(&case), ["`front` was not there at release `r1`, and is stopped"]);
    case.deploy();
    assert_eq!(led(&mut case), ["shop.de web"], "whatever the file says");
    assert_eq!(routed(&case.observed).len(), 1);
    assert!(case.plan().is_empty());
    go_back(&mut case, "r4", "r2");
    assert_eq!(led(&mut case), ["shop.de front"]);
}

#[test]
fn a_deploy_of_routes_only_is_a_release_and_going_back_undoes_it() {
    let mut case = shop();
    release(&mut case, "r2", "web", "v2");
    case.service("web", |web| web.route = at("typo.de"));
    check(
        &release(&mut case, "r3", "web", "v2"),
        "0 route/h1/web\n1 record/h1 < 0\nnote: the route of `web` on `h1` changes in `hosts`",
    );
    assert_eq!((remembered(&mut case, "h1").len(), before(&case)), (3, Ok("r2".to_owned())));
    assert_eq!(remembered(&mut case, "h1")[2].changed, ["web"]);
    back(&mut case, "r4", "r2");
    check(
        &case.deploy(),
        "0 route/h1/web\n1 record/h1 < 0\nnote: the route of `web` on `h1` changes in `hosts`",
    );
    assert_eq!((led(&mut case), before(&case)), (vec!["shop.de web".to_owned()], Ok("r1".to_owned())));
    // And a route that came later goes, which is told.
    case.goal.restore = None;
    case.service("web", |web| web.route = None);
    release(&mut case, "r5", "web", "v2");
    case.service("web", |web| web.route = at("shop.de"));
    release(&mut case, "r6", "web", "v2");
    back(&mut case, "r7", "r5");
    let told = "nobody answers shop.de on `h1` any more: release `r5` had no route for it";
    assert_eq!(notes(&case), [told]);
    case.deploy();
    assert!(led(&mut case).is_empty());
}

#[test]
fn of_a_release_that_does_not_say_its_routes_those_of_the_file_hold_and_what_is_lost_is_told() {
    let mut case = renamed();
    case.seen("h1").releases.as_mut().unwrap()[0].routes = None;
    back(&mut case, "r3", "r1");
    assert_eq!(
        notes(&case),
        [
            "`front` was not there at release `r1`, and is stopped",
            "nobody answers shop.de on `h1` any more: release `r1` does not say which routes it had, and the file has none for what runs then",
            "no requests are led to `web` on `h1`: release `r1` does not say which routes it had, and the file has no `services.web`",
        ]
    );
    // With the file of then there is nothing to lose.
    case.config.services.remove("front");
    case.service("web", |web| web.route = at("shop.de"));
    assert_eq!(notes(&case), ["`front` was not there at release `r1`, and is stopped"]);
    case.deploy();
    assert_eq!(led(&mut case), ["shop.de web"]);
}

#[test]
fn where_nobody_remembers_routes_only_a_change_is_noted() {
    let mut case = shop();
    let forget = |case: &mut Case| {
        case.seen("h1").releases.as_mut().unwrap().iter_mut().for_each(|release| release.routes = None);
    };
    forget(&mut case);
    case.goal.release = "r2".into();
    assert!(case.plan().is_empty(), "{}", text(&case.plan()));
    case.service("web", |web| web.route = at("www.shop.de"));
    case.deploy();
    assert_eq!(remembered(&mut case, "h1").len(), 2);
    forget(&mut case);
    assert!(case.plan().is_empty());
}

#[test]
fn the_page_of_maintenance_is_no_part_of_a_release_and_stays() {
    let mut case = shop();
    let show = |case: &mut Case| {
        let route = &mut case.seen("h1").proxy.as_mut().unwrap().routes[0];
        route.rule = Arc::new(Rule { maintenance: Some("soon".into()), ..(*route.rule).clone() });
    };
    show(&mut case);
    assert!(case.plan().is_empty());
    release(&mut case, "r2", "web", "v2");
    assert!(remembered(&mut case, "h1")[1].routes.as_ref().unwrap()["web"].maintenance.is_none());
    go_back(&mut case, "r3", "r1");
    let route = &case.seen("h1").proxy.as_ref().unwrap().routes[0];
    assert_eq!(route.rule.maintenance.as_deref(), Some("soon"));
}

#[test]
fn a_route_comes_back_with_the_certificate_of_now() {
    let mut case = shop();
    let own = || RouteTls::Own { certificate: "crt".into(), key: "key".into() };
    case.service("web", |web| web.route.as_mut().unwrap().tls = Some(own()));
    let mark = |case: &mut Case, mark: &str| {
        for name in ["crt", "key"] {
            case.observed.secrets.insert(name.into(), mark.into());
        }
    };
    mark(&mut case, "old");
    release(&mut case, "r2", "web", "v1");
    mark(&mut case, "new");
    release(&mut case, "r3", "web", "v1");
    assert_eq!(remembered(&mut case, "h1").len(), 3, "it is a release");
    assert_eq!(before(&case), Ok("r1".to_owned()), "but none that going back would undo");
    release(&mut case, "r4", "web", "v4");
    back(&mut case, "r5", "r2");
    let (config, inventory) = (&case.config, case.inventory());
    let secrets = crate::plan::look_back_for_secrets(config, &inventory, &case.observed, &case.goal).unwrap();
    assert_eq!(secrets.into_iter().collect::<Vec<_>>(), ["crt", "key"]);
    case.deploy();
    let rule = case.seen("h1").proxy.as_ref().unwrap().routes[0].rule.clone();
    let Some(Tls::Own { certificate, key }) = &rule.tls else { panic!("{rule:?}") };
    assert_eq!((certificate.mark.as_str(), key.mark.as_str()), ("new", "new"));
    case.observed.secrets.clear();
    case.goal.restore = Some("r2".into());
    assert_eq!(case.problems()[0], "nobody knows the secret `crt`, which the route of `web` had");
}

#[test]
fn what_is_not_meant_keeps_its_route_and_what_it_answers() {
    let mut case = renamed();
    case.service("api", |api| api.route = at("api.de"));
    release(&mut case, "r3", "api", "v1");
    case.service("api", |api| api.route = at("www.api.de"));
    release(&mut case, "r4", "api", "v2");
    case.goal.select.services = vec!["front".into()];
    case.image("front", "v2");
    case.service("api", |api| api.route = None);
    case.goal.release = "r5".into();
    case.deploy();
    let names = |release: &cloudpad_plugin_api::stage::deploy::Release| {
        let routes = release.routes.iter().flatten();
        routes.map(|(service, rule)| format!("{} {service}", rule.hosts.join(" "))).collect::<Vec<_>>()
    };
    let last = remembered(&mut case, "h1").last().map(names).unwrap();
    assert_eq!(last, ["www.api.de api", "shop.de front"]);
    assert_eq!(led(&mut case), last);
    // `web` alone comes back to what `front` answers by now.
    case.goal.select.services = vec!["web".into()];
    back(&mut case, "r6", "r1");
    assert_eq!(
        case.problems(),
        ["on `h1`, shop.de leads to service `front`, which is not selected, already"]
    );
}
