//! Containers that serve no more are told, where one asks.

use cloudpad_plugin_api::model::Check;
use cloudpad_plugin_api::stage::deploy::{Observation, State};

use crate::world::{World, health};

fn told(seen: Observation) -> (State, bool, Option<String>) {
    let [container] = &seen.containers[..] else { panic!("{:?}", seen.containers) };
    (container.state, container.status.healthy, container.status.reason.clone())
}

/// A server that is asked like this, and has served.
fn server(world: &World, check: Check) -> String {
    let mut spec = world.script("httpd -p 8080 -h /www; exec sleep 600");
    spec.health = health(check);
    let name = world.run("web", spec.clone());
    world.ready(&name, spec.health).unwrap();
    name
}

#[test]
fn a_page_that_is_gone_is_told_with_what_came_instead_and_a_fresh_start_is_given_time() {
    let world = World::new("checkup");
    let name = server(&world, Check::Http { port: 8080, path: "/up".into() });
    assert_eq!(told(world.check_up(0)), (State::Running, true, None));
    world.exec(&name, &["busybox", "rm", "/www/up"]);
    assert_eq!(told(world.observe()), (State::Running, false, None), "nobody has asked");
    let reason = Some("`GET /up` on port 8080 answered 404".to_owned());
    assert_eq!(told(world.check_up(0)), (State::Unhealthy, false, reason.clone()));
    assert_eq!(told(world.check_up(3_600_000)), (State::Starting, false, reason));
    world.exec(&name, &["busybox", "touch", "/www/up"]);
    assert_eq!(told(world.check_up(0)), (State::Running, true, None));
}

#[test]
fn a_port_on_which_nobody_listens_any_more_is_told_and_so_is_what_never_served_in_its_time() {
    let world = World::new("checkport");
    let name = server(&world, Check::Tcp { port: 8080 });
    world.exec(&name, &["busybox", "killall", "httpd"]);
    let reason = Some("nothing listens on port 8080 in the container".to_owned());
    assert_eq!(told(world.check_up(0)), (State::Unhealthy, false, reason.clone()));
    world.stop(&name).unwrap();
    assert_eq!(told(world.check_up(0)), (State::Stopped, false, None));
    let mut spec = world.script("exec sleep 600");
    spec.health = health(Check::Tcp { port: 8080 });
    let mut request = world.start_request("never", spec);
    request.container += "-never";
    world.start(&request).unwrap();
    for (within, state) in [(3_600_000, State::Starting), (0, State::Unhealthy)] {
        let mut seen = world.check_up(within).containers.into_iter();
        let seen = seen.find(|c| c.name == request.container).unwrap();
        assert_eq!((seen.state, seen.status.reason), (state, reason.clone()));
    }
}
