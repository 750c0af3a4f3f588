//! What cannot be carried out is refused before anything is touched.

use std::sync::Arc;

use cloudpad_plugin_api::model::{Check, Health, Protocol};
use cloudpad_plugin_api::stage::deploy::PortHeld;
use cloudpad_plugin_api::{Failure, FailureKind};

use super::kit::*;
use crate::config::{Amount, Count, Image, MountMode, Secret, Unreachable};
use crate::observed::HostState;
use crate::plan;

fn held(port: u16, container: &str) -> PortHeld {
    PortHeld { published: port, protocol: Protocol::Tcp, host_ip: None, container: container.into() }
}

#[test]
fn a_port_that_somebody_elses_container_holds() {
    let mut case = case();
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.seen("h2").ports.push(held(8080, "proxy"));
    let message = "port 8080 of `h2` is held by the container `proxy`, which is not the project's";
    assert_eq!(case.problems(), [message]);
    // Another address or protocol is no conflict.
    case.seen("h2").ports[0].protocol = Protocol::Udp;
    assert!(case.try_plan().is_ok());
}

#[test]
fn a_port_that_a_service_holds_which_is_not_selected() {
    let mut case = case();
    case.image("api", "v1");
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.deploy();
    case.service("web", |web| web.ports.clear());
    case.service("api", |api| api.ports = vec![ports(8080, 8080)]);
    case.goal.select.services = vec!["api".into()];
    let problems = case.problems();
    assert_eq!(problems.len(), 3);
    assert!(
        problems[0].starts_with("`api.1` needs a port or volume of `h1` that `shop-web-1-"),
        "{problems:?}"
    );
    case.goal.select.services.clear();
    assert!(case.try_plan().is_ok());
}

#[test]
fn a_port_that_a_renamed_service_holds_is_freed_by_a_deploy_of_all() {
    let mut case = case();
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.deploy();
    let mut web = case.config.services.remove("web").unwrap();
    let hint = |case: &Case| case.try_plan().unwrap_err().remove(0).hint.unwrap();
    case.config.services.insert("www".into(), web.clone());
    case.goal.select.services = vec!["www".into()];
    assert!(hint(&case).contains("`web` is no service any more"), "{}", hint(&case));
    web.ports.clear();
    case.config.services.insert("web".into(), web);
    assert_eq!(hint(&case), "let `web` be part of the deploy too");
    case.config.services.remove("web");
    case.goal.select.services.clear();
    assert!(case.try_plan().is_ok());
}

#[test]
fn a_host_through_which_nobody_can_connect_where_a_container_would_be_asked() {
    let mut case = case();
    let why = Failure::new(FailureKind::Unsupported, "it forwards nothing").hint("let it");
    case.seen("h2").no_connections = Some(why);
    assert!(case.try_plan().is_ok(), "nobody is asked");
    let health = Health { check: Check::Tcp { port: 80 }, interval_ms: 1, timeout_ms: 1, retries: 1 };
    case.service("web", |web| web.health = Some(health.clone()));
    assert_eq!(
        case.problems(),
        ["containers on `h2` cannot be asked whether they serve: it forwards nothing"]
    );
    let check = Check::Command { command: vec!["true".into()] };
    case.service("web", |web| web.health = Some(Health { check, ..health }));
    assert!(case.try_plan().is_ok(), "the engine asks");
}

#[test]
fn two_services_on_one_port_are_said_once_and_not_for_each_host() {
    let mut case = case();
    case.image("api", "v1");
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.service("api", |api| api.ports = vec![ports(8080, 8080)]);
    assert_eq!(case.problems(), ["`api.1` and `web.1` both need port 8080 of `h1`"]);
}

#[test]
fn two_writers_of_one_volume() {
    let mut case = case();
    case.service("web", |web| {
        web.count = Count::PerHost(2);
        web.volumes = vec![volume("data", MountMode::Exclusive)];
    });
    assert_eq!(case.problems(), ["`web.1` and `web.2` would both write to `shop.data` of `h1`"]);
    case.service("web", |web| web.volumes[0].mode = MountMode::Shared);
    assert!(case.try_plan().is_ok());
}

#[test]
fn a_range_with_too_few_ports() {
    let mut case = case();
    case.service("web", |web| {
        web.count = Count::PerHost(3);
        web.ports = vec![ports(8080, 8081)];
    });
    assert_eq!(case.problems(), ["the ports 8080-8081 are too few for instance `web.3`"]);
}

#[test]
fn a_platform_that_the_image_is_not_built_for() {
    let mut case = case();
    let mut image = build_image();
    image.platforms = vec!["linux/arm64".into()];
    case.config.images.insert("web".into(), Image::Built(Box::new(image)));
    for host in ["h1", "h3"] {
        case.seen(host).engine.platform = "linux/arm64/v8".into();
    }
    assert_eq!(case.problems(), ["image `web` is not built for `linux/amd64`, which host `h2` is"]);
}

#[test]
fn hosts_that_are_out_of_sight_are_all_named() {
    let mut case = case();
    case.unseen("h1");
    case.unseen("h3");
    let message = |host| format!("host `{host}` cannot be looked at: no route to `{host}`");
    assert_eq!(case.problems(), [message("h1"), message("h3")]);
    case.goal.select.hosts = vec!["h2".into()];
    assert!(case.try_plan().is_ok());
}

#[test]
fn it_is_not_the_host_that_has_to_be_mended_when_a_plugin_has_crashed() {
    let mut case = case();
    case.unseen("h1");
    let crashed = Failure::new(FailureKind::Crashed, "plugin `x` was killed");
    case.observed.hosts.insert("h3".into(), HostState::Unseen(crashed));
    let down = Failure::new(FailureKind::Unreachable, "no answer").hint("is the host up?");
    case.observed.hosts.insert("h2".into(), HostState::Unseen(down));
    let hints: Vec<_> = case.try_plan().unwrap_err().into_iter().filter_map(|problem| problem.hint).collect();
    assert!(hints[0].starts_with("bring it back"), "{hints:?}");
    assert!(hints[1].starts_with("is the host up?; `--host` selects others"), "{hints:?}");
    assert!(hints[2].starts_with("it was the plugin that failed"), "{hints:?}");
}

#[test]
fn a_host_out_of_sight_is_left_out_where_the_policy_says_so() {
    let mut case = case();
    case.unseen("h3");
    case.config.deploy.unreachable = Unreachable::Skip;
    let plan = case.plan();
    assert_eq!(plan.changes.len(), 2);
    assert!(plan.notes[0].incomplete);
    // Nothing is to run there: it is said, and that is all.
    case.service("web", |web| web.hosts = vec!["h1".into()]);
    case.config.deploy.unreachable = Unreachable::Refuse;
    let plan = case.plan();
    assert_eq!(plan.notes.len(), 1);
    assert!(!plan.notes[0].incomplete);
}

#[test]
fn an_update_that_would_leave_too_few() {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.service("web", |web| web.ports = vec![ports(8080, 8080)]);
    case.deploy();
    case.config.deploy.min_healthy = Amount::Count(1);
    case.image("web", "v2");
    let problems = case.problems();
    assert!(problems[0].starts_with("`web` cannot be updated: 1 of its containers serve"), "{problems:?}");
}

#[test]
fn ports_that_go_round_in_a_ring_one_at_a_time() {
    let mut case = case();
    case.config.hosts.truncate(1);
    case.service("web", |web| {
        web.count = Count::PerHost(2);
        web.ports = vec![ports(8080, 8081)];
    });
    case.deploy();
    // Each has the port that the other should have.
    let seen = case.seen("h1");
    for (container, port) in seen.containers.iter_mut().zip([8081, 8080]) {
        container.name = format!("old-{port}");
        container.spec_id = "other".into();
        Arc::make_mut(container.spec.as_mut().unwrap()).ports[0].published = port;
    }
    seen.ports = vec![held(8080, "old-8080"), held(8081, "old-8081")];
    let problems = case.problems();
    assert_eq!(problems, ["containers of `web` need ports or volumes that the others still hold"]);
    case.config.deploy.batch = Amount::Count(2);
    assert!(case.try_plan().is_ok());
}

#[test]
fn an_image_that_nobody_has_looked_at() {
    let mut case = case();
    case.observed.images.clear();
    assert_eq!(case.problems(), ["it is not known what goes into the image `web`"]);
}

#[test]
fn a_machine_by_two_names() {
    let mut case = case();
    case.deploy();
    case.seen("h3").containers = case.seen("h1").containers.clone();
    let notes = case.plan().notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].message.starts_with("`h3` has the very containers of `h1`"), "{notes:?}");
}

#[test]
fn a_secret_that_nobody_knows_is_told_once_however_many_need_it() {
    let mut case = case();
    case.image("api", "v1");
    let secret = Secret { name: "token".into(), mode: None, uid: None, gid: None };
    for name in ["web", "api"] {
        case.service(name, |service| _ = service.secrets.insert("TOKEN".into(), secret.clone()));
    }
    let scope = plan::scope(&case.config, &case.inventory(), &case.goal.select).unwrap();
    let problems = plan::unknown_secrets(&case.config, &scope, &Default::default());
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.ends_with("knows no secret `token`"), "{problems:?}");
}
