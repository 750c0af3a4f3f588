//! Services that come ahead of the jobs that depend on them, and what an undo leaves of them.

use std::collections::BTreeSet;

use cloudpad_plugin_api::stage::deploy::State;

use super::jobs::job;
use super::kit::*;
use super::sim::{Sim, running};
use crate::config::{Image, Job, JobOf, Update, When};
use crate::plan::{self, Failed, Plan};
use crate::words;

/// `web` on h1 with `migrate` before it, which depends on `db` on h2; the image of `db` is not built.
fn first() -> Case {
    let mut case = case();
    case.config.hosts.truncate(2);
    case.service("web", |web| web.hosts = vec!["h1".into()]);
    case.config.images.insert("db".into(), Image::Ready { reference: "db:1".into() });
    case.service("db", |db| (db.hosts, db.update) = (vec!["h2".into()], Update::StopFirst));
    let migrate = Job { depends_on: vec!["db".into()], ..job(When::Before) };
    case.config.jobs.insert("migrate".into(), migrate);
    case
}

/// The undo of a plan that has failed with its first action whose key begins like that, and what runs after it.
fn fail(case: &Case, plan: &Plan, key: &str) -> (Plan, BTreeSet<(String, String)>) {
    let fails = plan.actions.iter().find(|action| action.key.starts_with(key)).unwrap();
    let mut sim = Sim::new(case);
    plan.actions[..fails.id as usize].iter().for_each(|action| sim.apply(action).unwrap());
    sim.fail(fails);
    let failed = Failed { plan, begun: &(0..=fails.id).collect(), unknown: &[fails.id].into() };
    let undo =
        plan::undo(&failed, &case.observed, &sim.observed, &case.config, &case.inventory(), &case.goal);
    undo.actions.iter().for_each(|action| sim.apply(action).unwrap());
    (undo, running(&sim.observed))
}

fn names(running: &BTreeSet<(String, String)>) -> Vec<&str> {
    running.iter().map(|(_, name)| name.rsplit_once('-').unwrap().0).collect()
}

#[test]
fn it_serves_before_the_job_and_all_else_comes_after() {
    let plan = first().plan();
    check(
        &plan,
        "
        create db.1 on h2
        create web.1 on h1
        0 pull/h2/db:1
        1 fetch/./r1
        2 build/shop.web:v1 < 1
        3 start/h2/shop-db-1-#1 < 0 2
        4 ready/h2/shop-db-1-#1 < 3
        5 push/h1/shop.web:v1 < 2
        6 job/h1/shop.migrate.r1 < 4 5
        7 start/h1/shop-web-1-#2 < 5 6
        8 ready/h1/shop-web-1-#2 < 7
        9 remove/h1 < 8
        ",
    );
    let told = words::plan(&plan);
    assert!(told.contains("  run migrate (when db serves) on h1\n"), "{told}");
}

#[test]
fn where_it_is_as_it_should_be_the_job_waits_for_nothing() {
    let mut case = first();
    case.deploy();
    case.image("web", "v2");
    let plan = case.plan();
    assert!(!text(&plan).contains("db"), "{}", text(&plan));
    case.config.images.insert("db".into(), Image::Ready { reference: "db:2".into() });
    let told = text(&case.plan());
    let at = |key: &str| told.find(key).unwrap_or_else(|| panic!("{key} in {told}"));
    assert!(at("stop/h2/shop-db") < at("job/h1") && at("ready/h2/shop-db") < at("job/h1"));
    case.image("web", "v1");
    assert!(!text(&case.plan()).contains("job/"), "no job is called for");
}

#[test]
fn each_job_waits_for_its_own_and_these_for_the_jobs_before() {
    let mut case = first();
    case.config.images.insert("cache".into(), Image::Ready { reference: "cache:1".into() });
    case.service("cache", |cache| cache.hosts = vec!["h2".into()]);
    let seed = Job { depends_on: vec!["cache".into(), "db".into()], ..job(When::Before) };
    case.config.jobs.insert("seed".into(), seed);
    check(
        &case.plan(),
        "
        create db.1 on h2
        create cache.1 on h2
        create web.1 on h1
        0 pull/h2/db:1
        1 fetch/./r1
        2 build/shop.web:v1 < 1
        3 start/h2/shop-db-1-#1 < 0 2
        4 ready/h2/shop-db-1-#1 < 3
        5 push/h1/shop.web:v1 < 2
        6 job/h1/shop.migrate.r1 < 4 5
        7 pull/h2/cache:1
        8 start/h2/shop-cache-1-#2 < 6 7
        9 ready/h2/shop-cache-1-#2 < 8
        10 job/h1/shop.seed.r1 < 5 6 9
        11 start/h1/shop-web-1-#3 < 5 10
        12 ready/h1/shop-web-1-#3 < 11
        13 remove/h1 < 12
        ",
    );
}

#[test]
fn what_needs_a_port_of_it_still_waits_for_the_job() {
    let mut case = first();
    case.service("web", |web| web.hosts = vec!["h2".into()]);
    case.service("db", |db| db.ports = vec![ports(80, 80)]);
    case.deploy();
    case.service("db", |db| db.ports.clear());
    case.service("web", |web| web.ports = vec![ports(80, 80)]);
    let plan = case.plan();
    let find = |key: &str| plan.actions.iter().find(|action| action.key.starts_with(key)).unwrap();
    let (job, stop) = (find("job/").id, find("stop/h2/shop-web").id);
    assert!(plan.actions[stop as usize].needs.contains(&job), "{}", text(&plan));
    // The other way round each waits for the other.
    case.deploy();
    case.service("web", |web| web.ports.clear());
    case.service("db", |db| db.ports = vec![ports(80, 80)]);
    let problems = case.problems();
    let told = "containers of `db`, `web` need ports or volumes that the others still hold";
    assert_eq!(problems, [told]);
}

#[test]
fn a_job_that_fails_leaves_it_as_it_is_and_says_so() {
    let case = first();
    let plan = case.plan();
    let (undo, running) = fail(&case, &plan, "job/");
    let notes: Vec<_> = undo.notes.iter().map(|note| (&*note.message, note.incomplete)).collect();
    let job = ("job `migrate` has run, and what it did is not taken back", false);
    let db = ("`db` stays as it is now, since job `migrate` has begun to work with it", true);
    assert_eq!(notes, [job, db]);
    assert_eq!((undo.actions.len(), names(&running)), (0, vec!["shop-db-1"]));
    let (_, running) = fail(&case, &plan, "ready/h1/");
    assert_eq!(names(&running), ["shop-db-1"], "the job's work is there");
}

#[test]
fn what_fails_before_the_job_is_taken_back() {
    let case = first();
    let (undo, running) = fail(&case, &case.plan(), "ready/h2/");
    assert_eq!((undo.notes.len(), running.len()), (0, 0), "{:?}", undo.notes);
}

#[test]
fn a_job_that_still_runs_keeps_what_it_has_begun_with() {
    let mut case = first();
    let plan = case.plan();
    let mut sim = Sim::new(&case);
    let until = plan.actions.iter().take_while(|action| !action.key.starts_with("start/h1"));
    until.for_each(|action| sim.apply(action).unwrap());
    case.observed = sim.observed;
    let left = &mut case.seen("h1").one_offs[0];
    (left.state, left.exit_code) = (State::Running, None);
    case.config.images.insert("db".into(), Image::Ready { reference: "db:2".into() });
    case.goal.release = "r2".into();
    let plan = case.plan();
    let at = |key: &str| plan.actions.iter().position(|action| action.key.starts_with(key)).unwrap();
    assert!(at("job/h1/shop.migrate.r1") < at("stop/h2/shop-db"), "{}", text(&plan));
    let (_, running) = fail(&case, &plan, "ready/h2/");
    assert_eq!(running, super::sim::running(&case.observed), "nothing is kept of what came after it");
}

#[test]
fn one_with_an_image_of_its_own_may_depend_on_any() {
    let mut case = first();
    let of = JobOf::Image("tool".into());
    case.image("tool", "v1");
    let tool = Job { of, depends_on: vec!["db".into(), "web".into()], ..job(When::Before) };
    case.config.jobs = [("tool".to_owned(), tool)].into();
    let told = text(&case.plan());
    assert!(told.find("job/").unwrap() > told.find("ready/h1/").unwrap(), "{told}");
}

#[test]
fn a_selection_does_not_move_a_job_away_from_what_it_depends_on() {
    let mut case = first();
    case.service("web", |web| web.hosts = Vec::new());
    case.service("db", |db| db.hosts = vec!["h1".into()]);
    case.deploy();
    case.image("web", "v2");
    case.goal.release = "r2".into();
    case.goal.select.hosts = vec!["h2".into()];
    let told = "job `migrate` cannot run on `h2`, since `db`, on which it depends, is not there: it runs on `h1`, which is not \
                selected or cannot be reached";
    assert_eq!(case.problems(), [told]);
    case.goal.select.hosts.push("h1".into());
    assert!(text(&case.plan()).contains("job/h1/shop.migrate.r2"));
    // Where it is on all hosts, it runs on any of them.
    case.goal.select.hosts = vec!["h2".into()];
    case.service("db", |db| db.hosts = Vec::new());
    assert!(text(&case.plan()).contains("job/h2/shop.migrate.r2"));
    // And a job that needs nothing does so ever.
    case.service("db", |db| db.hosts = vec!["h1".into()]);
    case.config.jobs.get_mut("migrate").unwrap().depends_on.clear();
    assert!(text(&case.plan()).contains("job/h2/shop.migrate.r2"));
}
