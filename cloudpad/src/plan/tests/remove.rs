//! How a project is taken off its hosts.

use cloudpad_plugin_api::stage::deploy::{Claim, Clear, OneOff, State};
use cloudpad_plugin_api::{PushScope, Request};

use super::kit::*;
use super::sim::Sim;
use crate::config::{Count, MountMode};
use crate::plan::{self, Plan};

/// A site `web` with a route and a database `db` on every host, as they were deployed twice.
fn deployed(protected: bool) -> Case {
    let mut case = case();
    case.image("db", "v1");
    case.service("web", |web| {
        web.volumes = vec![volume("cache", MountMode::Shared)];
        web.route = Some(route());
    });
    case.service("db", |db| {
        db.volumes = vec![volume("data", MountMode::Exclusive)];
        db.protected = protected;
    });
    for host in ["h1", "h2", "h3"] {
        case.seen(host).releases = Some(Vec::new());
        case.seen(host).proxy = Some(Box::default());
        case.seen(host).images.push("other:1".into());
    }
    case.deploy();
    case.image("web", "v2");
    case.goal.release = "r2".into();
    case.deploy();
    case
}

/// Plans it, and carries the plan out.
fn remove(case: &mut Case, volumes: bool) -> Plan {
    let plan = plan::remove(&case.config, &case.inventory(), &case.observed, &case.goal, volumes).unwrap();
    let mut sim = Sim::new(case);
    plan.actions.iter().for_each(|action| sim.apply(action).unwrap());
    case.observed = sim.observed;
    plan
}

fn keys(plan: &Plan, host: &str) -> Vec<String> {
    let on = plan.actions.iter().filter(|action| action.host.as_deref() == Some(host));
    on.map(|action| action.key.split('/').next().unwrap().to_owned()).collect()
}

fn cleared(plan: &Plan) -> &Clear {
    let clear = plan.actions.iter().find_map(|action| match &action.request {
        Request::DeployClear(clear) => Some(clear),
        _ => None,
    });
    clear.expect("something is cleared")
}

#[test]
fn all_goes_in_its_order_and_volumes_only_when_that_is_said() {
    let mut case = deployed(false);
    let plan = remove(&mut case, false);
    assert_eq!(plan.changes.len(), 6);
    let expected = ["stop", "route", "stop", "record", "remove", "clear"];
    assert_eq!(keys(&plan, "h1"), expected, "{}", text(&plan));
    for pair in plan.actions.windows(2).filter(|pair| pair[1].key.starts_with("clear")) {
        assert!(pair[1].needs.contains(&pair[0].id), "{}", text(&plan));
    }
    let clear = cleared(&plan);
    assert_eq!((&clear.networks[..], &clear.volumes[..]), (&["shop.default".to_owned()][..], &[][..]));
    let seen = case.seen("h1");
    assert!(seen.containers.is_empty() && seen.releases == Some(Vec::new()));
    assert_eq!(seen.images, ["caddy:1", "other:1"]);
    assert!(remove(&mut case, false).is_empty());
    let clear = cleared(&remove(&mut case, true)).volumes.clone();
    assert_eq!(clear, ["shop.cache", "shop.data"], "as the config has them");
}

#[test]
fn what_is_protected_stays_with_all_that_it_needs_until_it_is_named() {
    let mut case = deployed(true);
    let plan = remove(&mut case, true);
    assert_eq!(plan.notes.len(), 3);
    let told = &plan.notes[0].message;
    assert!(told.ends_with("is protected, and stays; `cloudpad remove --service db` removes it"), "{told}");
    assert_eq!(cleared(&plan).volumes, ["shop.cache"]);
    let seen = case.seen("h1");
    assert_eq!(seen.containers.len(), 1);
    assert_eq!(seen.images, ["caddy:1", "other:1", "shop.db:v1"]);
    case.goal.select.services = vec!["db".into()];
    let plan = remove(&mut case, true);
    let last = cleared(&plan);
    assert_eq!(
        (&last.volumes[..], &last.networks[..]),
        (&["shop.data".into()][..], &["shop.default".into()][..])
    );
    assert!(plan.notes.is_empty() && case.seen("h1").containers.is_empty());
}

#[test]
fn the_volumes_that_go_are_those_that_hosts_have() {
    let mut case = deployed(false);
    for (host, volumes) in
        [("h1", &["shop.cache"][..]), ("h2", &[]), ("h3", &["shop.cache", "shop.data", "shop.old"])]
    {
        case.seen(host).volumes = Some(volumes.iter().map(|name| (*name).to_owned()).collect());
    }
    remove(&mut case, false);
    // The service is to run elsewhere by now, and what it has left is where it was.
    case.service("db", |db| {
        db.volumes = vec![volume("data", MountMode::Exclusive)];
        db.hosts = vec!["h1".into()];
    });
    case.goal.select.services = vec!["db".into()];
    for (hosts, left) in [(&["h1"][..], 0), (&["h3"], 1), (&["h3"], 0)] {
        case.goal.select.hosts = hosts.iter().map(|&name| name.to_owned()).collect();
        let plan = remove(&mut case, true);
        assert_eq!(plan.actions.len(), left, "{}", text(&plan));
        if left > 0 {
            assert_eq!(cleared(&plan).volumes, ["shop.data"]);
        }
    }
    case.goal.select = Default::default();
    let plan = remove(&mut case, true);
    let cleared: Vec<_> = plan.actions.iter().map(|action| action.key.as_str()).collect();
    assert_eq!(cleared, ["clear/h1", "clear/h3"]);
    assert_eq!(case.seen("h3").volumes, Some(Vec::new()), "what no service has any more goes too");
    assert!(remove(&mut case, true).is_empty());
}

#[test]
fn volumes_that_stay_are_named() {
    let mut case = deployed(false);
    case.seen("h1").volumes = Some(vec!["shop.data".into()]);
    case.seen("h2").volumes = Some(vec!["shop.data".into()]);
    case.seen("h3").volumes = Some(Vec::new());
    let told = |plan: &Plan| {
        let notes = plan.notes.iter().map(|note| note.message.clone());
        notes.filter(|message| !message.contains("the proxy")).collect::<Vec<_>>()
    };
    let stay = "what is in volumes stays on `h1`, `h2`: `shop.data`; `cloudpad remove --volumes` removes these too, while the file \
                has the host";
    assert_eq!(told(&remove(&mut case, false)), [stay]);
    assert_eq!(told(&remove(&mut case, false)), [stay], "also when all else is gone");
    assert!(told(&remove(&mut case, true)).is_empty());
    // Where a provider does not tell, those that its containers have.
    let mut case = deployed(false);
    case.goal.select.services = vec!["web".into()];
    assert!(told(&remove(&mut case, false))[0].contains("stays on `h1`, `h2`, `h3`: `shop.cache`;"));
}

#[test]
fn a_service_goes_alone_and_can_be_brought_back() {
    let mut case = deployed(false);
    case.goal.select.services = vec!["web".into()];
    let plan = remove(&mut case, false);
    assert_eq!(keys(&plan, "h1"), ["route", "stop", "remove"], "{}", text(&plan));
    let seen = case.seen("h1");
    assert_eq!(seen.containers.len(), 1);
    assert!(seen.images.contains(&"shop.web:v2".into()), "releases need it");
    assert!(!seen.releases.as_ref().unwrap().is_empty());
    case.goal.select.services = Vec::new();
    assert_eq!(case.plan().changes.len(), 3);
}

#[test]
fn what_other_environments_need_stays_and_what_jobs_have_left_goes() {
    let mut case = deployed(false);
    let seen = case.seen("h1");
    seen.needed_elsewhere = vec!["shop.web:v2".into()];
    seen.images.push("shop.web:failed".into());
    for (name, state) in [("shop-migrate", State::Stopped), ("shop-run", State::Running)] {
        seen.one_offs.push(OneOff {
            id: name.into(),
            name: name.into(),
            release: String::new(),
            labels: Default::default(),
            state,
            exit_code: None,
            created: 0,
            image: "shop.web:failed".into(),
            lasting: String::new(),
        });
    }
    let plan = plan::remove(&case.config, &case.inventory(), &case.observed, &case.goal, false).unwrap();
    let (mut stopped, mut removed) = (Vec::new(), Vec::new());
    for action in plan.actions.iter().filter(|action| action.host.as_deref() == Some("h1")) {
        match &action.request {
            Request::DeployStop(stop) => stopped.push(stop.container.name.clone()),
            Request::DeployRemove(remove) => {
                removed.extend(remove.containers.iter().map(|container| container.name.clone()));
                assert!(!remove.images.contains(&"shop.web:v2".into()), "{:?}", remove.images);
                // Only what goes with it has needed that.
                assert!(remove.images.contains(&"shop.web:failed".into()), "{:?}", remove.images);
            }
            _ => {}
        }
    }
    assert!(stopped.contains(&"shop-run".into()) && !stopped.contains(&"shop-migrate".into()));
    assert!(removed.contains(&"shop-run".into()) && removed.contains(&"shop-migrate".into()));
}

#[test]
fn what_becomes_of_the_proxy_is_told() {
    let mut case = deployed(false);
    let claim = Claim { project: "blog".into(), service: "site".into(), hosts: Vec::new(), path: None };
    case.seen("h2").proxy.as_mut().unwrap().claims.push(claim);
    case.seen("h3").proxy.as_mut().unwrap().made = None;
    let notes = remove(&mut case, false).notes.into_iter().map(|note| note.message);
    let notes: Vec<_> = notes.filter(|message| !message.contains("in volumes")).collect();
    assert_eq!(
        notes,
        [
            "the proxy on `h1` goes too, since nobody else has a route there; its certificates stay",
            "the proxy on `h2` stays, since it leads requests to `blog` too",
        ]
    );
}

#[test]
fn what_runs_nowhere_else_is_told_where_hosts_are_left() {
    let mut case = case();
    case.service("worker", |worker| (worker.image, worker.count) = ("web".into(), Count::Replicas(2)));
    case.service("worker", |worker| worker.hosts = vec!["h2".into(), "h3".into()]);
    case.goal.select.hosts = vec!["h2".into()];
    case.deploy();
    let notes = |case: &Case| {
        let (inventory, goal) = (case.inventory(), &case.goal);
        let plan = plan::remove(&case.config, &inventory, &case.observed, goal, false).unwrap();
        plan.notes.into_iter().map(|note| note.message).collect::<Vec<_>>()
    };
    case.goal.select.hosts = vec!["h2".into(), "h1".into()];
    let told = "`worker` runs nowhere after this, until a `cloudpad deploy` has brought it to another host";
    assert!(notes(&case).contains(&told.to_owned()), "{:?}", notes(&case));
    let mut unseen = case.clone();
    unseen.observed.hosts.remove("h3");
    assert!(!notes(&unseen).contains(&told.to_owned()), "it may run there");
    case.goal.select.hosts = vec!["h3".into()];
    assert!(!notes(&case).contains(&told.to_owned()), "it runs on h2");
}

#[test]
fn what_stays_in_a_registry_is_told_where_there_is_one() {
    let mut goal = case().goal;
    assert_eq!(plan::left_in_registry(&goal), None);
    goal.push_scope = PushScope::Shared;
    let told = plan::left_in_registry(&goal).unwrap();
    assert!(!told.incomplete && told.message.contains("registry prune"), "{told:?}");
    goal.select.services = vec!["web".into()];
    assert_eq!(plan::left_in_registry(&goal), None, "other services may need them");
}
