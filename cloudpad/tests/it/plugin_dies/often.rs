//! A plugin that dies again and again, and one that dies over one of three hosts only.

use super::scene::Scene;
use crate::support::{At, Carrier, Death};

/// More than any deploy has calls.
const ALWAYS: u32 = 99;

#[test]
fn one_that_dies_when_it_is_asked_for_the_first_time_is_told_and_nothing_is_touched() {
    let scene = Scene::beside("diesfirst", Carrier::Library);
    let death = Death { method: "config.check", host: None, at: At::Answer, times: ALWAYS, alone: false };
    scene
        .deploy_with(&death, 2)
        .says("plugin `ssh` (`/")
        .says("was killed by signal 9 (SIGKILL) during `config.check`");
    assert_eq!(scene.project.all_containers(), scene.before);
    scene.the_next_deploy_repairs_it();
}

#[test]
fn one_that_dies_in_every_start_is_not_started_for_ever() {
    let scene = Scene::in_place("diesalways", "batch = \"100%\"\n");
    let death = Death { method: "deploy.start", host: None, at: At::Answer, times: ALWAYS, alone: true };
    // Once on each host, and once more when the old ones are to be brought back.
    let deploy = scene.deploy_with(&death, 1);
    let ends = ["start", "killed"].map(|word| scene.plugin.logged(word).len());
    assert_eq!(ends, [4, 4], "{}\n{:#?}", deploy.text(), scene.plugin.log());
    assert_eq!(deploy.report()["ending"], "failed", "{}", deploy.text());
    deploy
        .says("plugin `ssh` (`/")
        .says("has ended 4 times in this run, and is not started again")
        .says("was killed by signal 9 (SIGKILL)");
    scene.the_next_deploy_repairs_it();
}

#[test]
fn where_it_dies_over_one_host_the_others_are_looked_at_and_updated() {
    let skip = "unreachable = \"skip\"\n";
    let scene = Scene::new("diesone", Carrier::Program, |_| String::new(), skip);
    let death =
        Death { method: "deploy.observe", host: Some("h2"), at: At::Answer, times: ALWAYS, alone: true };
    let deploy = scene.deploy_with(&death, 1);
    assert_eq!(deploy.report()["ending"], "incomplete", "{}", deploy.text());
    assert_eq!([1, 2, 3].map(|number| scene.pages(number)), [["two"], ["one"], ["two"]]);
    assert!(deploy.stdout.contains("host `h2` cannot be looked at: plugin `ssh` (`/"), "{}", deploy.text());
    scene.the_next_deploy_repairs_it();
}

#[test]
fn where_it_dies_over_one_host_the_others_finish_what_they_have_begun() {
    let policy = "batch = \"100%\"\non_failure = \"stop\"\n";
    let scene = Scene::new("diesamong", Carrier::Program, |_| String::new(), policy);
    let death = Death { method: "deploy.start", host: Some("h2"), at: At::Answer, times: 1, alone: true };
    let deploy = scene.deploy_with_victim(&death, 1, "unknown");
    assert_eq!(deploy.report()["ending"], "failed", "{}", deploy.text());
    let mut victim = scene.pages(2);
    victim.sort();
    assert_eq!([scene.pages(1), victim, scene.pages(3)], [vec!["two"], vec!["one", "two"], vec!["two"]]);
    scene.the_next_deploy_repairs_it();
}
