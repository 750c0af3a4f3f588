//! What a deploy does to the containers of a few hosts, as text.

use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::Instance;
use cloudpad_plugin_api::stage::deploy::State;

use super::kit::*;
use super::sim::kill;
use crate::config::{Amount, Count, MountMode, Unreachable};

#[test]
fn a_first_deploy_builds_once_and_goes_from_host_to_host() {
    let mut case = case();
    check(
        &case.deploy(),
        "
        create web.1 on h1
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
        ",
    );
    assert!(case.plan().is_empty());
}

#[test]
fn a_new_image_starts_beside_the_old_one() {
    let mut case = case();
    case.deploy();
    case.image("web", "v2");
    check(
        &case.deploy(),
        "
        start-first web.1 on h1 image
        start-first web.1 on h2 image
        start-first web.1 on h3 image
        0 fetch/./r1
        1 build/shop.web:v2 < 0
        2 push/h1/shop.web:v2 < 1
        3 start/h1/shop-web-1-#1 < 2
        4 ready/h1/shop-web-1-#1 < 3
        5 stop/h1/shop-web-1-#2 < 4
        6 push/h2/shop.web:v2 < 1
        7 start/h2/shop-web-1-#1 < 5 6
        8 ready/h2/shop-web-1-#1 < 7
        9 stop/h2/shop-web-1-#2 < 8
        10 push/h3/shop.web:v2 < 1
        11 start/h3/shop-web-1-#1 < 9 10
        12 ready/h3/shop-web-1-#1 < 11
        13 stop/h3/shop-web-1-#2 < 12
        ",
    );
    assert!(case.plan().is_empty());
}

#[test]
fn a_changed_variable_is_named_and_needs_no_image() {
    let mut case = case();
    case.service("web", |web| _ = web.env.insert("DEBUG".into(), "1".into()));
    case.deploy();
    case.config.deploy.batch = Amount::Percent(100);
    case.service("web", |web| _ = web.env.insert("DEBUG".into(), "0".into()));
    check(
        &case.plan(),
        "
        start-first web.1 on h1 env.DEBUG
        start-first web.1 on h2 env.DEBUG
        start-first web.1 on h3 env.DEBUG
        0 start/h1/shop-web-1-#1
        1 ready/h1/shop-web-1-#1 < 0
        2 stop/h1/shop-web-1-#2 < 1
        3 start/h2/shop-web-1-#1
        4 ready/h2/shop-web-1-#1 < 3
        5 stop/h2/shop-web-1-#2 < 4
        6 start/h3/shop-web-1-#1
        7 ready/h3/shop-web-1-#1 < 6
        8 stop/h3/shop-web-1-#2 < 7
        ",
    );
}

#[test]
fn no_more_are_stopped_at_once_than_may_be_missing() {
    let mut case = case();
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.deploy();
    case.image("web", "v2");
    case.config.deploy.batch = Amount::Count(3);
    case.config.deploy.min_healthy = Amount::Count(2);
    kill(case.seen("h3"), &instance("web", 1));
    check(
        &case.plan(),
        "
        create web.1 on h3
        stop-first web.1 on h1 image
        stop-first web.1 on h2 image
        0 fetch/./r1
        1 build/shop.web:v2 < 0
        2 push/h3/shop.web:v2 < 1
        3 start/h3/shop-web-1-#1 < 2
        4 ready/h3/shop-web-1-#1 < 3
        5 push/h1/shop.web:v2 < 1
        6 stop/h1/shop-web-1-#2 < 4 5
        7 start/h1/shop-web-1-#1 < 6
        8 ready/h1/shop-web-1-#1 < 7
        9 push/h2/shop.web:v2 < 1
        10 stop/h2/shop-web-1-#2 < 8 9
        11 start/h2/shop-web-1-#1 < 10
        12 ready/h2/shop-web-1-#1 < 11
        ",
    );
}

#[test]
fn what_does_not_serve_yet_is_waited_for_before_others_are_stopped() {
    let mut case = case();
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.deploy();
    // The first host already has the new one, which does not serve yet.
    case.image("web", "v2");
    case.goal.select.hosts = vec!["h1".into()];
    case.deploy();
    case.goal.select.hosts.clear();
    case.seen("h1").containers.iter_mut().filter(|c| c.state.is_up()).for_each(|c| c.state = State::Starting);
    case.config.deploy.min_healthy = Amount::Count(2);
    check(
        &case.plan(),
        "
        await web.1 on h1
        stop-first web.1 on h2 image
        stop-first web.1 on h3 image
        0 ready/h1/shop-web-1-#1
        1 push/h2/shop.web:v2
        2 stop/h2/shop-web-1-#2 < 0 1
        3 start/h2/shop-web-1-#1 < 2
        4 ready/h2/shop-web-1-#1 < 3
        5 push/h3/shop.web:v2
        6 stop/h3/shop-web-1-#2 < 2 4 5
        7 start/h3/shop-web-1-#1 < 6
        8 ready/h3/shop-web-1-#1 < 7
        ",
    );
}

#[test]
fn a_container_that_was_killed_is_started_again() {
    let mut case = case();
    case.deploy();
    kill(case.seen("h2"), &instance("web", 1));
    check(
        &case.deploy(),
        "
        start web.1 on h2
        0 start/h2/shop-web-1-#1
        1 ready/h2/shop-web-1-#1 < 0
        ",
    );
    assert!(case.plan().is_empty());
}

#[test]
fn going_back_starts_the_kept_container() {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.deploy();
    case.image("web", "v2");
    case.deploy();
    case.image("web", "v1");
    case.observed.images.get_mut("web").unwrap().built = false;
    check(
        &case.deploy(),
        "
        start-first web.1 on h1 image
        0 start/h1/shop-web-1-#1
        1 ready/h1/shop-web-1-#1 < 0
        2 stop/h1/shop-web-1-#2 < 1
        ",
    );
    assert!(case.plan().is_empty());
}

#[test]
fn an_update_that_was_broken_off_is_finished() {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.deploy();
    let old = case.seen("h1").containers.clone();
    case.image("web", "v2");
    case.deploy();
    case.seen("h1")
        .containers
        .iter_mut()
        .filter(|c| c.id == old[0].id)
        .for_each(|c| c.state = State::Running);
    check(
        &case.plan(),
        "
        start-first web.1 on h1 image
        0 ready/h1/shop-web-1-#1
        1 stop/h1/shop-web-1-#2 < 0
        ",
    );
}

#[test]
fn fewer_instances_and_a_service_that_is_gone() {
    let mut case = case();
    case.image("job", "v1");
    case.service("job", |_| {});
    case.service("web", |web| web.count = Count::Replicas(5));
    case.deploy();
    case.service("web", |web| web.count = Count::Replicas(2));
    case.config.services.remove("job");
    check(
        &case.deploy(),
        "
        remove web.4 on h1
        remove web.5 on h2
        remove web.3 on h3
        remove job.1 on h1
        remove job.1 on h2
        remove job.1 on h3
        0 stop/h1/shop-web-4-#1
        1 stop/h2/shop-web-5-#1
        2 stop/h3/shop-web-3-#1
        3 stop/h1/shop-job-1-#2
        4 stop/h2/shop-job-1-#2
        5 stop/h3/shop-job-1-#2
        6 remove/h1 < 0 1 2 3 4 5
        7 remove/h2 < 6
        8 remove/h3 < 6
        ",
    );
    assert!(case.plan().is_empty());
}

#[test]
fn replicas_stay_where_they_are() {
    let mut case = case();
    case.config.deploy.batch = Amount::Count(9);
    case.service("web", |web| web.count = Count::Replicas(2));
    case.deploy();
    case.config.hosts.rotate_left(1);
    assert!(case.plan().is_empty(), "{}", text(&case.plan()));
    case.service("web", |web| web.count = Count::Replicas(4));
    let changes = text(&case.plan());
    // `h3` has none; then `h2` comes first in the inventory.
    assert!(changes.starts_with("create web.4 on h2\ncreate web.3 on h3\n"), "{changes}");
}

#[test]
fn replicas_of_a_host_that_is_away_stay_with_it() {
    let mut case = case();
    case.service("web", |web| web.count = Count::Replicas(3));
    case.deploy();
    case.config.deploy.unreachable = Unreachable::Skip;
    case.unseen("h2");
    check(
        &case.plan(),
        "
        incomplete, note: host `h2` cannot be looked at: no route to `h2`
        ",
    );
}

#[test]
fn replicas_leave_a_host_that_has_lost_the_role() {
    let mut case = case();
    for host in &mut case.config.hosts {
        host.roles = vec!["web".into()];
    }
    case.service("web", |web| {
        web.count = Count::Replicas(3);
        web.roles = vec!["web".into()];
    });
    case.deploy();
    case.config.hosts[0].roles.clear();
    check(
        &case.plan(),
        "
        create web.1 on h2
        remove web.1 on h1
        0 start/h2/shop-web-1-#1
        1 ready/h2/shop-web-1-#1 < 0
        2 stop/h1/shop-web-1-#1 < 1
        3 remove/h1 < 2
        ",
    );
}

#[test]
fn older_containers_and_their_images_are_removed() {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.config.deploy.keep = 1;
    for version in ["v1", "v2"] {
        case.image("web", version);
        case.deploy();
    }
    // The latter is no container's; but another environment may be about to run it.
    case.seen("h1").images.splice(0..0, ["other:v9".into(), "shop.web:theirs".into()]);
    case.image("web", "v3");
    check(
        &case.deploy(),
        "
        start-first web.1 on h1 image
        0 fetch/./r1
        1 build/shop.web:v3 < 0
        2 push/h1/shop.web:v3 < 1
        3 start/h1/shop-web-1-#1 < 2
        4 ready/h1/shop-web-1-#1 < 3
        5 stop/h1/shop-web-1-#2 < 4
        6 remove/h1 < 5
        ",
    );
    assert_eq!(case.seen("h1").images, ["other:v9", "shop.web:theirs", "shop.web:v2", "shop.web:v3"]);
    case.config.deploy.keep = 0;
    check(
        &case.deploy(),
        "
        0 remove/h1
        ",
    );
    assert!(case.plan().is_empty());
}

#[test]
fn what_ran_until_now_is_kept_however_old_it_is() {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.config.deploy.keep = 1;
    for version in ["v1", "v2", "v1", "v3"] {
        case.image("web", version);
        case.deploy();
    }
    let kept = case.seen("h1").containers.iter().map(|c| c.spec.as_ref().unwrap().image.clone());
    assert_eq!(
        kept.collect::<std::collections::BTreeSet<_>>(),
        ["shop.web:v1".into(), "shop.web:v3".into()].into()
    );
}

#[test]
fn a_container_has_its_ports_volumes_and_networks_under_the_projects_name() {
    let mut case = case();
    Arc::make_mut(&mut case.config.project).environment = Some("staging".into());
    case.config.hosts.truncate(1);
    case.service("web", |web| {
        web.count = Count::PerHost(2);
        web.ports = vec![ports(8080, 8089)];
        web.volumes = vec![volume("data", MountMode::ReadOnly)];
        web.networks = vec!["front".into()];
    });
    let plan = case.plan();
    let starts: Vec<_> = plan
        .actions
        .iter()
        .filter_map(|action| match &action.request {
            Request::DeployStart(start) => Some(start),
            _ => None,
        })
        .collect();
    let second = starts[1];
    assert_eq!(second.spec.ports[0].published, 8081);
    assert_eq!(second.spec.volumes[0].source, "shop.staging.data");
    assert!(second.spec.volumes[0].read_only);
    assert_eq!(second.spec.networks, ["shop.staging.front"]);
    assert_eq!(second.spec.image, "shop.web:v1");
    assert_eq!(second.container, format!("shop.staging-web-2-{}", &second.spec_id[..8]));
    assert_eq!(second.spec_id.len(), 12);
}

fn instance(service: &str, number: u32) -> Instance {
    Instance { service: service.into(), number }
}
