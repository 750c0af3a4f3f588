//! One-off containers: run to their end, once.

use std::sync::Arc;
use std::thread;

use cloudpad_plugin_api::stage::deploy::{OneOff, Ran, State};
use cloudpad_plugin_api::{FailureKind, Outcome};

use crate::world::World;

fn one_offs(world: &World) -> Vec<OneOff> {
    world.observe().one_offs
}

#[test]
fn it_prints_ends_and_is_gone() {
    let world = World::new("once");
    let request = world.run_request("job", "echo one; echo two >&2; echo three; exit 3");
    let ran = world.run_once(&request).unwrap();
    assert_eq!(ran, Ran { exit_code: 3, timed_out: false, found: false });
    let mut lines = world.lines();
    // The engine takes the two streams apart.
    lines.sort();
    assert_eq!(lines, ["one", "three", "two"]);
    let seen = world.observe();
    assert_eq!((seen.one_offs.len(), seen.containers.len()), (0, 0));
    assert_eq!(world.run_once(&request).unwrap().exit_code, 3, "it may run again once it is gone");
}

#[test]
fn the_last_line_is_told_whatever_the_engine_misses() {
    let world = World::new("lastline");
    for round in 0..12 {
        let request = world.run_request("job", &format!("echo begun {round}; printf 'ends {round}'"));
        world.run_once(&request).unwrap();
        let lines = world.lines();
        assert_eq!(lines[2 * round..], [format!("begun {round}"), format!("ends {round}")]);
    }
}

#[test]
fn one_that_is_kept_never_runs_twice() {
    let world = World::new("kept");
    let mut request = world.run_request("job", "echo ran; exit 4");
    request.keep = true;
    assert_eq!(world.run_once(&request).unwrap(), Ran { exit_code: 4, timed_out: false, found: false });
    let seen = one_offs(&world);
    assert_eq!(
        (seen[0].name.as_str(), seen[0].state, seen[0].exit_code),
        (&*request.container, State::Stopped, Some(4))
    );
    assert_eq!(seen[0].labels["cloudpad.job"], "job");
    assert_eq!(world.run_once(&request).unwrap(), Ran { exit_code: 4, timed_out: false, found: true });
    assert_eq!(world.lines(), ["ran", "ran"], "what it has printed is told again");
    assert_eq!(one_offs(&world)[0].id, seen[0].id);
    assert!(world.observe().containers.is_empty(), "it is no instance");
    world.remove(&[&request.container], &[]).unwrap();
    assert!(one_offs(&world).is_empty());
}

#[test]
fn two_requests_for_the_same_run_share_it() {
    let world = Arc::new(World::new("shared"));
    let request = world.run_request("job", "echo begun; while ! test -e /go; do sleep 0.1; done; exit 5");
    let first = thread::spawn({
        let (world, request) = (world.clone(), request.clone());
        move || world.run_once(&request)
    });
    world.await_line("begun");
    assert_eq!(one_offs(&world)[0].state, State::Running);
    let second = thread::spawn({
        let (world, request) = (world.clone(), request.clone());
        move || world.run_once(&request)
    });
    let both = || world.lines().len() == 2;
    while !both() {
        thread::yield_now();
    }
    world.engine(async |docker| {
        let exec = bollard::exec::CreateExecOptions {
            cmd: Some(vec!["sh", "-c", "true > /go"]),
            ..Default::default()
        };
        let exec = docker.create_exec(&request.container, exec).await.unwrap();
        let detached = bollard::exec::StartExecOptions { detach: true, ..Default::default() };
        docker.start_exec(&exec.id, Some(detached)).await.unwrap();
    });
    let (first, second) = (first.join().unwrap().unwrap(), second.join().unwrap().unwrap());
    assert_eq!((first.exit_code, second.exit_code), (5, 5));
    assert_eq!((first.found, second.found), (false, true));
    assert!(one_offs(&world).is_empty());
}

#[test]
fn one_whose_time_is_over_is_stopped_and_removed() {
    let world = World::new("late");
    let mut request = world.run_request("job", "trap 'echo late; exit 0' TERM; echo begun; sleep 600 & wait");
    (request.timeout_ms, request.keep) = (Some(2_000), true);
    let ran = world.run_once(&request).unwrap();
    assert!(ran.timed_out && ran.exit_code == 0, "{ran:?}");
    assert_eq!(world.lines(), ["begun", "late"]);
    assert!(one_offs(&world).is_empty(), "else it would look like one that has ended well");
}

#[test]
fn one_that_is_broken_off_is_cleared_away() {
    let world = Arc::new(World::new("broken-off"));
    let request = world.run_request("job", "echo begun; exec sleep 600");
    let running = thread::spawn({
        let (world, request) = (world.clone(), request.clone());
        move || world.run_once(&request)
    });
    world.await_line("begun");
    world.cancel.cancel();
    let failure = running.join().unwrap().unwrap_err();
    assert_eq!((failure.kind, failure.outcome), (FailureKind::Cancelled, Outcome::Partial));
    assert!(one_offs(&world_like(&world)).is_empty());
}

/// The same world, for one who has not asked to stop.
fn world_like(world: &World) -> World {
    let mut other = World::new("after");
    other.project = world.project.clone();
    other
}

#[test]
fn one_that_cannot_run_leaves_nothing() {
    let world = World::new("cannot");
    let mut request = world.run_request("job", "true");
    let spec = Arc::make_mut(&mut request.spec);
    spec.command = Some(vec!["/no/such/program".into()]);
    let failure = world.run_once(&request).unwrap_err();
    assert!(
        failure.message.starts_with("could not start container `")
            && failure.message.contains("/no/such/program"),
        "{failure}"
    );
    spec_image(&mut request, "cpt-none:1");
    let failure = world.run_once(&request).unwrap_err();
    assert!(failure.message.ends_with("image `cpt-none:1` is not on the host"), "{failure}");
    assert!(one_offs(&world).is_empty());
}

fn spec_image(request: &mut cloudpad_plugin_api::stage::deploy::Run, image: &str) {
    Arc::make_mut(&mut request.spec).image = image.to_owned();
}

#[test]
fn a_name_that_another_container_has_is_left_alone() {
    let world = World::new("taken");
    let mut request = world.run_request("job", "true");
    world.foreign(&request.container);
    assert_eq!(world.run_once(&request).unwrap_err().kind, FailureKind::Stale);
    assert!(world.is_running(&request.container));
    request.container = world.run("web", world.script("exec sleep 600"));
    assert_eq!(
        world.run_once(&request).unwrap_err().kind,
        FailureKind::Stale,
        "an instance is no one-off container"
    );
}

#[test]
fn it_joins_all_its_networks_and_no_services_name_leads_to_it() {
    let world = World::new("once-nets");
    let networks = ["front", "back"].map(|n| format!("{}-{n}", world.project.name));
    let mut request = world.run_request("job", "true");
    request.keep = true;
    Arc::make_mut(&mut request.spec).networks = networks.to_vec();
    assert_eq!(world.run_once(&request).unwrap().exit_code, 0);
    let found =
        world.engine(async |docker| docker.inspect_container(&request.container, None).await.unwrap());
    let joined = found.network_settings.unwrap().networks.unwrap();
    for network in &networks {
        let aliases = joined[network].aliases.clone().unwrap_or_default();
        assert!(!aliases.contains(&"web".to_owned()) && !aliases.contains(&"job".to_owned()), "{aliases:?}");
    }
}
