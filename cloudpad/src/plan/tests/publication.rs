//! What others are told of where instances are.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{Instance, Port};
use cloudpad_plugin_api::stage::inventory::{Publication, Publish, Served};
use proptest::prelude::*;

use super::kit::{Case, case, ports};
use super::props::simulated;
use super::random::world;
use super::sim::{Sim, containers, interleaving};
use crate::observed::HostState;
use crate::plan::{self, Plan};

type Told = BTreeMap<String, Vec<Served>>;

fn telling(told: &Told) -> Option<Publication> {
    Some(Publication { services: Some(told.clone()), now: "7".into() })
}

/// What a plan has others told.
fn told(case: &Case, plan: &mut Plan) -> Option<Publish> {
    plan::publish(plan, &case.config.project, &case.inventory(), &case.observed);
    plan.actions.iter().find_map(|action| match &action.request {
        Request::InventoryPublish(publish) => Some(publish.clone()),
        _ => None,
    })
}

fn words(services: &Told) -> String {
    let all = services.iter().map(|(service, instances)| {
        let one = |s: &Served| {
            format!(
                "{}@{}={}:{:?}",
                s.instance,
                s.host,
                s.address,
                s.ports.iter().map(|p| p.published).collect::<Vec<_>>()
            )
        };
        format!("{service}: {}", instances.iter().map(one).collect::<Vec<_>>().join(" "))
    });
    all.collect::<Vec<_>>().join("; ")
}

fn published() -> Case {
    let mut case = case();
    case.config.hosts[1].address = "me@[2001:db8::2]:22".into();
    case.config.hosts[2].address = "local".into();
    case.service("web", |web| web.ports = vec![ports(8001, 8001)]);
    case.observed.published = telling(&Told::new());
    case
}

#[test]
fn a_first_deploy_is_told_and_then_there_is_nothing_to_tell() {
    let mut case = published();
    let mut plan = case.plan();
    let first = told(&case, &mut plan).unwrap();
    assert_eq!(
        words(&first.services),
        "web: web.1@h1=h1.test:[8001] web.1@h2=2001:db8::2:[8001] web.1@h3=127.0.0.1:[8001]"
    );
    assert_eq!(first.since, "7");
    let mut sim = Sim::new(&case);
    plan.actions.iter().for_each(|action| sim.apply(action).unwrap());
    case.observed = sim.observed;
    case.observed.published = telling(&first.services);
    assert_eq!(told(&case, &mut case.plan()), None);
    // What somebody else has written there is mended, without anything else to do.
    let mut other = first.services.clone();
    other.insert("gone".into(), other["web"].clone());
    other.get_mut("web").unwrap().pop();
    case.observed.published = telling(&other);
    let mut mended = case.plan();
    assert!(mended.is_empty());
    assert_eq!(
        words(&told(&case, &mut mended).unwrap().services),
        format!("gone: ; {}", words(&first.services))
    );
}

#[test]
fn what_was_not_looked_at_is_told_as_before_and_hosts_that_left_no_more() {
    let mut case = published();
    let served = |host: &str, published| Served {
        instance: Instance { service: "web".into(), number: 1 },
        host: host.into(),
        address: "a".into(),
        ports: vec![Port { host_ip: None, published, target: 80, protocol: Default::default() }],
    };
    case.observed.published =
        telling(&Told::from([("web".into(), vec![served("h2", 9), served("left", 9)])]));
    case.goal.select.hosts = vec!["h1".into()];
    case.observed.hosts.retain(|host, _| host == "h1");
    let told = told(&case, &mut case.plan()).unwrap();
    assert_eq!(words(&told.services), "web: web.1@h1=h1.test:[8001] web.1@h2=a:[9]");
}

#[test]
fn nothing_is_told_where_the_inventory_tells_nothing() {
    for publication in [None, Some(Publication::default())] {
        let mut case = published();
        case.observed.published = publication;
        assert_eq!(told(&case, &mut case.plan()), None);
    }
}

/// As often as it is there.
fn sorted<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    all.sort();
    all
}

proptest! {
    #[test]
    fn others_are_told_what_runs_in_the_end_and_not_before(world in world(), order: Vec<u8>) {
        let mut case = world.case.clone();
        case.observed.published = telling(&Told::new());
        let Ok(mut plan) = case.try_plan() else { return Err(TestCaseError::reject("no plan")) };
        let told = told(&case, &mut plan).map(|publish| publish.services).unwrap_or_default();
        let mut sim = simulated(&world);
        let order = interleaving(&plan, &order);
        prop_assert_eq!(order.len(), plan.actions.len());
        let mut is_told = false;
        for id in order {
            let action = &plan.actions[id as usize];
            prop_assert!(!is_told || action.is_cleanup(), "{} is not done yet", action.key);
            if matches!(action.request, Request::InventoryPublish(_)) {
                let cleanup = action.needs.iter().find(|id| plan.actions[**id as usize].is_cleanup());
                prop_assert_eq!(cleanup, None, "it does not wait for what may fail");
                is_told = true;
            }
            sim.apply(action).map_err(TestCaseError::fail)?;
        }
        let seen = sim.observed.hosts.iter().filter(|(name, _)| matches!(case.observed.hosts[*name], HostState::Seen(_)));
        let up = seen.flat_map(|(host, state)| containers(state).iter().filter(|c| c.state.is_up()).map(move |c| (host.clone(), c.instance.clone())));
        let told = told.into_values().flatten().map(|served| (served.host, served.instance));
        prop_assert_eq!(sorted(told), sorted(up));
    }
}
