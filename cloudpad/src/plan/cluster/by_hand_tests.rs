//! Plans by hand about a cluster: to scale, and to remove. Pure.

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::cluster::Scale;

use super::tests::{cluster, run, seen, text};
use super::{Change, ChangeKind, Plan, remove_from, scale_in};
use crate::config::Count;
use crate::inventory::{Inventory, Selection};
use crate::plan;
use crate::plan::tests::kit::Case;

/// A cluster with `web`, twice, and `each`, once on each node.
fn deployed() -> Case {
    let mut case = cluster();
    case.image("each", "v1");
    case.service("each", |each| each.count = Count::PerHost(1));
    let plan = case.plan();
    run(&mut case, &plan);
    case.goal.release = "r2".into();
    case
}

fn scale(case: &mut Case, sizes: &[&str]) -> Result<Plan, Vec<String>> {
    let sizes: Vec<_> = sizes.iter().map(|size| size.parse().unwrap()).collect();
    let now = seen(case).clone();
    let plan = scale_in(&case.config, &now, &case.goal, &sizes);
    plan.map_err(|problems| problems.into_iter().map(|problem| problem.message).collect())
}

fn remembered(case: &mut Case) -> Vec<String> {
    seen(case).releases.iter().flatten().map(|release| release.id.clone()).collect()
}

fn remove(case: &mut Case, select: Selection) -> Plan {
    case.goal.select = select;
    let inventory = Inventory::new(&[], Default::default()).unwrap();
    let scope = plan::scope_of_left(&case.config, &inventory, &case.goal.select).unwrap();
    let now = seen(case).clone();
    remove_from(&case.config, &scope, &now, &case.goal).unwrap()
}

#[test]
fn what_is_scaled_is_applied_as_it_is_with_another_count() {
    let mut case = deployed();
    // What the config has made of it since is no matter.
    case.service("web", |web| _ = web.env.insert("A".into(), "1".into()));
    for (count, before) in [(5, 2), (1, 5), (0, 1)] {
        let plan = scale(&mut case, &[&format!("web={count}")]).unwrap();
        let revision =
            Some(seen(&mut case).services.iter().find(|s| s.name == "web").unwrap().revision.clone());
        let expected = format!(
            "0 cluster.apply web r.example/shop.web@sha256:0 replaces {revision:?} <- []\n1 cluster.ready web <- [0]\n"
        );
        assert_eq!(text(&plan), expected);
        let [Change { kind: ChangeKind::Adjust, why, .. }] = &plan.changes[..] else { panic!("{plan:?}") };
        assert_eq!(why[..], [format!("replicas {before} -> {count}")]);
        let Request::ClusterApply(apply) = &plan.actions[0].request else { panic!("{plan:?}") };
        assert_eq!((apply.service.scale, apply.service.spec.env.get("A")), (Scale::Replicas(count), None));
        assert_eq!(Some(&apply.release), remembered(&mut case).last(), "as \"releases\" lists it");
        run(&mut case, &plan);
        assert!(scale(&mut case, &[&format!("web={count}")]).unwrap().is_empty(), "it is so already");
    }
    // The next deploy is as the config says, and where that is what the last one said no release of its own.
    for (env, is_another) in [(None, false), (Some("1"), true)] {
        let env = env.map(|value| ("A".to_owned(), value.into()));
        case.service("web", |web| web.env = env.clone().into_iter().collect());
        let plan = case.plan();
        let Some(Request::ClusterApply(apply)) = plan
            .actions
            .iter()
            .map(|action| &action.request)
            .find(|request| request.method() == "cluster.apply")
        else {
            panic!("{}", text(&plan));
        };
        let known = remembered(&mut case);
        assert_eq!(known.last() == Some(&apply.release), !is_another, "{known:?} {}", text(&plan));
        assert_eq!(text(&plan).contains("cluster.record web"), is_another, "{}", text(&plan));
    }
}

#[test]
fn what_is_of_no_release_is_scaled_as_one_of_now() {
    let mut case = deployed();
    seen(&mut case).services.iter_mut().for_each(|service| service.release.clear());
    let plan = scale(&mut case, &["web=3"]).unwrap();
    let Request::ClusterApply(apply) = &plan.actions[0].request else { panic!("{plan:?}") };
    assert_eq!(apply.release, "r2");
    assert!(crate::words::plan(&plan).contains("\n1 to change; 2 actions\n"));
}

#[test]
fn what_cannot_be_scaled_is_told_all_at_once() {
    let mut case = deployed();
    let problems = scale(&mut case, &["web=3", "each=2", "none=1"]).unwrap_err();
    assert_eq!(
        problems,
        ["`each` has an instance on each node, and so many it keeps", "the cluster runs no service `none`"]
    );
}

#[test]
fn with_the_last_service_goes_what_is_remembered() {
    let mut case = deployed();
    let services = |names: &[&str]| Selection {
        services: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Selection::default()
    };
    let plan = remove(&mut case, services(&["web"]));
    assert_eq!(text(&plan), "0 cluster.remove [\"web\"] <- []\n");
    let plan = remove(&mut case, services(&["each", "web"]));
    assert_eq!(text(&plan), "0 cluster.remove [\"each\", \"web\"] <- []\n", "only they were named");
    // What is gone from the config goes too.
    case.config.services.remove("each");
    let plan = remove(&mut case, Selection::default());
    let forget = format!("{:?}", [&seen(&mut case).releases.as_ref().unwrap()[0].id]);
    let expected =
        format!("0 cluster.remove [\"each\", \"web\"] <- []\n1 cluster.record  forget {forget} <- [0]\n");
    assert_eq!(text(&plan), expected);
    let kinds: Vec<_> = plan.changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Remove, ChangeKind::Remove]);
    run(&mut case, &plan);
    assert!(remove(&mut case, Selection::default()).is_empty());
}
