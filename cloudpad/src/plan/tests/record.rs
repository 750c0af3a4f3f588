//! What hosts are to remember of a release.

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::{ImageRef, Release, State};

use super::kit::{Case, case, check};
use crate::plan::{Origin, Plan, past};

/// A project whose hosts remember releases.
pub fn remembering() -> Case {
    let mut case = case();
    for host in ["h1", "h2", "h3"] {
        case.seen(host).releases = Some(Vec::new());
    }
    case.goal.origin = Origin { by: "anna@laptop".into(), from: "/shop".into() };
    case
}

/// Another version of the image of its name, deployed as release `release`.
pub fn release(case: &mut Case, release: &str, image: &str, tag: &str) -> Plan {
    case.goal.release = release.to_owned();
    case.image(image, tag);
    case.deploy()
}

pub fn remembered<'a>(case: &'a mut Case, host: &str) -> &'a [Release] {
    past::known(case.seen(host))
}

fn ids(case: &mut Case, host: &str) -> Vec<String> {
    remembered(case, host).iter().map(|release| release.id.clone()).collect()
}

/// The images that a plan removes, by host.
fn removed(plan: &Plan) -> Vec<(String, Vec<String>)> {
    let removes = plan.actions.iter().filter_map(|action| match &action.request {
        Request::DeployRemove(q) if !q.images.is_empty() => Some((q.host.name.clone(), q.images.clone())),
        _ => None,
    });
    removes.collect()
}

#[test]
fn a_release_is_noted_when_all_of_it_is_done_on_every_host() {
    let mut case = remembering();
    let plan = case.deploy();
    check(
        &plan,
        "create web.1 on h1
         create web.1 on h2
         create web.1 on h3
         0 fetch/./r1
         1 build/shop.web:v1 < 0
         2 push/h1/shop.web:v1 < 1
         3 start/h1/shop-web-1-#1 < 2
         4 ready/h1/shop-web-1-#1 < 3
         5 push/h2/shop.web:v1 < 1
         6 start/h2/shop-web-1-#1 < 4 5
         7 ready/h2/shop-web-1-#1 < 6
         8 push/h3/shop.web:v1 < 1
         9 start/h3/shop-web-1-#1 < 7 8
         10 ready/h3/shop-web-1-#1 < 9
         11 record/h1 < 10
         12 record/h2 < 11
         13 record/h3 < 11",
    );
    assert!(case.plan().is_empty(), "it is known by now");
    let [release] = remembered(&mut case, "h2") else { panic!() };
    assert!(release.first && release.changed == ["web"] && release.id == "r1");
    assert_eq!((&*release.about.by, &*release.about.command), ("anna@laptop", "deploy"));
    assert_eq!(release.about.sources[crate::config::Config::HERE], "r1");
    assert_eq!(release.specs[&release.containers[0].spec_id].image, "shop.web:v1");
}

#[test]
fn what_changes_nothing_is_no_release_and_what_is_not_known_is_made_good() {
    let mut case = remembering();
    release(&mut case, "r1", "web", "v1");
    case.seen("h2").containers[0].state = State::Stopped;
    case.goal.release = "r2".into();
    case.deploy();
    assert_eq!(ids(&mut case, "h2"), ["r1"], "what was mended is as it was");
    case.seen("h3").releases = Some(Vec::new());
    check(&case.deploy(), "0 record/h3");
    let [release] = remembered(&mut case, "h3") else { panic!() };
    assert!(!release.first, "there was something, of which nobody knows");
    case.seen("h1").releases = None;
    release_is_not_noted(&mut case);
}

#[track_caller]
fn release_is_not_noted(case: &mut Case) {
    let plan = release(case, "r3", "web", "v2");
    let keys: Vec<_> = plan.actions.iter().filter(|a| a.key.starts_with("record/")).collect();
    assert_eq!(keys.iter().map(|a| &*a.key).collect::<Vec<_>>(), ["record/h2", "record/h3"]);
}

#[test]
fn a_release_of_some_services_says_of_the_others_what_was_said_before() {
    let mut case = remembering();
    case.image("api", "v1");
    case.service("api", |_| {});
    case.deploy();
    let before = remembered(&mut case, "h1")[0].clone();
    case.goal.select.services = vec!["web".into()];
    case.image("api", "v2");
    release(&mut case, "r2", "web", "v2");
    let [_, now] = remembered(&mut case, "h1") else { panic!() };
    assert_eq!(now.changed, ["web"]);
    assert_eq!(now.containers[0], before.containers[0], "`api` is as it was");
    assert_ne!(now.containers[1], before.containers[1]);
    assert_eq!(now.specs.len(), 2);
    case.goal.select.services = Vec::new();
    case.config.services.remove("web");
    release(&mut case, "r3", "api", "v2");
    let [.., now] = remembered(&mut case, "h1") else { panic!() };
    assert_eq!(now.changed, ["api", "web"]);
    assert_eq!(now.containers.len(), 1);
}

#[test]
fn hosts_remember_as_many_releases_as_they_keep_containers_and_the_images_of_those() {
    let mut case = remembering();
    case.config.deploy.keep = 1;
    // Each release changes one service only, so that containers are kept for longer than releases are.
    case.image("api", "v1");
    case.service("api", |_| {});
    release(&mut case, "r1", "web", "v1");
    release(&mut case, "r2", "web", "v2");
    assert_eq!(ids(&mut case, "h1"), ["r1", "r2"]);
    let plan = release(&mut case, "r3", "web", "v3");
    let images: Vec<_> =
        ["h1", "h2", "h3"].map(|host| (host.to_owned(), vec!["shop.web:v1".to_owned()])).into();
    assert_eq!((ids(&mut case, "h1"), removed(&plan)), (vec!["r2".into(), "r3".into()], images));
    // Without its containers, that a release needs an image is all that holds it.
    for host in ["h1", "h2", "h3"] {
        case.seen(host).containers.retain(|c| c.state.is_up());
    }
    let plan = release(&mut case, "r4", "api", "v2");
    assert_eq!(removed(&plan)[0].1, ["shop.web:v2"], "the release that needed it is forgotten");
    assert_eq!(ids(&mut case, "h1"), ["r3", "r4"]);
    let plan = release(&mut case, "r5", "api", "v3");
    assert_eq!(removed(&plan)[0].1, ["shop.api:v1"], "and not `v3` of `web`, which runs");
}

#[test]
fn where_an_image_can_be_pulled_is_remembered_while_it_is_needed() {
    let mut case = remembering();
    case.goal.push_scope = cloudpad_plugin_api::PushScope::Shared;
    let plan = release(&mut case, "r1", "web", "v1");
    let push = plan.actions.iter().find(|action| action.key.starts_with("push/")).unwrap().id;
    let from = |case: &mut Case| remembered(case, "h1").last().unwrap().images["shop.web:v1"].clone();
    let told = plan.actions.iter().find_map(|action| match &action.request {
        Request::DeployRecord(record) => record.release.as_ref(),
        _ => None,
    });
    let open = ImageRef::PushedBy { pushed_by: push };
    assert_eq!(told.unwrap().images["shop.web:v1"], open, "for the executor to fill in");
    let known = ImageRef::Known("registry.test/shop.web@sha256:1".into());
    for host in ["h1", "h2", "h3"] {
        let releases = case.seen(host).releases.as_mut().unwrap();
        releases[0].images.insert("shop.web:v1".into(), known.clone());
    }
    case.service("web", |service| _ = service.env.insert("A".into(), "1".into()));
    release(&mut case, "r2", "web", "v1");
    assert_eq!(from(&mut case), known, "nothing was pushed this time");
}

/// The hosts that the newest record of `host` names, with their last releases.
fn presence(case: &mut Case, host: &str) -> Vec<String> {
    let Some(release) = remembered(case, host).last() else { return Vec::new() };
    release
        .hosts
        .iter()
        .map(|(name, presence)| format!("{name} {} {}", presence.address, presence.release))
        .collect()
}

#[test]
fn a_few_records_say_where_else_the_project_is() {
    let mut case = remembering();
    case.host("h4", &[]);
    case.seen("h4").releases = Some(Vec::new());
    case.host("h5", &["other"]);
    case.seen("h5").releases = Some(Vec::new());
    case.service("web", |web| web.hosts = ["h1", "h2", "h3", "h4"].map(str::to_owned).to_vec());
    case.deploy();
    let all = ["h1 h1.test r1", "h2 h2.test r1", "h3 h3.test r1", "h4 h4.test r1"];
    for host in ["h1", "h2", "h3"] {
        assert_eq!(presence(&mut case, host), all, "{host}");
    }
    assert!(presence(&mut case, "h4").is_empty(), "it is enough that three know");
    // A release of one host says what is known of the others, though they were not looked at.
    case.goal.select.hosts = vec!["h1".into()];
    case.observed.hosts.retain(|host, _| host == "h1");
    release(&mut case, "r2", "web", "v2");
    assert_eq!(presence(&mut case, "h1"), ["h1 h1.test r2", all[1], all[2], all[3]]);
}

#[test]
fn a_host_from_which_all_goes_is_in_no_later_record() {
    let mut case = remembering();
    case.deploy();
    case.service("web", |web| web.hosts = vec!["h1".into(), "h2".into()]);
    case.goal.release = "r2".into();
    case.deploy();
    assert_eq!(presence(&mut case, "h3"), ["h1 h1.test r1", "h2 h2.test r1"]);
    assert_eq!(ids(&mut case, "h1"), ["r1"]);
}
