//! What services of a cluster are to be, and what it remembers of them. Pure.

use cloudpad_plugin_api::stage::cluster::{Apply, Order, Place, Ready, Release};
use cloudpad_plugin_api::stage::deploy::ImageRef;

use super::tests::{cluster, run, seen, text};
use super::{Request, Until, release_name, wish};
use crate::config::{Amount, Count, OnFailure, Update};
use crate::plan::Plan;
use crate::plan::tests::kit::Case;

fn applied(plan: &Plan) -> Vec<&Apply> {
    let all = plan.actions.iter().filter_map(|action| match &action.request {
        Request::ClusterApply(apply) => Some(&**apply),
        _ => None,
    });
    all.collect()
}

fn ready(plan: &Plan) -> &Ready {
    let mut all = plan.actions.iter().filter_map(|action| match &action.request {
        Request::ClusterReady(ready) => Some(ready),
        _ => None,
    });
    all.next().unwrap()
}

fn noted(plan: &Plan) -> &Release {
    let mut all = plan.actions.iter().filter_map(|action| match &action.request {
        Request::ClusterRecord(record) => record.release.as_deref(),
        _ => None,
    });
    all.next().unwrap()
}

/// Has `web` be deployed with each of these values of a variable, as the releases `r1` and up, beside `old`.
fn releases(values: &[&str]) -> Case {
    let mut case = cluster();
    case.image("old", "v1");
    case.service("old", |_| {});
    for (number, value) in (1..).zip(values) {
        case.goal.release = format!("r{number}");
        case.service("web", |web| _ = web.env.insert("A".into(), (*value).into()));
        let plan = case.plan();
        run(&mut case, &plan);
    }
    case.goal.release = "next".into();
    case
}

#[test]
fn where_instances_may_run_and_how_they_follow_each_other_is_as_the_config_says() {
    let mut case = cluster();
    case.host("h9", &["db"]);
    case.service("web", |web| web.roles = vec!["db".into()]);
    let plan = case.plan();
    let expected = Place { roles: vec!["db".into()], nodes: Vec::new() };
    assert_eq!(applied(&plan)[0].service.place, expected);
    run(&mut case, &plan);
    case.service("web", |web| (web.roles, web.hosts) = (Vec::new(), vec!["h1".into(), "h2".into()]));
    case.config.deploy.on_failure = OnFailure::Stop;
    let plan = case.plan();
    let service = &applied(&plan)[0].service;
    assert_eq!(service.place, Place { roles: Vec::new(), nodes: vec!["h1".into(), "h2".into()] });
    assert!(!service.update.rollback);
    assert_eq!(*plan.changes[0].why, ["roles".to_owned()]);
    // Of so many on each node there are those of all nodes.
    case.service("web", |web| web.count = Count::PerHost(2));
    case.config.deploy.batch = Amount::Percent(100);
    assert_eq!(applied(&case.plan())[0].service.update.batch, 4);
    // One goes at a time, however many have to serve.
    case.config.deploy.min_healthy = Amount::Percent(100);
    case.service("web", |web| web.update = Update::StopFirst);
    let update = applied(&case.plan())[0].service.update;
    assert_eq!((update.batch, update.order), (1, Order::StopFirst));
}

#[test]
fn an_update_may_take_as_long_as_its_batches_may() {
    let mut case = cluster();
    case.config.deploy.batch = Amount::Count(2);
    case.config.deploy.ready_timeout_ms = 7000;
    case.config.deploy.settle_ms = 500;
    let mut takes = |count| {
        case.service("web", |web| (web.count, web.stop_timeout) = (count, 1));
        ready(&case.plan()).timeout_ms
    };
    assert_eq!(takes(Count::Replicas(5)), 60_000 + 3 * 8500);
    assert_eq!(takes(Count::Replicas(0)), 60_000 + 8500);
    assert_eq!(takes(Count::PerHost(3)), 60_000 + 3 * 8500);
}

#[test]
fn what_is_not_meant_stays_and_is_remembered_with_the_rest() {
    let mut case = releases(&["1"]);
    case.config.services.remove("old");
    case.goal.select.services = vec!["web".into()];
    case.service("web", |web| _ = web.env.insert("A".into(), "2".into()));
    let plan = case.plan();
    assert!(!text(&plan).contains("cluster.remove"), "{}", text(&plan));
    let release = noted(&plan);
    assert_eq!((&release.changed[..], release.services.len()), (&["web".to_owned()][..], 2));
    assert_eq!(release.images["old"], ImageRef::Known("r.example/shop.web@sha256:0".into()));
    assert!(matches!(release.images["web"], ImageRef::PushedBy { .. }) && applied(&plan).len() == 1);
    assert_eq!(release.images["web"], applied(&plan)[0].image);
}

#[test]
fn as_many_releases_are_remembered_as_are_kept_beside_the_new_one() {
    let mut case = releases(&["1", "2", "3"]);
    case.config.deploy.keep = 2;
    case.service("web", |web| _ = web.env.insert("A".into(), "4".into()));
    assert!(text(&case.plan()).contains("cluster.record web forget [\"r1\"]"), "{}", text(&case.plan()));
    case.config.deploy.keep = 3;
    assert!(text(&case.plan()).contains("cluster.record web forget []"), "{}", text(&case.plan()));
}

#[test]
fn what_goes_back_is_what_is_meant_with_the_image_that_it_had() {
    let mut case = releases(&["1", "2"]);
    let images = seen(&mut case).releases.as_ref().unwrap()[0].images.clone();
    seen(&mut case).services.iter_mut().for_each(|service| service.id.clear());
    case.goal.restore = Some("r1".into());
    assert_eq!(applied(&case.plan()).len(), 2);
    case.goal.select.services = vec!["web".into()];
    let plan = case.plan();
    let [web] = applied(&plan)[..] else { panic!("{}", text(&plan)) };
    assert_eq!((&web.image, &*web.service.name), (&images["web"], "web"));
    case.goal.restore = Some("r9".into());
    assert_eq!(case.problems(), ["the cluster does not remember release `r9`"]);
}

#[test]
fn a_value_that_is_the_same_is_not_renewed() {
    let mut case = cluster();
    let key = crate::config::Secret::named("KEY");
    case.service("web", |web| _ = web.secrets.insert("KEY".into(), key));
    case.observed.secrets.insert("KEY".into(), "1".into());
    let plan = case.plan();
    let service = &applied(&plan)[0].service;
    let renewed = |mark: &str| wish::renewed(service, &[("KEY".into(), mark.into())].into(), |_| true).1;
    assert!(renewed("1").is_empty() && renewed("2").iter().eq(["KEY"]));
}

#[test]
fn a_push_alone_changes_nothing_and_is_called_by_its_own_release() {
    let mut case = releases(&["1"]);
    case.goal.until = Until::Push;
    let plan = case.plan();
    assert!(text(&plan).contains("push.run") && !text(&plan).contains("cluster."), "{}", text(&plan));
    assert_eq!(release_name(&plan, &case.observed, &case.goal), "next");
}
