//! Services that are taken out of service and back.

use cloudpad_plugin_api::Request;

use super::kit::*;
use super::sim::Sim;
use crate::config::{Problem, Route};
use crate::plan::{self, Plan};

fn routed() -> Case {
    let mut case = case();
    case.config.hosts.truncate(2);
    case.image("api", "v1");
    case.service("api", |service| service.route = Some(Route { path: Some("/api".into()), ..route() }));
    case.service("web", |service| service.route = Some(route()));
    for host in ["h1", "h2"] {
        case.seen(host).proxy = Some(Box::default());
    }
    case
}

fn switch(case: &mut Case, services: &[&str], page: Option<&str>) -> Result<Plan, Vec<Problem>> {
    case.goal.select.services = services.iter().map(|name| (*name).to_owned()).collect();
    let inventory = case.inventory();
    let scope = plan::scope(&case.config, &inventory, &case.goal.select)?;
    let plan = plan::maintenance(&case.config, &inventory, &scope, &case.observed, page)?;
    let mut sim = Sim::new(case);
    plan.actions.iter().for_each(|action| sim.apply(action).unwrap());
    case.observed = sim.observed;
    case.goal.select.services.clear();
    Ok(plan)
}

#[test]
fn a_service_is_taken_out_and_back_and_the_rest_of_its_rule_stays() {
    let mut case = routed();
    assert!(
        switch(&mut case, &[], Some("x")).unwrap_err()[0]
            .message
            .contains("no service that is meant has a route")
    );
    case.deploy();
    let before = case.observed.clone();
    check(&switch(&mut case, &["web"], Some("x")).unwrap(), "0 route/h1/web\n1 route/h2/web");
    assert!(switch(&mut case, &["web"], Some("x")).unwrap().is_empty(), "it is so already");
    let all = |_: &str| true;
    assert_eq!(plan::in_maintenance(&case.observed, &all), [("h1", "web"), ("h2", "web")]);
    case.service("web", |service| service.route.as_mut().unwrap().sticky = true);
    let page = |action: &plan::Action| match &action.request {
        Request::DeployRoute(route) => route.rule.as_ref().unwrap().maintenance.clone(),
        _ => None,
    };
    assert_eq!(case.deploy().actions.iter().map(page).collect::<Vec<_>>(), vec![Some("x".to_owned()); 2]);
    case.service("web", |service| service.route.as_mut().unwrap().sticky = false);
    case.deploy();
    switch(&mut case, &[], None).unwrap();
    assert_eq!(case.observed, before);
}

#[test]
fn a_host_out_of_sight_is_told() {
    let mut case = routed();
    case.deploy();
    case.unseen("h2");
    let plan = switch(&mut case, &["api"], Some("x")).unwrap();
    check(&plan, "0 route/h1/api\nincomplete, note: host `h2` cannot be looked at: no route to `h2`");
}
