//! Plans about a cluster.

use cloudpad_plugin_api::stage::cluster::{Instance, Node, Observation, Order, Rollout, Scale, Seen};
use cloudpad_plugin_api::stage::deploy::{ImageRef, State};
use cloudpad_plugin_api::{PushScope, Request};

use super::*;
use crate::config::Count;
use crate::plan::tests::kit::{Case, case};

/// The project of [`case`] in a cluster of two nodes that runs nothing of it yet.
pub(super) fn cluster() -> Case {
    let mut case = case();
    case.observed.hosts.clear();
    let node = |name: &str| Node { name: name.into(), ..Node::default() };
    let seen = Observation {
        nodes: vec![node("n1"), node("n2")],
        releases: Some(Vec::new()),
        ..Observation::default()
    };
    case.observed.cluster = Some(Box::new(seen));
    case.goal.push_scope = PushScope::Shared;
    case.service("web", |web| web.count = Count::Replicas(2));
    case
}

pub(super) fn seen(case: &mut Case) -> &mut Observation {
    case.observed.cluster.as_deref_mut().unwrap()
}

/// What is asked, in order, with what each needs.
pub(super) fn text(plan: &Plan) -> String {
    let line = |action: &crate::plan::Action| {
        let what = match &action.request {
            Request::ClusterApply(q) => {
                let image = match &q.image {
                    ImageRef::Known(image) => image.clone(),
                    ImageRef::PushedBy { pushed_by } => format!("pushed by {pushed_by}"),
                };
                format!("{} {image} replaces {:?}", q.service.name, q.replaces)
            }
            Request::ClusterReady(q) => q.service.clone(),
            Request::ClusterRemove(q) => {
                format!("{:?}", q.services.iter().map(|s| &s.name).collect::<Vec<_>>())
            }
            Request::ClusterRecord(q) => {
                let release = q.release.as_deref();
                let changed = release.map(|release| release.changed.join(" ")).unwrap_or_default();
                format!("{changed} forget {:?}", q.forget)
            }
            _ => String::new(),
        };
        format!("{} {} {what} <- {:?}\n", action.id, action.request.method(), action.needs)
    };
    plan.actions.iter().map(line).collect()
}

/// Has the cluster run what a plan applies, and remember what it notes.
pub(super) fn run(case: &mut Case, plan: &Plan) {
    let now = case.observed.cluster.as_deref_mut().unwrap();
    for action in &plan.actions {
        match &action.request {
            Request::ClusterApply(q) => {
                now.services.retain(|service| service.name != q.service.name);
                let wanted = match q.service.scale {
                    Scale::Replicas(count) => count,
                    Scale::PerNode(count) => count * 2,
                };
                let instance = |number| Instance {
                    number: Some(number),
                    node: "n1".into(),
                    state: State::Running,
                    id: q.id.clone(),
                    healthy: false,
                    status: String::new(),
                };
                now.services.push(Seen {
                    name: q.service.name.clone(),
                    revision: format!("after {}", q.id),
                    release: q.release.clone(),
                    id: q.id.clone(),
                    service: Some(q.service.clone()),
                    image: "r.example/shop.web@sha256:0".into(),
                    wanted,
                    instances: (1..=wanted).map(instance).collect(),
                    ..Seen::default()
                });
            }
            Request::ClusterRemove(q) => {
                now.services.retain(|s| q.services.iter().all(|gone| gone.name != s.name))
            }
            Request::ClusterRecord(q) => {
                let releases = now.releases.get_or_insert_default();
                releases.retain(|old| !q.forget.contains(&old.id));
                releases.extend(q.release.as_deref().cloned());
            }
            _ => {}
        }
    }
}

#[test]
fn a_first_deploy_builds_pushes_applies_waits_and_notes() {
    let mut case = cluster();
    let plan = case.plan();
    let expected = "0 source.fetch  <- []\n1 build.run  <- [0]\n2 push.run  <- [1]\n3 cluster.apply web pushed by 2 replaces None <- [2]\n\
                    4 cluster.ready web <- [3]\n5 cluster.record web forget [] <- [4]\n";
    assert_eq!(text(&plan), expected);
    assert!(plan.actions[4].continues, "what was applied is waited for before anything else begins");
    let told = crate::words::plan(&plan);
    assert!(told.contains("  push shop.web:v1 to the registry\n") && !told.contains("* note"), "{told}");
    run(&mut case, &plan);
    let plan = case.plan();
    assert!(plan.is_empty() && review(&case.config, &plan).is_none(), "{}", text(&plan));
    // What has no service yet has no release either.
    let mut case = cluster();
    case.config.services.clear();
    assert!(case.plan().is_empty(), "{}", text(&case.plan()));
}

#[test]
fn nothing_is_applied_before_all_images_are_pushed() {
    let mut case = cluster();
    case.image("other", "v1");
    case.service("other", |other| other.image = "other".into());
    let plan = case.plan();
    let is_push = |request: &Request| matches!(request, Request::PushRun(_));
    let last = plan.actions.iter().rfind(|action| is_push(&action.request)).unwrap();
    let applies = plan.actions.iter().filter(|action| matches!(action.request, Request::ClusterApply(_)));
    let waits: Vec<bool> = applies.map(|apply| apply.needs.len() == 2 && apply.id > last.id).collect();
    assert_eq!(waits, [true, true], "{}", text(&plan));
}

#[test]
fn an_update_replaces_what_was_seen_and_says_what_differs() {
    let mut case = cluster();
    let plan = case.plan();
    run(&mut case, &plan);
    case.goal.release = "r2".into();
    case.service("web", |web| _ = web.env.insert("A".into(), "1".into()));
    let plan = case.plan();
    let revision = seen(&mut case).services[0].revision.clone();
    assert!(text(&plan).contains(&format!("replaces {:?}", Some(revision))), "{}", text(&plan));
    assert_eq!(
        (plan.changes[0].kind, &*plan.changes[0].why),
        (ChangeKind::ReplaceStartFirst, &["env.A".to_owned()][..])
    );
    // How many there are to be is told beside all else, and how they make way for others only where nothing else is.
    case.config.deploy.batch = crate::config::Amount::Percent(100);
    case.service("web", |web| web.count = Count::Replicas(3));
    let plan = case.plan();
    assert_eq!(*plan.changes[0].why, ["env.A".to_owned(), "replicas 2 -> 3".to_owned()]);
    case.service("web", |web| web.env.clear());
    let plan = case.plan();
    assert_eq!(
        (plan.changes[0].kind, &*plan.changes[0].why),
        (ChangeKind::Adjust, &["replicas 2 -> 3".to_owned()][..])
    );
    case.service("web", |web| web.count = Count::Replicas(2));
    assert_eq!(*case.plan().changes[0].why, ["update".to_owned()]);
}

#[test]
fn what_left_the_config_goes_once_the_others_serve() {
    let mut case = cluster();
    case.image("old", "v1");
    case.service("old", |_| {});
    let plan = case.plan();
    run(&mut case, &plan);
    case.goal.release = "r2".into();
    case.config.services.remove("old");
    case.service("web", |web| _ = web.env.insert("A".into(), "1".into()));
    let plan = case.plan();
    let find = |method: &str| plan.actions.iter().find(|action| action.request.method() == method).unwrap();
    assert!(find("cluster.remove").needs.contains(&find("cluster.ready").id), "{}", text(&plan));
    let plan = text(&plan);
    assert!(plan.contains("cluster.remove [\"old\"]"), "{plan}");
    let at = |what: &str| plan.find(what).unwrap();
    assert!(
        at("cluster.ready web") < at("cluster.remove") && at("cluster.remove") < at("cluster.record old web"),
        "{plan}"
    );
}

#[test]
fn what_is_not_settled_is_waited_for_and_what_was_given_up_is_tried_again() {
    let mut case = cluster();
    let plan = case.plan();
    run(&mut case, &plan);
    seen(&mut case).services[0].rollout = Rollout::Updating;
    assert_eq!(text(&case.plan()), "0 cluster.ready web <- []\n");
    seen(&mut case).services[0].rollout = Rollout::Paused;
    assert!(text(&case.plan()).contains("cluster.apply web"));
    assert_eq!(&*case.plan().changes[0].why, ["not finished"]);
    seen(&mut case).services[0].rollout = Rollout::Settled;
    let instance = seen(&mut case).services[0].instances[0].clone();
    let changes: [fn(&mut Instance); 2] = [|one| one.state = State::Stopped, |one| one.id = "another".into()];
    for change in changes {
        let one = &mut seen(&mut case).services[0].instances[0];
        *one = instance.clone();
        change(one);
        assert_eq!(text(&case.plan()), "0 cluster.ready web <- []\n");
    }
    // A provider need not tell what its instances are of.
    seen(&mut case).services[0].instances[0] = Instance { id: String::new(), ..instance };
    assert!(case.plan().is_empty(), "{}", text(&case.plan()));
    seen(&mut case).services[0].id.clear();
    assert_eq!(&*case.plan().changes[0].why, ["changed by others"]);
    seen(&mut case).services[0].service = None;
    let change = case.plan().changes.remove(0);
    assert_eq!((change.kind, &*change.why), (ChangeKind::ReplaceStartFirst, &["spec".to_owned()][..]));
}

#[test]
fn what_no_cluster_can_do_is_refused_at_its_place() {
    let mut case = cluster();
    case.service("web", |web| {
        web.protected = true;
        web.route = Some(crate::plan::tests::kit::route());
        let range = |first, last| crate::config::PortRange {
            ip: None,
            first,
            last,
            container: 80,
            protocol: cloudpad_plugin_api::model::Protocol::Tcp,
        };
        web.ports = vec![range(80, 81)];
    });
    let problems = case.problems();
    assert!(
        problems[0].contains("proxy for routes runs on hosts")
            && problems[1].contains("cannot be protected")
            && problems[2].contains("range of ports"),
        "{problems:?}"
    );
    let mut case = cluster();
    case.goal.push_scope = PushScope::Host;
    assert!(case.problems()[0].contains("sent to each host"));
    case.config.images.insert("web".into(), Image::Ready { reference: "valkey:8".into() });
    assert!(
        text(&case.plan()).contains("cluster.apply web valkey:8"),
        "nodes have a ready one from where it is"
    );
}

#[test]
fn a_name_that_the_cluster_has_for_something_else_is_refused_where_it_is_meant() {
    let mut case = cluster();
    case.image("old", "v1");
    case.service("old", |_| {});
    seen(&mut case).taken.insert("web".into(), "stack `shop`".into());
    let problems = case.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("the name that `web` would have, which is of stack `shop`"), "{problems:?}");
    case.goal.select.services = vec!["old".into()];
    assert!(text(&case.plan()).contains("cluster.apply old"));
}

#[test]
fn ports_are_stopped_first_with_as_many_left_as_have_to_serve() {
    let mut case = cluster();
    case.config.deploy.batch = crate::config::Amount::Percent(100);
    case.config.deploy.min_healthy = crate::config::Amount::Count(1);
    case.service("web", |web| web.update = crate::config::Update::StopFirst);
    let plan = case.plan();
    let apply = plan.actions.iter().find_map(|action| match &action.request {
        Request::ClusterApply(apply) => Some(apply),
        _ => None,
    });
    let update = apply.unwrap().service.update;
    assert_eq!((update.batch, update.order, update.rollback), (1, Order::StopFirst, true));
}

#[test]
fn what_goes_back_gets_the_values_that_secrets_have_now() {
    let mut case = cluster();
    let key = crate::config::Secret::named("KEY");
    case.service("web", |web| {
        web.secrets.insert("/run/key".into(), key.clone());
        web.secrets.insert("KEY".into(), key);
    });
    let mark = |case: &mut Case, mark: &str| _ = case.observed.secrets.insert("KEY".into(), mark.into());
    for (release, image) in [("r1", "v1"), ("r2", "v2")] {
        mark(&mut case, release);
        case.goal.release = release.into();
        case.image("web", image);
        let plan = case.plan();
        run(&mut case, &plan);
    }
    case.goal.release = "r3".into();
    case.goal.restore = Some("r1".into());
    // Whose values are needed is found out by a first plan, which knows none.
    case.observed.secrets.clear();
    assert_eq!(secrets_of(&case.plan()), ["KEY".to_owned()].into());
    mark(&mut case, "r2");
    let plan = case.plan();
    let marks = plan.actions.iter().filter_map(|action| match &action.request {
        Request::ClusterApply(apply) => Some(apply.service.spec.secrets["/run/key"].mark.as_str()),
        _ => None,
    });
    assert_eq!(marks.collect::<Vec<_>>(), ["r2"]);
    let notes: Vec<_> = plan.notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!(notes, ["`web` gets the value that the secret `KEY` has now"], "once");
    run(&mut case, &plan);
    // Where it is so already, nobody has been asked for values.
    mark(&mut case, "later");
    case.goal.restore = Some("r3".into());
    assert!(case.plan().is_empty(), "{}", text(&case.plan()));
}

#[test]
fn what_goes_further_back_is_told_where_only_a_secret_was_another() {
    let mut case = cluster();
    let key = crate::config::Secret::named("KEY");
    case.service("web", |web| _ = web.secrets.insert("KEY".into(), key));
    for (release, image, mark) in [("r1", "v1", "old"), ("r2", "v2", "old"), ("r3", "v2", "new")] {
        case.observed.secrets.insert("KEY".into(), mark.into());
        case.goal.release = release.into();
        case.image("web", image);
        let plan = case.plan();
        run(&mut case, &plan);
    }
    case.goal.release = "r4".into();
    case.goal.restore = Some("r2".into());
    let plan = case.plan();
    let notes: Vec<_> = plan.notes.iter().map(|note| note.message.as_str()).collect();
    let told = "release r2 differs from what is to run now only in `web`, and in nothing that going back to it changes; \
                `cloudpad rollback r1` goes further back";
    assert_eq!((plan.actions.len(), notes), (0, vec![told]));
}

#[test]
fn what_was_broken_off_before_it_was_noted_is_noted() {
    let mut case = cluster();
    let plan = case.plan();
    run(&mut case, &plan);
    seen(&mut case).releases = Some(Vec::new());
    let plan = case.plan();
    assert_eq!(text(&plan), "0 cluster.record web forget [] <- []\n");
    assert_eq!(release_name(&plan, &case.observed, &case.goal), case.goal.release);
    let told = crate::words::plan(&plan);
    assert!(told.contains("  cluster\n    * note what is to run there\n"), "{told}");
}

#[test]
fn what_is_set_right_again_is_no_release_of_its_own() {
    let mut case = cluster();
    let plan = case.plan();
    run(&mut case, &plan);
    let first = std::mem::replace(&mut case.goal.release, "r2".into());
    seen(&mut case).services.clear();
    let plan = case.plan();
    assert!(text(&plan).contains("cluster.apply web") && !text(&plan).contains("cluster.record"));
    assert_eq!(release_name(&plan, &case.observed, &case.goal), first);
    case.service("web", |web| _ = web.env.insert("A".into(), "1".into()));
    assert_eq!(release_name(&case.plan(), &case.observed, &case.goal), "r2");
}
