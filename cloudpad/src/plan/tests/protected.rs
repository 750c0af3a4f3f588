//! Services that only a deploy which names them replaces, stops or removes.

use cloudpad_plugin_api::stage::deploy::State;

use super::kit::*;
use super::sim::{Sim, running};
use crate::config::{Count, MountMode};
use crate::plan::{self, Failed};

/// `db` on `h1`, protected and with a volume, and `web` on two hosts. Both run.
fn deployed() -> Case {
    let mut case = case();
    case.config.hosts.truncate(2);
    case.image("db", "v1");
    case.service("db", |db| {
        db.hosts = vec!["h1".into()];
        db.volumes = vec![volume("data", MountMode::Exclusive)];
        db.protected = true;
    });
    case.deploy();
    case
}

fn name(case: &mut Case, service: &str) {
    case.goal.select.services = vec![service.to_owned()];
}

/// Another version of the container of `db` is wanted.
fn differing() -> Case {
    let mut case = deployed();
    case.service("db", |db| _ = db.env.insert("SIZE".into(), "2".into()));
    case
}

const DIFFERS: &str = "note: `shop-db-1-ID` on `h1` is protected, and stays as it is, though the config wants another \
                       (env.SIZE); `cloudpad deploy --service db` replaces it";

/// The plan as text, without identities in notes.
fn told(case: &Case) -> String {
    let text = text(&case.plan());
    let ids = case.observed.hosts.values().flat_map(super::sim::containers).map(|c| c.name.clone());
    let ids: Vec<_> = ids.filter_map(|name| Some(name.rsplit_once('-')?.1.to_owned())).collect();
    ids.iter().fold(text, |text, id| text.replace(id, "ID"))
}

#[test]
fn a_first_start_is_no_replacement() {
    let case = deployed();
    assert_eq!(running(&case.observed).len(), 3);
    assert_eq!(text(&case.plan()), "");
}

#[test]
fn what_differs_stays_and_is_told() {
    let mut case = differing();
    assert_eq!(told(&case), DIFFERS);
    case.image("web", "v2");
    let plan = case.deploy();
    assert!(plan.changes.iter().all(|change| change.instance.service == "web"), "{}", text(&plan));
    assert!(!plan.notes.iter().any(|note| note.incomplete), "it is what `protected` asks for");
}

#[test]
fn only_its_very_name_names_it() {
    let mut case = differing();
    case.service("db", |db| db.groups = vec!["all".into()]);
    for pattern in ["*", "d?", "db*"] {
        name(&mut case, pattern);
        assert_eq!(told(&case), DIFFERS, "{pattern}");
    }
    case.goal.select.services.clear();
    case.goal.select.groups = vec!["all".into()];
    assert_eq!(told(&case), DIFFERS);
    case.goal.select.groups.clear();
    name(&mut case, "db");
    assert!(text(&case.deploy()).starts_with("stop-first db.1 on h1 env.SIZE"));
    case.goal.select.services.clear();
    assert_eq!(text(&case.plan()), "");
}

#[test]
fn the_command_that_is_told_is_about_the_same_environment() {
    let mut case = differing();
    let project = cloudpad_plugin_api::model::Project { name: "shop".into(), environment: Some("eu".into()) };
    case.config.project = project.into();
    assert!(text(&case.plan()).contains("`cloudpad deploy -e eu --service db` replaces it"));
}

#[test]
fn what_is_gone_from_the_config_stays_by_its_own_label() {
    let mut case = deployed();
    case.config.services.remove("db");
    let expected = "note: `shop-db-1-ID` on `h1` is protected, and stays, though the config wants none there; \
                    `cloudpad deploy --service db` removes it";
    assert_eq!(told(&case), expected);
    case.config.deploy.keep = 0;
    case.seen("h1").containers.iter_mut().for_each(|c| c.state = State::Stopped);
    case.seen("h1").ports.clear();
    assert!(told(&case).contains(expected), "stopped, too");
    name(&mut case, "db");
    assert!(text(&case.deploy()).contains("remove db.1 on h1"));
    assert_eq!(running(&case.observed).len(), 1);
}

#[test]
fn a_flag_that_is_taken_away_is_a_difference_too() {
    let mut case = deployed();
    case.service("db", |db| db.protected = false);
    assert_eq!(told(&case), DIFFERS.replace("env.SIZE", "protected"));
    name(&mut case, "db");
    case.deploy();
    case.goal.select.services.clear();
    case.service("db", |db| _ = db.env.insert("SIZE".into(), "2".into()));
    assert!(text(&case.plan()).contains("stop-first db.1"), "it is protected no more");
}

#[test]
fn what_does_not_run_is_started_again_as_it_was() {
    for mut case in [deployed(), differing()] {
        let before = running(&case.observed);
        let db = case.seen("h1").containers.iter_mut().find(|c| c.instance.service == "db").unwrap();
        db.state = State::Stopped;
        let plan = case.deploy();
        assert!(text(&plan).contains("start db.1 on h1"), "{}", text(&plan));
        assert_eq!(running(&case.observed), before);
    }
}

#[test]
fn nobody_guesses_which_of_several_ran_last() {
    let mut case = differing();
    name(&mut case, "db");
    case.deploy();
    case.goal.select.services.clear();
    case.service("db", |db| _ = db.env.insert("SIZE".into(), "3".into()));
    let all = case.seen("h1").containers.iter_mut();
    all.filter(|c| c.instance.service == "db").for_each(|c| c.state = State::Stopped);
    let plan = case.plan();
    assert!(plan.actions.is_empty() && plan.notes[0].incomplete, "{}", text(&plan));
    assert!(plan.notes[0].message.contains("does not run, and is protected"), "{}", text(&plan));
    name(&mut case, "db");
    assert!(text(&case.plan()).contains("create db.1 on h1"));
}

#[test]
fn it_is_not_begun_elsewhere_while_it_stays() {
    let mut case = deployed();
    case.service("db", |db| (db.hosts, db.count) = (vec!["h2".into()], Count::Replicas(1)));
    let plan = case.plan();
    assert!(plan.actions.is_empty(), "{}", text(&plan));
    assert!(text(&plan).contains("note: `db.1` is not created on `h2`, since a protected container"));
    name(&mut case, "db");
    let plan = text(&case.deploy());
    assert!(plan.contains("create db.1 on h2") && plan.contains("remove db.1 on h1"), "{plan}");
}

#[test]
fn stopped_ones_are_not_cleared_away() {
    let mut case = differing();
    case.config.deploy.keep = 5;
    name(&mut case, "db");
    case.deploy();
    case.goal.select.services.clear();
    case.config.deploy.keep = 0;
    assert_eq!(text(&case.plan()), "");
    name(&mut case, "db");
    assert!(text(&case.plan()).contains("remove/h1"));
}

#[test]
fn what_it_holds_is_not_taken_from_it() {
    let mut case = deployed();
    case.service("web", |web| {
        web.hosts = vec!["h1".into()];
        web.volumes = vec![volume("data", MountMode::Exclusive)];
    });
    case.config.services.remove("db");
    let problem = &case.try_plan().unwrap_err()[0];
    assert!(problem.message.starts_with("`web.1` needs a port or volume of `h1`"), "{problem:?}");
    let hint = "`db` is protected: name both with `--service web --service db`";
    assert_eq!(problem.hint.as_deref(), Some(hint));
    case.goal.select.services = vec!["web".into(), "db".into()];
    assert!(case.try_plan().is_ok());
}

#[test]
fn an_undo_leaves_alone_what_the_plan_left_alone() {
    let mut case = differing();
    case.image("web", "v2");
    let plan = case.plan();
    let mut sim = Sim::new(&case);
    let (last, rest) = plan
        .actions
        .iter()
        .rfind(|a| a.key.starts_with("ready/"))
        .map(|last| (last, plan.actions.iter().take_while(|a| a.id < last.id)))
        .unwrap();
    rest.for_each(|action| sim.apply(action).unwrap());
    sim.fail(last);
    let failed = Failed { plan: &plan, begun: &Default::default(), unknown: &[last.id].into() };
    let undo =
        plan::undo(&failed, &case.observed, &sim.observed, &case.config, &case.inventory(), &case.goal);
    assert!(!undo.actions.is_empty() && !text(&undo).contains("db"), "{}", text(&undo));
}

#[test]
fn data_that_does_not_go_with_a_service_to_another_host_is_told() {
    let mut case = deployed();
    let moved = |case: &mut Case, to: &str| case.service("db", |db| db.hosts = vec![to.to_owned()]);
    moved(&mut case, "h2");
    name(&mut case, "db");
    let note = |case: &Case| -> Vec<String> {
        let notes = case.plan().notes.into_iter().map(|note| note.message);
        notes.filter(|note| note.contains("without its data")).collect()
    };
    let told = "`db` goes from `h1` to `h2` without its data: volume `data` stays on `h1`, and `h2` gets an empty one unless one \
                was left there";
    assert_eq!(note(&case), [told]);
    case.deploy();
    assert!(note(&case).is_empty(), "once is enough");
    moved(&mut case, "h1");
    assert_eq!(note(&case).len(), 1, "what was left there is older");
    moved(&mut case, "h2");
    case.service("db", |db| db.volumes[0].mode = MountMode::ReadOnly);
    case.deploy();
    moved(&mut case, "h1");
    assert!(note(&case).is_empty(), "nothing was written");
}
