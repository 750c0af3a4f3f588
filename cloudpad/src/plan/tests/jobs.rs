//! Jobs: when they run, where, and what becomes of those of a deploy that was broken off.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{SecretRef, label};
use cloudpad_plugin_api::stage::deploy::{Run, State};

use super::kit::*;
use super::sim::Sim;
use crate::config::{Job, JobOf, MountMode, RunOn, Secret, When};
use crate::plan::{self, Failed, Plan, Until};

/// A job that runs `command` as a container of service `web`, once.
pub fn job(when: When) -> Job {
    Job {
        of: JobOf::Service("web".into()),
        when,
        depends_on: Vec::new(),
        run: RunOn::Once,
        roles: Vec::new(),
        hosts: Vec::new(),
        command: Some(vec!["migrate".into()]),
        env: BTreeMap::new(),
        secrets: BTreeMap::new(),
        volumes: None,
        networks: None,
        timeout_ms: None,
    }
}

/// `web` on two hosts and `other` on the second, with this job.
fn with(name: &str, job: Job) -> Case {
    let mut case = case();
    case.config.hosts.truncate(2);
    case.image("other", "v1");
    case.service("other", |other| other.hosts = vec!["h2".into()]);
    case.config.jobs.insert(name.into(), job);
    case
}

fn runs(plan: &Plan) -> Vec<&Run> {
    let runs = plan.actions.iter().filter_map(|action| match &action.request {
        Request::DeployRun(run) => Some(run),
        _ => None,
    });
    runs.collect()
}

fn notes(plan: &Plan) -> Vec<&str> {
    plan.notes.iter().map(|note| note.message.as_str()).collect()
}

#[test]
fn one_that_comes_before_runs_before_anything_starts_or_stops() {
    let mut case = with("migrate", job(When::Before));
    case.deploy();
    case.image("web", "v2");
    case.image("other", "v2");
    check(
        &case.plan(),
        "
        start-first other.1 on h2 image
        start-first web.1 on h1 image
        start-first web.1 on h2 image
        0 fetch/./r1
        1 build/shop.web:v2 < 0
        2 push/h1/shop.web:v2 < 1
        3 build/shop.other:v2 < 0
        4 job/h1/shop.migrate.r1 < 2 3
        5 push/h2/shop.other:v2 < 3
        6 start/h2/shop-other-1-#1 < 4 5
        7 ready/h2/shop-other-1-#1 < 6
        8 stop/h2/shop-other-1-#2 < 7
        9 start/h1/shop-web-1-#3 < 2 4
        10 ready/h1/shop-web-1-#3 < 9
        11 stop/h1/shop-web-1-#4 < 10
        12 push/h2/shop.web:v2 < 1
        13 start/h2/shop-web-1-#3 < 11 12
        14 ready/h2/shop-web-1-#3 < 13
        15 stop/h2/shop-web-1-#4 < 14
        16 remove/h1 < 8 15
        ",
    );
}

#[test]
fn one_that_comes_after_runs_when_all_serves_and_takes_nothing_back() {
    let mut case = with("warm", job(When::After));
    let plan = case.plan();
    let (at, action) = plan.actions.iter().enumerate().find(|(_, a)| a.key == "job/h1/shop.warm.r1").unwrap();
    assert!(action.is_cleanup());
    assert_eq!(plan.actions[at + 1].key, "remove/h1");
    let ready = plan.actions.iter().filter(|action| action.key.starts_with("ready/"));
    let needed = |id: u32| {
        let mut needed = vec![action.id];
        while let Some(next) = needed.pop() {
            if next == id {
                return true;
            }
            needed.extend(&plan.actions[next as usize].needs);
        }
        false
    };
    ready.for_each(|ready| assert!(needed(ready.id), "{}", text(&plan)));
    case.deploy();
    assert!(case.plan().is_empty());
}

#[test]
fn it_runs_where_new_containers_of_its_image_are_made() {
    let mut case = with("migrate", job(When::Before));
    assert_eq!(runs(&case.deploy()).len(), 1);
    assert!(case.plan().is_empty(), "nothing is left of it: {}", text(&case.plan()));
    case.image("other", "v2");
    assert_eq!(runs(&case.deploy()).len(), 0, "another image");
    case.service("web", |web| _ = web.env.insert("SIZE".into(), "2".into()));
    assert_eq!(runs(&case.deploy()).len(), 1, "containers are replaced");
    case.seen("h1").containers.iter_mut().for_each(|container| container.state = State::Stopped);
    assert_eq!(runs(&case.deploy()).len(), 0, "what was there is started again");
    case.config.jobs.get_mut("migrate").unwrap().when = When::Manual;
    case.image("web", "v2");
    assert_eq!(runs(&case.deploy()).len(), 0, "by hand only");
}

#[test]
fn that_it_runs_for_what_a_release_has_brought_is_told() {
    let told = "job `migrate` runs for what release r1 has brought already: containers of it are made anew, and the job goes \
        with them";
    let mut case = with("migrate", job(When::Before));
    ["h1", "h2"].iter().for_each(|host| case.seen(host).releases = Some(Vec::new()));
    assert!(notes(&case.deploy()).is_empty(), "the first time");
    case.goal.release = "r2".into();
    case.seen("h2").containers.retain(|container| container.instance.service != "web");
    let plan = case.plan();
    assert_eq!((runs(&plan).len(), notes(&plan)), (1, vec![told]), "{}", text(&plan));
    let mut other = case.clone();
    other.service("web", |web| _ = web.env.insert("SIZE".into(), "2".into()));
    assert!(notes(&other.plan()).is_empty(), "something else is made");
    case.seen("h1").one_offs = broken_off(State::Stopped, Some(0)).seen("h1").one_offs.clone();
    let plan = case.plan();
    assert!(notes(&plan).len() == 1 && notes(&plan)[0].ends_with("is not run again"), "{:?}", notes(&plan));
}

#[test]
fn it_goes_with_the_services_of_its_image() {
    let mut case = with("migrate", job(When::Before));
    case.service("worker", |worker| worker.image = "web".into());
    case.goal.select.services = vec!["other".into()];
    assert_eq!(runs(&case.plan()).len(), 0);
    case.goal.select.services = vec!["worker".into()];
    assert_eq!(runs(&case.plan()).len(), 1);
    case.goal.select.services.clear();
    case.goal.select.hosts = vec!["h2".into()];
    assert_eq!(runs(&case.plan())[0].host.name, "h2");
    case.service("web", |web| web.hosts = vec!["h1".into()]);
    let problems = case.problems();
    assert_eq!(problems, ["none of the hosts of job `migrate` is selected and can be reached"]);
}

#[test]
fn one_with_an_image_of_its_own_goes_with_everything() {
    let mut case = with("scan", Job { of: JobOf::Image("scan".into()), ..job(When::Before) });
    case.image("scan", "v1");
    let plan = case.deploy();
    assert!(text(&plan).contains("push/h1/shop.scan:v1"), "{}", text(&plan));
    case.image("other", "v2");
    case.image("scan", "v2");
    assert_eq!(runs(&case.plan()).len(), 1);
    case.goal.until = Until::Push;
    let push = text(&case.plan());
    assert!(push.contains("push/h1/shop.scan:v2") && !push.contains("push/h2/shop.scan"), "{push}");
    case.goal.until = Until::Deploy;
    case.goal.select.services = vec!["other".into()];
    assert_eq!(runs(&case.plan()).len(), 0);
}

#[test]
fn on_each_host_one_after_the_other() {
    let mut case = with("migrate", Job { run: RunOn::PerHost, ..job(When::Before) });
    case.config.jobs.insert("seed".into(), Job { run: RunOn::PerHost, ..job(When::Before) });
    let plan = case.plan();
    let keys: Vec<_> = runs(&plan).iter().map(|run| (&*run.container, &*run.host.name)).collect();
    let (first, second) = ("shop.migrate.r1", "shop.seed.r1");
    assert_eq!(keys, [(first, "h1"), (first, "h2"), (second, "h1"), (second, "h2")]);
    let needs = |key: &str| &plan.actions.iter().find(|action| action.key == key).unwrap().needs;
    let id = |key: &str| plan.actions.iter().find(|action| action.key == key).unwrap().id;
    assert!(needs("job/h1/shop.seed.r1").contains(&id("job/h2/shop.migrate.r1")));
    assert!(needs("job/h2/shop.seed.r1").contains(&id("job/h1/shop.seed.r1")));
}

/// A deploy that was broken off when the job was done; it is told what became of the job's container.
fn broken_off(state: State, exit_code: Option<i64>) -> Case {
    let mut case = with("migrate", job(When::Before));
    let plan = case.plan();
    let mut sim = Sim::new(&case);
    let until = plan.actions.iter().take_while(|action| !action.key.starts_with("start/"));
    until.for_each(|action| sim.apply(action).unwrap());
    case.observed = sim.observed;
    let container = &mut case.seen("h1").one_offs[0];
    (container.state, container.exit_code) = (state, exit_code);
    case.goal.release = "r2".into();
    case
}

#[test]
fn one_that_still_runs_is_waited_for() {
    let mut case = broken_off(State::Running, None);
    let plan = case.plan();
    assert_eq!((&*runs(&plan)[0].container, &*runs(&plan)[0].release), ("shop.migrate.r1", "r1"));
    let told = "job `migrate` of release r1, which was broken off or has failed, still runs on `h1`, and is waited for";
    assert_eq!(notes(&plan), [told]);
    case.deploy();
    assert!(case.plan().is_empty() && case.seen("h1").one_offs.is_empty());
}

#[test]
fn one_that_has_done_its_work_does_not_run_twice() {
    let mut case = broken_off(State::Stopped, Some(0));
    let plan = case.deploy();
    assert_eq!(runs(&plan).len(), 0);
    assert!(notes(&plan)[0].ends_with("has done its work on `h1`, and is not run again"), "{}", text(&plan));
    assert!(case.seen("h1").one_offs.is_empty(), "now that the deploy is done");
    case.image("web", "v2");
    assert_eq!(runs(&case.plan()).len(), 1);
}

#[test]
fn one_that_has_failed_runs_again_and_says_so() {
    let mut case = broken_off(State::Stopped, Some(3));
    let plan = case.deploy();
    assert_eq!(runs(&plan)[0].container, "shop.migrate.r2");
    assert!(
        notes(&plan)[0].ends_with("has ended on `h1` with exit code 3, and is run again"),
        "{}",
        text(&plan)
    );
    assert!(case.seen("h1").one_offs.is_empty());
}

#[test]
fn another_run_of_the_job_is_in_the_way() {
    let mut case = broken_off(State::Running, None);
    case.image("web", "v2");
    let problem = &case.try_plan().unwrap_err()[0];
    assert_eq!(problem.message, "job `migrate` of release r1, which was broken off, still runs on `h1`");
    assert!(problem.hint.as_ref().unwrap().contains("`cloudpad prune shop.migrate.r1`"), "{problem:?}");
    // `cloudpad run migrate` is of no release, and somebody may well wait for it.
    let by_hand = &mut case.seen("h1").one_offs[0];
    by_hand.labels.insert(label::JOB_WHEN.into(), "manual".into());
    by_hand.labels.remove(label::JOB_SPEC_ID);
    (by_hand.name, by_hand.release) = ("shop-run-migrate-1".into(), String::new());
    let problem = &case.try_plan().unwrap_err()[0];
    assert_eq!(problem.message, "job `migrate`, which was begun by hand, still runs on `h1`");
    let hint = "wait until it has ended; where nobody waits for it any more, `cloudpad prune shop-run-migrate-1` ends it";
    assert_eq!(problem.hint.as_deref(), Some(hint));
}

#[test]
fn what_is_left_of_it_is_no_reason_to_do_anything() {
    let mut case = broken_off(State::Stopped, Some(3));
    let job = case.config.jobs.remove("migrate").unwrap();
    case.deploy();
    assert!(case.seen("h1").one_offs.is_empty(), "a job that is gone");
    case.config.jobs.insert("migrate".into(), job);
    let left = broken_off(State::Stopped, Some(3)).seen("h1").one_offs.clone();
    case.seen("h1").one_offs = left;
    assert!(case.plan().is_empty(), "{}", text(&case.plan()));
}

#[test]
fn what_is_left_of_it_goes_when_the_rest_of_its_deploy_was_only_started() {
    let mut case = with("migrate", job(When::Before));
    case.deploy();
    case.seen("h1").one_offs = broken_off(State::Stopped, Some(0)).seen("h1").one_offs.clone();
    // Its containers are made, and stopped.
    for host in ["h1", "h2"] {
        case.seen(host).containers.iter_mut().for_each(|container| container.state = State::Stopped);
    }
    let mut part = case.clone();
    part.goal.select.hosts = vec!["h1".into()];
    part.deploy();
    assert_eq!(
        part.seen("h1").one_offs.len(),
        1,
        "who deploys to some hosts does not know whether it is done"
    );
    case.goal.release = "r3".into();
    assert!(runs(&case.deploy()).is_empty());
    assert!(case.seen("h1").one_offs.is_empty() && case.plan().is_empty());
}

#[test]
fn it_has_what_its_service_has_and_its_own() {
    let mut case = with("migrate", job(When::Before));
    case.service("web", |web| {
        web.env = [("A", "web"), ("B", "web")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        web.secrets =
            [("S", "one"), ("T", "two")].map(|(to, name)| (to.to_owned(), Secret::named(name))).into();
        web.volumes = vec![volume("data", MountMode::Shared)];
        web.ports = vec![ports(8080, 8080)];
        (web.memory, web.networks) = (Some(1), vec!["back".into()]);
    });
    case.config.jobs.insert(
        "migrate".into(),
        Job {
            env: [("B".to_owned(), "job".to_owned()), ("T".to_owned(), "open".to_owned())].into(),
            secrets: [("A".to_owned(), Secret::named("three"))].into(),
            ..job(When::Before)
        },
    );
    for name in ["one", "two", "three"] {
        case.observed.secrets.insert(name.into(), format!("mark of {name}"));
    }
    let scope = plan::scope(&case.config, &case.inventory(), &case.goal.select).unwrap();
    let Some(Request::SecretsGet(get)) = plan::look_secrets(&case.config, &scope) else { panic!() };
    assert_eq!(get.names, ["one", "three", "two"]);
    let plan = case.plan();
    let spec = &runs(&plan)[0].spec;
    assert_eq!(format!("{:?}", spec.env), r#"{"B": "job", "T": "open"}"#);
    let secret =
        |name: &str| SecretRef { name: name.into(), mark: format!("mark of {name}"), ..Default::default() };
    assert_eq!(spec.secrets, [("A".to_owned(), secret("three")), ("S".to_owned(), secret("one"))].into());
    assert_eq!((spec.volumes[0].source.as_str(), spec.networks[0].as_str()), ("shop.data", "shop.back"));
    assert_eq!((spec.memory, spec.ports.len(), spec.image.as_str()), (Some(1), 0, "shop.web:v1"));
}

#[test]
fn an_undo_says_that_what_it_did_stays() {
    let case = with("migrate", job(When::Before));
    let plan = case.plan();
    let mut sim = Sim::new(&case);
    let fails = plan.actions.iter().find(|action| action.key.starts_with("ready/")).unwrap();
    plan.actions.iter().take_while(|action| action.id < fails.id).for_each(|a| sim.apply(a).unwrap());
    sim.fail(fails);
    let failed = Failed { plan: &plan, begun: &(0..=fails.id).collect(), unknown: &[fails.id].into() };
    let undo =
        plan::undo(&failed, &case.observed, &sim.observed, &case.config, &case.inventory(), &case.goal);
    assert_eq!(notes(&undo), ["job `migrate` has run, and what it did is not taken back"]);
    assert!(runs(&undo).is_empty() && !text(&undo).contains("migrate.r1"), "{}", text(&undo));
}

#[test]
fn one_after_all_that_has_not_ended_well_runs_again_though_nothing_else_is_to_do() {
    let mut case = with("warm", job(When::After));
    case.config.jobs.insert("migrate".into(), job(When::Before));
    case.deploy();
    case.image("web", "v2");
    case.goal.release = "r2".into();
    let mut sim = Sim::new(&case);
    for action in &case.plan().actions {
        if !action.key.starts_with("remove") {
            sim.apply(action).unwrap();
        }
    }
    case.observed = sim.observed;
    assert_eq!(case.seen("h1").one_offs.len(), 2);
    let warm = |case: &mut Case, exit_code| {
        let warm = case.seen("h1").one_offs.iter_mut().find(|one_off| one_off.name.contains("warm"));
        warm.expect("it was left").exit_code = exit_code;
    };
    case.goal.release = "r3".into();
    assert!(runs(&case.plan()).is_empty(), "it has done its work");
    for exit_code in [Some(4), None] {
        warm(&mut case, exit_code);
        let plan = case.plan();
        let names: Vec<_> = runs(&plan).iter().map(|run| run.container.as_str()).collect();
        assert_eq!(names, ["shop.warm.r3"], "{}", text(&plan));
        assert!(plan.changes.is_empty() && notes(&plan).len() == 1, "{:?}", plan.notes);
    }
    case.deploy();
    assert!(case.seen("h1").one_offs.is_empty(), "what is left of the others goes too");
    assert!(case.plan().is_empty());
}

#[test]
fn the_image_of_a_job_that_has_failed_goes_with_its_container() {
    let mut case = with("migrate", job(When::Before));
    case.deploy();
    case.image("web", "v2");
    case.goal.release = "r2".into();
    let mut sim = Sim::new(&case);
    for action in case.plan().actions.iter().take_while(|action| !action.key.starts_with("start")) {
        sim.apply(action).unwrap();
    }
    case.observed = sim.observed;
    case.seen("h1").one_offs[0].exit_code = Some(3);
    assert!(case.seen("h1").images.contains(&"shop.web:v2".to_owned()));
    case.image("web", "v3");
    case.goal.release = "r3".into();
    case.deploy();
    assert!(!case.seen("h1").images.contains(&"shop.web:v2".to_owned()), "{:?}", case.seen("h1").images);
}
