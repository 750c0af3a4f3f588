//! A container that Cloudpad has to ask whether it serves: until it has, its name says so.

use std::sync::Arc;

use cloudpad_plugin_api::model::{Check, Port, Restart};
use cloudpad_plugin_api::stage::deploy::{Start, State};
use serde_json::json;

use crate::world::{World, health};

const SERVER: &str = "exec httpd -f -p 8080 -h /www";

fn check(path: &str) -> Option<cloudpad_plugin_api::model::Health> {
    health(Check::Http { port: 8080, path: path.into() })
}

/// A request for a server that is asked for `/up`.
fn request(world: &World, script: &str) -> Start {
    let mut spec = world.script(script);
    spec.health = check("/up");
    world.start_request("web", spec)
}

/// The name that the engine knows a container by.
fn name(world: &World, id: &str) -> String {
    let found = world.engine(async |docker| docker.inspect_container(id, None).await.unwrap());
    found.name.unwrap().trim_start_matches('/').to_owned()
}

fn provisional(request: &Start) -> String {
    format!("{}.unproven", request.container)
}

#[test]
fn it_has_a_provisional_name_until_it_has_served() {
    let world = World::new("proof");
    let request = request(&world, SERVER);
    let made = world.start(&request).unwrap();
    assert_eq!(name(&world, &made.id), provisional(&request));
    assert_eq!(world.state(&request.container), Some(State::Starting));
    let again = world.start(&request).unwrap();
    assert_eq!((again.created, &again.id), (false, &made.id));

    world.ready(&request.container, check("/up")).unwrap();
    assert_eq!(name(&world, &made.id), request.container);
    assert_eq!(world.state(&request.container), Some(State::Running));
    world.ready(&request.container, check("/up")).unwrap();
    let again = world.start(&request).unwrap();
    assert_eq!((again.created, &again.id), (false, &made.id));
    assert_eq!(world.state(&request.container), Some(State::Running));
}

#[test]
fn one_that_is_started_again_has_to_serve_again() {
    let world = World::new("reproof");
    let request = request(&world, SERVER);
    let made = world.start(&request).unwrap();
    for proven in [false, true] {
        if proven {
            world.ready(&request.container, check("/up")).unwrap();
        }
        world.stop(&request.container).unwrap();
        assert_eq!(world.state(&request.container), Some(State::Stopped));
        let again = world.start(&request).unwrap();
        assert_eq!((again.created, &again.id), (false, &made.id));
        assert_eq!(name(&world, &made.id), provisional(&request));
        assert_eq!(world.state(&request.container), Some(State::Starting));
    }
    world.stop(&request.container).unwrap();
    world.remove(&[&request.container], &[]).unwrap();
    assert_eq!(world.state(&request.container), None);
}

#[test]
fn one_that_does_not_serve_keeps_the_name_and_is_quoted() {
    let world = World::new("unproven");
    let mut request = request(&world, "echo cannot bind; exec sleep 600");
    let id = world.start(&request).unwrap().id;
    let failure = world.ready_within(&request.container, check("/up"), 500).unwrap_err();
    let [refused, last] = failure.causes.as_slice() else { panic!("{failure}") };
    assert!(refused.contains("Connection refused") && last == "cannot bind", "{failure}");
    assert!(failure.message.contains(&format!("`{}`", request.container)), "{failure}");
    assert_eq!(name(&world, &id), provisional(&request));
    world.stop(&request.container).unwrap();

    request.container += "-2";
    request.spec = world.script("echo goodbye; sleep 0.2; exit 3").into();
    let spec = Arc::make_mut(&mut request.spec);
    (spec.restart, spec.health) = (Restart::No, check("/up"));
    world.start(&request).unwrap();
    let failure = world.ready(&request.container, check("/up")).unwrap_err();
    assert!(failure.message.contains("ended with exit code 3"), "{failure}");
    assert_eq!(failure.causes, ["goodbye"]);
}

#[test]
fn it_is_found_by_its_services_name_before_and_after() {
    let world = World::new("alias");
    let mut request = request(&world, SERVER);
    Arc::make_mut(&mut request.spec).networks = vec![world.project.name.clone()];
    world.start(&request).unwrap();
    for again in ["first", "second"] {
        let mut client = world.script("exec wget -q -O /dev/null http://web:8080/up");
        (client.networks, client.restart) = (request.spec.networks.clone(), Restart::No);
        let id = world.start(&world.start_request(again, client)).unwrap().id;
        let code = world.engine(async |docker| {
            use futures_util::StreamExt;
            docker.wait_container(&id, None).next().await.unwrap().map(|ended| ended.status_code)
        });
        assert_eq!(code.ok(), Some(0), "{again}");
        world.ready(&request.container, check("/up")).unwrap();
    }
}

/// A world with a connection of its own, so that no other test's look is taken for its own.
fn alone(name: &str, number: u32) -> World {
    let mut world = World::new(name);
    world.config = json!({ "connect_timeout": number });
    world
}

#[test]
fn of_two_that_are_the_same_the_proven_one_stays() {
    let world = alone("twice", 71);
    let ours = request(&world, SERVER);
    let id = world.start(&ours).unwrap().id;
    // Without a check it gets its own name at once: as if somebody else had made and proven it meanwhile.
    let mut theirs = ours.clone();
    Arc::make_mut(&mut theirs.spec).health = None;
    let stays = world.start(&theirs).unwrap();
    assert!(stays.created && stays.id != id);
    world.ready(&ours.container, check("/up")).unwrap();
    let seen = world.observe().containers;
    assert_eq!(
        seen.iter().map(|seen| (&seen.id, seen.state)).collect::<Vec<_>>(),
        [(&stays.id, State::Running)]
    );
}

#[test]
fn one_that_somebody_else_has_made_since_the_look_is_taken() {
    let world = alone("since", 72);
    let mut ours = request(&world, SERVER);
    let ip = Some("127.0.0.1".to_owned());
    Arc::make_mut(&mut ours.spec).ports =
        vec![Port { host_ip: ip, published: 18_475, target: 8080, protocol: Default::default() }];
    world.observe();
    let mut theirs = ours.clone();
    Arc::make_mut(&mut theirs.spec).health = None;
    let made = world.start(&theirs).unwrap();
    let taken = world.start(&ours).unwrap();
    assert_eq!((taken.created, &taken.id), (false, &made.id));
    assert_eq!(world.observe().containers.len(), 1);
}
