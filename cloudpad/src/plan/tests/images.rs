//! How images get to the hosts, as text.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cloudpad_plugin_api::model::{Check, Health};
use cloudpad_plugin_api::stage::build::Arg;
use cloudpad_plugin_api::{PushScope, Request};

use super::kit::*;
use crate::config::{Config, Image, Service};
use crate::plan::{self, Also, Until, look_hosts, look_images, resolves, scope};

/// `web` begins from the image `base`.
fn with_base() -> Case {
    let mut case = case();
    case.config.hosts.truncate(2);
    case.image("base", "v1");
    let mut web = build_image();
    web.args = BTreeMap::from([("BASE".into(), Arg::Image("base".into()))]);
    case.config.images.insert("web".into(), Image::Built(Box::new(web)));
    case
}

#[test]
fn what_an_image_begins_from_is_built_before_it() {
    let mut case = with_base();
    let plan = case.plan();
    if let Some(Image::Built(web)) = case.config.images.get_mut("web") {
        web.variables = std::mem::take(&mut web.args);
    }
    assert_eq!(text(&case.plan()), text(&plan), "a variable is as good as an argument");
    check(
        &plan,
        "
        create web.1 on h1
        create web.1 on h2
        0 fetch/./r1
        1 build/shop.base:v1 < 0
        2 build/shop.web:v1 < 0 1
        3 push/h1/shop.web:v1 < 2
        4 start/h1/shop-web-1-#1 < 3
        5 ready/h1/shop-web-1-#1 < 4
        6 push/h2/shop.web:v1 < 2
        7 start/h2/shop-web-1-#1 < 5 6
        8 ready/h2/shop-web-1-#1 < 7
        ",
    );
    let Request::BuildRun(run) = &plan.actions[2].request else { panic!("{:?}", plan.actions[2]) };
    assert_eq!(run.bases, BTreeMap::from([("base".to_owned(), "shop.base:v1".to_owned())]));
    assert_eq!(run.also, [format!("shop.web:{}", case.goal.release)]);
}

#[test]
fn an_image_that_is_built_is_not_built_again_nor_its_base() {
    let mut case = with_base();
    case.observed.images.get_mut("web").unwrap().built = true;
    check(
        &case.plan(),
        "
        create web.1 on h1
        create web.1 on h2
        0 push/h1/shop.web:v1
        1 start/h1/shop-web-1-#1 < 0
        2 ready/h1/shop-web-1-#1 < 1
        3 push/h2/shop.web:v1
        4 start/h2/shop-web-1-#1 < 2 3
        5 ready/h2/shop-web-1-#1 < 4
        ",
    );
}

#[test]
fn only_building_builds_whatever_the_hosts_have() {
    let mut case = with_base();
    case.seen("h1").images.push("shop.web:v1".into());
    case.goal.until = Until::Build;
    check(
        &case.plan(),
        "
        0 fetch/./r1
        1 build/shop.base:v1 < 0
        2 build/shop.web:v1 < 0 1
        ",
    );
    case.unseen("h1");
    assert!(case.try_plan().is_ok());
}

#[test]
fn pushing_reaches_the_hosts_that_lack_the_image() {
    let mut case = with_base();
    case.seen("h1").images.push("shop.web:v1".into());
    case.goal.until = Until::Push;
    check(
        &case.plan(),
        "
        0 fetch/./r1
        1 build/shop.base:v1 < 0
        2 build/shop.web:v1 < 0 1
        3 push/h2/shop.web:v1 < 2
        ",
    );
    case.goal.push_scope = PushScope::Shared;
    check(
        &case.plan(),
        "
        0 fetch/./r1
        1 build/shop.base:v1 < 0
        2 build/shop.web:v1 < 0 1
        3 push/shop.web:v1 < 2
        ",
    );
}

#[test]
fn a_tag_that_stands_for_another_image_is_not_trusted() {
    for scope in [PushScope::Host, PushScope::Shared] {
        let mut case = case();
        case.config.hosts.truncate(1);
        case.goal.push_scope = scope;
        case.deploy();
        case.config.services.get_mut("web").unwrap().env.insert("NEW".into(), "1".into());
        let brings = |case: &Case| {
            let plan = case.plan();
            let how = |key: &String| key.starts_with("push/h1/") || key.starts_with("pull/h1/");
            plan.actions.iter().any(|action| how(&action.key))
        };
        assert!(!brings(&case), "a provider that does not look at labels is believed");
        case.seen("h1").built = Some(vec!["shop.web:v1".into()]);
        assert!(!brings(&case));
        case.seen("h1").built = Some(Vec::new());
        assert!(brings(&case));
    }
}

#[test]
fn from_a_registry_each_host_pulls_what_was_pushed_once() {
    let mut case = case();
    case.config.hosts.truncate(2);
    case.goal.push_scope = PushScope::Shared;
    let plan = case.deploy();
    check(
        &plan,
        "
        create web.1 on h1
        create web.1 on h2
        0 fetch/./r1
        1 build/shop.web:v1 < 0
        2 push/shop.web:v1 < 1
        3 pull/h1/shop.web:v1 < 2
        4 start/h1/shop-web-1-#1 < 3
        5 ready/h1/shop-web-1-#1 < 4
        6 pull/h2/shop.web:v1 < 2
        7 start/h2/shop-web-1-#1 < 5 6
        8 ready/h2/shop-web-1-#1 < 7
        ",
    );
    let Request::DeployPull(pull) = &plan.actions[3].request else { panic!("{:?}", plan.actions[3]) };
    assert_eq!(pull.tag.as_deref(), Some("shop.web:v1"));
    assert!(pull.image.get().is_err());
    assert!(case.plan().is_empty());
}

#[test]
fn two_services_of_one_image_bring_it_once() {
    let mut case = case();
    case.config.hosts.truncate(1);
    let web = case.config.services["web"].clone();
    case.config.services.insert("worker".into(), Service { command: Some(vec!["work".into()]), ..web });
    check(
        &case.plan(),
        "
        create web.1 on h1
        create worker.1 on h1
        0 fetch/./r1
        1 build/shop.web:v1 < 0
        2 push/h1/shop.web:v1 < 1
        3 start/h1/shop-web-1-#1 < 2
        4 ready/h1/shop-web-1-#1 < 3
        5 start/h1/shop-worker-1-#2 < 2
        6 ready/h1/shop-worker-1-#2 < 5
        ",
    );
}

#[test]
fn a_ready_image_is_pulled_where_it_is_not_under_any_of_its_names() {
    let mut case = case();
    case.config.hosts.truncate(2);
    case.config.images.insert("web".into(), Image::Ready { reference: "nginx".into() });
    case.seen("h1").images.push("docker.io/library/nginx:latest".into());
    check(
        &case.plan(),
        "
        create web.1 on h1
        create web.1 on h2
        0 start/h1/shop-web-1-#1
        1 ready/h1/shop-web-1-#1 < 0
        2 pull/h2/nginx
        3 start/h2/shop-web-1-#1 < 1 2
        4 ready/h2/shop-web-1-#1 < 3
        ",
    );
}

#[test]
fn a_push_names_what_the_host_has_already() {
    let mut case = with_base();
    case.config.hosts.truncate(1);
    case.seen("h1").images =
        ["other:1", "shop.base:v0", "shop.web:v0", "shop-webber:1"].map(Into::into).into();
    let plan = case.plan();
    let similar = plan.actions.iter().find_map(|action| match &action.request {
        Request::PushRun(run) => Some(run.similar.clone()),
        _ => None,
    });
    assert_eq!(similar.unwrap(), ["shop.web:v0", "shop.base:v0"]);
}

#[test]
fn the_looks_cover_what_is_selected() {
    let mut case = with_base();
    case.config.images.insert("db".into(), Image::Ready { reference: "postgres:16".into() });
    case.service("db", |_| {});
    let inventory = case.inventory();
    let scope = scope(&case.config, &inventory, &case.goal.select).unwrap();
    let cache = std::path::Path::new("/shop/.cloudpad");
    let sources = resolves(&case.config, &scope, cache);
    let [Request::SourceResolve(source)] = sources.as_slice() else { panic!("{sources:?}") };
    assert_eq!((source.name.as_str(), source.cache.to_str()), (".", Some("/shop/.cloudpad/here")));
    let Some(Request::BuildObserve(images)) =
        look_images(&case.config, &scope, &case.observed.sources, cache)
    else {
        panic!("nothing to look at")
    };
    let repositories: Vec<_> = images.recipes.iter().map(|recipe| recipe.repository.as_str()).collect();
    assert_eq!(repositories, ["shop.base", "shop.web"]);
    assert_eq!(look_hosts(&case.config, &inventory, &scope, Also::default()).0.len(), 2);
}

#[test]
fn a_look_asks_about_connections_where_a_container_may_be_asked_through_one() {
    let mut case = case();
    let health = Health { check: Check::Tcp { port: 80 }, interval_ms: 1, timeout_ms: 1, retries: 1 };
    case.service("web", |web| (web.hosts, web.health) = (vec!["h2".into()], Some(health)));
    let inventory = case.inventory();
    let scope = scope(&case.config, &inventory, &case.goal.select).unwrap();
    let (needed, others) = look_hosts(&case.config, &inventory, &scope, Also::default());
    let asked = needed.iter().chain(&others).filter_map(|look| match look {
        Request::DeployObserve(observe) if observe.connects => Some(observe.host.name.as_str()),
        _ => None,
    });
    assert_eq!(asked.collect::<Vec<_>>(), ["h2"]);
}

#[test]
fn a_directory_is_prepared_before_anyone_looks_at_it_and_not_again() {
    let mut case = case();
    let source = case.config.sources.get_mut(Config::HERE).unwrap();
    source.prepare = vec![vec!["make".to_owned()]];
    let cache = Path::new("/cache");
    assert!(plan::prepares(&case.config, &case.observed.sources, cache).is_empty());
    assert!(case.plan().actions.iter().any(|action| action.key == "fetch/./r1"));

    case.observed.sources.get_mut(Config::HERE).unwrap().pinned = false;
    let prepares = plan::prepares(&case.config, &case.observed.sources, cache);
    assert!(matches!(&prepares[..], [Request::SourceFetch(fetch)] if fetch.prepare == [["make"]]));
    assert!(!case.plan().actions.iter().any(|action| action.key.starts_with("fetch")));
}

#[test]
fn specs_without_an_identity_are_compared_one_by_one() {
    let mut case = case();
    case.deploy();
    for (host, variable) in [("h1", "A"), ("h2", "B"), ("h3", "C")] {
        let container = &mut case.seen(host).containers[0];
        container.spec_id.clear();
        Arc::make_mut(container.spec.as_mut().unwrap()).env.insert(variable.into(), "1".into());
    }
    let whys: Vec<_> = case.plan().changes.iter().map(|change| change.why.join(" ")).collect();
    assert_eq!(whys, ["env.A", "env.B", "env.C"]);
}

#[test]
fn what_specs_without_an_identity_say_is_not_taken_for_the_same() {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.deploy();
    case.image("web", "v2");
    case.deploy();
    case.image("web", "v3");
    case.config.deploy.keep = 0;
    case.seen("h1").containers.iter_mut().for_each(|container| container.spec_id.clear());
    let plan = case.plan();
    let Request::DeployRemove(remove) = &plan.actions.last().unwrap().request else { panic!("{plan:#?}") };
    assert_eq!(remove.images, ["shop.web:v1", "shop.web:v2"]);
}
