//! What is not as the request says is left alone, and what the engine refuses is explained.

use cloudpad_plugin_api::FailureKind;
use cloudpad_plugin_api::model::Port;
use cloudpad_plugin_api::stage::deploy::State;

use crate::world::World;

#[test]
fn a_name_taken_by_a_stranger_is_stale_and_the_stranger_lives_on() {
    let world = World::new("taken");
    let request = world.start_request("web", world.script("exec sleep 600"));
    world.foreign(&request.container);
    let failures = [
        world.start(&request).unwrap_err(),
        world.stop(&request.container).unwrap_err(),
        world.remove(&[&request.container], &[]).unwrap_err(),
    ];
    for failure in failures {
        assert_eq!(failure.kind, FailureKind::Stale, "{failure}");
        assert!(failure.message.contains(&request.container), "{failure}");
        assert_eq!(failure.host.as_deref(), Some("here"));
    }
    assert!(world.is_running(&request.container));
}

#[test]
fn the_same_name_with_another_spec_is_stale() {
    let world = World::new("spec");
    let mut request = world.start_request("web", world.script("exec sleep 600"));
    world.start(&request).unwrap();
    request.spec_id = "id2".into();
    assert_eq!(world.start(&request).unwrap_err().kind, FailureKind::Stale);
}

#[test]
fn what_runs_is_not_removed() {
    let world = World::new("runs");
    let name = world.run("web", world.script("exec sleep 600"));
    assert_eq!(world.remove(&[&name], &[]).unwrap_err().kind, FailureKind::Stale);
    assert_eq!(world.state(&name), Some(State::Running));
}

#[test]
fn stopping_or_awaiting_what_is_gone_is_stale() {
    let world = World::new("gone");
    assert_eq!(world.stop("cpt-no-such-container").unwrap_err().kind, FailureKind::Stale);
    assert_eq!(world.ready("cpt-no-such-container", None).unwrap_err().kind, FailureKind::Stale);
}

#[test]
fn a_taken_port_is_named_with_its_holder_and_nothing_is_left() {
    let world = World::new("port");
    let mut spec = world.script("exec sleep 600");
    spec.ports = vec![Port {
        host_ip: Some("127.0.0.1".into()),
        published: 18_472,
        target: 80,
        protocol: Default::default(),
    }];
    let holder = world.run("web", spec.clone());
    let late = world.start_request("late", spec);
    let failure = world.start(&late).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert!(failure.message.contains("port 18472") && failure.message.contains(&holder), "{failure}");
    assert_eq!(world.state(&late.container), None);
}

#[test]
fn a_port_that_another_program_holds_is_named_too() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let world = World::new("listen");
    let mut spec = world.script("exec sleep 600");
    spec.ports = vec![Port {
        host_ip: Some("127.0.0.1".into()),
        published: port,
        target: 80,
        protocol: Default::default(),
    }];
    let failure = world.start(&world.start_request("web", spec)).unwrap_err();
    assert!(failure.message.contains(&format!("port {port}")), "{failure}");
}

#[test]
fn a_missing_image_is_named() {
    let world = World::new("noimage");
    let mut spec = world.script("true");
    spec.image = "cpt-no-such-image:7".into();
    let failure = world.start(&world.start_request("web", spec)).unwrap_err();
    assert!(failure.message.contains("`cpt-no-such-image:7` is not on the host"), "{failure}");
}
