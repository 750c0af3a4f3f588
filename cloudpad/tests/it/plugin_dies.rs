//! A plugin that dies in the middle of a deploy: what is told, what serves meanwhile, and what the next deploy makes of it.
//! The plugin is the shipped `ssh`, as a program or as a library, and it is killed on h2, when h1 has been updated.

mod often;
mod scene;

use crate::support::{At, Carrier, Death, Watch};
use scene::Scene;

/// The hosts that are updated before it dies, or were to be just then.
const UPDATED: [usize; 2] = [1, 2];

const fn on_victim<'a>(method: &'a str, at: At<'a>) -> Death<'a> {
    Death { method, host: Some("h2"), at, times: 1, alone: false }
}

/// It dies on the way, and what ran before runs again.
#[track_caller]
fn is_undone(scene: &Scene, death: &Death<'_>, outcome: &str) {
    let deploy = scene.deploy_with_victim(death, 1, outcome);
    scene.looked_again();
    assert_eq!(deploy.report()["ending"], "undone", "{}", deploy.text());
    scene.is_as_before(&deploy);
    scene.the_next_deploy_repairs_it();
}

/// The same, and at no time nothing serves.
#[track_caller]
fn is_undone_unnoticed(scene: &Scene, death: &Death<'_>, outcome: &str) {
    let watch = Watch::over(&scene.project, &UPDATED);
    is_undone(scene, death, outcome);
    watch.into_iter().for_each(Watch::always_served);
}

fn in_start(carrier: Carrier) {
    let scene = Scene::beside("diesstart", carrier);
    is_undone_unnoticed(&scene, &on_victim("deploy.start", At::Answer), "unknown");
}

fn in_ready(carrier: Carrier) {
    let scene = Scene::beside("diesready", carrier);
    let beginning = scene.once_in("beginning");
    is_undone_unnoticed(&scene, &on_victim("deploy.ready", At::Call(&beginning)), "none");
}

fn in_stop(carrier: Carrier) {
    let scene = Scene::beside("diesstop", carrier);
    let ending = scene.once_in("ending");
    is_undone_unnoticed(&scene, &on_victim("deploy.stop", At::Call(&ending)), "unknown");
}

fn in_remove(carrier: Carrier) {
    let scene = Scene::beside("diesremove", carrier);
    let watch = Watch::over(&scene.project, &UPDATED);
    let deploy = scene.deploy_with_victim(&on_victim("deploy.remove", At::Answer), 1, "unknown");
    // There is nothing to bring back: what is new serves.
    assert_eq!(deploy.report()["ending"], "failed", "{}", deploy.text());
    scene.the_next_deploy_repairs_it();
    watch.into_iter().for_each(Watch::always_served);
}

fn in_observe(carrier: Carrier) {
    let scene = Scene::beside("dieslook", carrier);
    scene.deploy_with_victim(&on_victim("deploy.observe", At::Answer), 2, "none");
    assert_eq!(scene.project.all_containers(), scene.before);
    scene.the_next_deploy_repairs_it();
}

#[test]
fn a_program_dies_in_start() {
    in_start(Carrier::Program);
}

#[test]
fn a_library_dies_in_start() {
    in_start(Carrier::Library);
}

#[test]
fn a_program_dies_in_ready() {
    in_ready(Carrier::Program);
}

#[test]
fn a_library_dies_in_ready() {
    in_ready(Carrier::Library);
}

#[test]
fn a_program_dies_in_stop() {
    in_stop(Carrier::Program);
}

#[test]
fn a_library_dies_in_stop() {
    in_stop(Carrier::Library);
}

#[test]
fn a_program_dies_in_remove() {
    in_remove(Carrier::Program);
}

#[test]
fn a_library_dies_in_remove() {
    in_remove(Carrier::Library);
}

#[test]
fn a_program_dies_in_observe() {
    in_observe(Carrier::Program);
}

#[test]
fn a_library_dies_in_observe() {
    in_observe(Carrier::Library);
}

/// How far the engine comes with it, and when, nobody knows: it may be brought back, or the new one stay beside it.
#[test]
fn it_dies_while_the_engine_makes_the_container() {
    let scene = Scene::beside("diesmade", Carrier::Program);
    let made = scene.once(&format!(
        "[ -n \"$(docker ps -aq --filter status=created --filter status=running --filter label=cloudpad.project={0} --filter name=unproven)\" ]",
        scene.project.name
    ));
    let watch = Watch::over(&scene.project, &UPDATED);
    scene.deploy_with_victim(&on_victim("deploy.start", At::Call(&made)), 1, "unknown");
    scene.looked_again();
    scene.the_next_deploy_repairs_it();
    watch.into_iter().for_each(Watch::always_served);
}

#[test]
fn it_dies_in_the_start_of_what_takes_the_old_ones_port() {
    let scene = Scene::in_place("diesport", "");
    is_undone(&scene, &on_victim("deploy.start", At::Answer), "unknown");
}

#[test]
fn it_dies_while_it_waits_for_what_has_taken_the_old_ones_port() {
    let scene = Scene::in_place("dieswait", "");
    let beginning = scene.once_in("beginning");
    is_undone(&scene, &on_victim("deploy.ready", At::Call(&beginning)), "none");
}

#[test]
fn it_dies_while_it_stops_what_has_the_port() {
    let scene = Scene::in_place("diesfree", "");
    let ending = scene.once_in("ending");
    is_undone(&scene, &on_victim("deploy.stop", At::Call(&ending)), "unknown");
}
