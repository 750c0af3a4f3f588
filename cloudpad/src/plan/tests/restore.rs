//! Going back to an earlier release.

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::deploy::ImageRef;

use super::kit::{Case, check, text};
use super::record::{release, remembered, remembering};
use crate::config::Secret;
use crate::plan::Plan;
use crate::releases::Past;

/// Three releases of one service on one host, the last of which runs.
fn three() -> Case {
    let mut case = remembering();
    case.config.hosts.truncate(1);
    case.observed.hosts.retain(|name, _| name == "h1");
    for (id, tag) in [("r1", "v1"), ("r2", "v2"), ("r3", "v3")] {
        release(&mut case, id, "web", tag);
    }
    case
}

pub fn back(case: &mut Case, id: &str, to: &str) {
    case.goal.release = id.into();
    case.goal.restore = Some(to.into());
}

/// Goes back to `to`, as release `id`.
pub fn go_back(case: &mut Case, id: &str, to: &str) {
    back(case, id, to);
    case.deploy();
    case.goal.restore = None;
}

/// The images of what runs on a host.
pub fn running(case: &mut Case, host: &str) -> Vec<String> {
    let up = case.seen(host).containers.iter().filter(|container| container.state.is_up());
    up.map(|container| container.spec.as_ref().unwrap().image.clone()).collect()
}

pub fn before(case: &Case) -> Result<String, String> {
    let inventory = case.inventory();
    let scope = crate::plan::scope(&case.config, &inventory, &case.goal.select).unwrap();
    let (config, observed) = (&case.config, &case.observed);
    let past = Past { config, inventory: &inventory, scope: &scope, observed };
    past.before().map_err(|refusal| format!("{refusal:?}"))
}

#[test]
fn what_was_kept_is_started_again_and_noted_as_a_release() {
    let mut case = three();
    back(&mut case, "r4", "r2");
    check(
        &case.deploy(),
        "start-first web.1 on h1 image
         0 start/h1/shop-web-1-#1
         1 ready/h1/shop-web-1-#1 < 0
         2 stop/h1/shop-web-1-#2 < 1
         3 record/h1 < 2",
    );
    let last = remembered(&mut case, "h1").last().unwrap().clone();
    assert_eq!((&*last.about.command, last.about.restores.as_deref()), ("rollback", Some("r2")));
    assert_eq!(last.about.sources.len(), 1, "those of what it restores");
    assert_eq!(running(&mut case, "h1"), ["shop.web:v2"]);
    assert!(case.plan().is_empty(), "one has gone back already");
}

#[test]
fn what_is_gone_is_made_again_from_what_was_noted() {
    let mut case = three();
    case.seen("h1").containers.retain(|container| container.state.is_up());
    back(&mut case, "r4", "r1");
    // Whatever the config says by now.
    case.service("web", |service| service.stop_timeout = 99);
    check(
        &case.deploy(),
        "start-first web.1 on h1 image
         0 start/h1/shop-web-1-#1
         1 ready/h1/shop-web-1-#1 < 0
         2 stop/h1/shop-web-1-#2 < 1
         3 record/h1 < 2",
    );
    assert_eq!(running(&mut case, "h1"), ["shop.web:v1"]);
}

#[test]
fn a_release_without_its_image_is_not_available_any_more() {
    let mut case = three();
    case.seen("h1").images.retain(|image| image != "shop.web:v1");
    back(&mut case, "r4", "r1");
    assert!(case.try_plan().is_ok(), "its container is enough");
    case.seen("h1").containers.retain(|container| container.state.is_up());
    let [problem] = &case.try_plan().unwrap_err()[..] else { panic!() };
    assert_eq!(
        problem.message,
        "release `r1` is not available any more: its image `shop.web:v1` is not on `h1`"
    );
    assert_eq!(problem.hint.as_deref(), Some("deploy its source again: `.` at r1"));
    let from = ImageRef::Known("registry.test/shop.web@sha256:1".into());
    let releases = case.seen("h1").releases.as_mut().unwrap();
    releases[0].images.insert("shop.web:v1".into(), from.clone());
    let plan = case.deploy();
    let Request::DeployPull(pull) = &plan.actions[0].request else { panic!("{}", text(&plan)) };
    assert_eq!((&pull.image, pull.tag.as_deref()), (&from, Some("shop.web:v1")));
}

#[test]
fn a_release_that_nobody_remembers_is_refused_with_those_near_it() {
    let mut case = three();
    back(&mut case, "r4", "r11");
    let [problem] = &case.try_plan().unwrap_err()[..] else { panic!() };
    assert_eq!(problem.message, "no host remembers a release `r11`");
    let hint = problem.hint.as_deref();
    assert_eq!(hint, Some("near it there is `r1`, `r2`, `r3`; `cloudpad releases` lists all"));
    case.config.deploy.keep = 0;
    case.goal.restore = None;
    release(&mut case, "r4", "web", "v4");
    back(&mut case, "r5", "r3");
    assert_eq!(case.problems(), ["no host remembers a release `r3`"]);
}

#[test]
fn a_host_that_does_not_remember_so_far_back_is_named() {
    let mut case = remembering();
    for (id, tag) in [("r1", "v1"), ("r2", "v2")] {
        release(&mut case, id, "web", tag);
    }
    case.seen("h2").releases.as_mut().unwrap().remove(0);
    back(&mut case, "r3", "r1");
    assert_eq!(case.problems(), ["what ran on `h2` at release `r1` is not known any more"]);
    case.seen("h2").releases = None;
    assert_eq!(case.problems(), ["what ran on `h2` at release `r1` is not known any more"]);
}

#[test]
fn services_come_back_and_go_with_the_release() {
    let mut case = three();
    case.image("api", "v1");
    case.service("api", |_| {});
    case.config.services.remove("web");
    release(&mut case, "r4", "api", "v1");
    back(&mut case, "r5", "r3");
    check(
        &case.deploy(),
        "remove api.1 on h1
         create web.1 on h1
         0 stop/h1/shop-api-1-#1
         1 start/h1/shop-web-1-#2
         2 ready/h1/shop-web-1-#2 < 1
         3 record/h1 < 0 2
         4 remove/h1 < 3
         note: `api` was not there at release `r3`, and is stopped",
    );
    assert_eq!(running(&mut case, "h1"), ["shop.web:v3"]);
    // A part of the project goes back alone.
    case.goal.select.services = vec!["api".into()];
    back(&mut case, "r6", "r4");
    case.deploy();
    let mut images = running(&mut case, "h1");
    images.sort();
    assert_eq!(images, ["shop.api:v1", "shop.web:v3"]);
}

#[test]
fn what_is_made_again_has_the_secrets_of_now_and_what_was_kept_those_of_then() {
    let mut case = three();
    let mark = |case: &mut Case, mark: &str| _ = case.observed.secrets.insert("db".into(), mark.into());
    mark(&mut case, "old");
    case.service("web", |service| _ = service.secrets.insert("DB".into(), Secret::named("db")));
    release(&mut case, "r4", "web", "v4");
    mark(&mut case, "new");
    release(&mut case, "r5", "web", "v5");
    back(&mut case, "r6", "r4");
    let told = |plan: &Plan| plan.notes.iter().map(|note| note.message.clone()).collect::<Vec<_>>();
    let then = ["`web` comes back with the value that the secret `db` had then"];
    assert_eq!(told(&case.plan()), then, "its container is there");
    // Nobody needs the value, so that the one of what runs tells.
    let now = std::mem::take(&mut case.observed.secrets);
    assert_eq!(told(&case.plan()), then);
    case.observed.secrets = now;
    case.seen("h1").containers.retain(|container| container.state.is_up());
    let plan = case.deploy();
    assert_eq!(told(&plan), ["`web` comes back with the value that the secret `db` has now"]);
    let up = case.seen("h1").containers.iter().find(|c| c.state.is_up()).unwrap();
    assert_eq!(up.spec.as_ref().unwrap().secrets["DB"].mark, "new");
    assert!(case.plan().is_empty());
    case.observed.secrets.clear();
    case.seen("h1").containers.clear();
    assert_eq!(case.problems(), ["nobody knows the secret `db`, which web.1 on `h1` had"]);
}

#[test]
fn a_service_that_would_have_two_values_of_a_secret_is_told() {
    let mut case = remembering();
    let mark = |case: &mut Case, mark: &str| _ = case.observed.secrets.insert("db".into(), mark.into());
    case.service("web", |service| {
        service.secrets.insert("DB".into(), Secret::named("db"));
        service.secrets.insert("/run/key".into(), Secret::named("key"));
    });
    for id in ["r1", "r2"] {
        mark(&mut case, id);
        case.observed.secrets.insert("key".into(), id.into());
        release(&mut case, id, "web", id);
    }
    back(&mut case, "r3", "r1");
    case.seen("h2").containers.retain(|container| container.state.is_up());
    let notes: Vec<_> = case.plan().notes.into_iter().map(|note| note.message).collect();
    let both = "`web` comes back with the value that the secret `db` had then on `h1`, `h3`, and with the one that it has now on `h2`";
    let file = "`web` comes back with the value that the secret `key` has now";
    assert_eq!(notes, [both, file]);
    // What stays as it is comes back with nothing.
    case.config.services.get_mut("web").unwrap().protected = true;
    let notes: Vec<_> = case.plan().notes.into_iter().map(|note| note.message).collect();
    assert!(!notes.iter().any(|note| note.contains("comes back")), "{notes:?}");
}

#[test]
fn what_goes_further_back_is_told_where_going_back_would_do_nothing() {
    let mut case = three();
    case.config.deploy.keep = 9;
    case.image("db", "v1");
    case.service("db", |db| db.protected = true);
    release(&mut case, "r4", "db", "v1");
    case.goal.select.services = vec!["db".into()];
    release(&mut case, "r5", "db", "v2");
    case.goal.select.services = Vec::new();
    assert_eq!(before(&case), Ok("r4".to_owned()));
    back(&mut case, "r6", "r4");
    let told = |case: &Case| case.plan().notes.last().map(|note| note.message.clone()).unwrap_or_default();
    let only = "release r4 differs from what is to run now only in `db`, and in nothing that going back to it changes; ";
    assert!(case.plan().is_empty());
    assert_eq!(told(&case), format!("{only}`cloudpad rollback r2` goes further back"));
    case.seen("h1").releases.as_mut().unwrap().drain(..3);
    assert_eq!(told(&case), format!("{only}no earlier release would change more"));
    // Where nothing differs there is nothing to say.
    back(&mut case, "r6", "r5");
    assert_eq!(told(&case), "");
    case.goal.select.services = vec!["db".into()];
    back(&mut case, "r6", "r4");
    assert!(!case.plan().is_empty() && !told(&case).contains("further back"));
}

#[test]
fn the_release_before_is_the_one_before_what_is_in_effect() {
    let mut case = three();
    assert_eq!(before(&case), Ok("r2".to_owned()));
    go_back(&mut case, "r4", "r2");
    assert_eq!(before(&case), Ok("r1".to_owned()));
    go_back(&mut case, "r5", "r1");
    assert!(before(&case).unwrap_err().contains("no host remembers a release before `r1`"));
    release(&mut case, "r6", "web", "v6");
    assert_eq!(before(&case), Ok("r5".to_owned()), "which is what `r1` was");
    go_back(&mut case, "r7", "r5");
    assert_eq!(running(&mut case, "h1"), ["shop.web:v1"]);
}

#[test]
fn the_release_before_is_another_one_for_a_part_of_the_project() {
    let mut case = three();
    case.config.deploy.keep = 9;
    case.image("api", "v1");
    case.service("api", |_| {});
    release(&mut case, "r4", "api", "v1");
    case.goal.select.services = vec!["web".into()];
    assert_eq!(before(&case), Ok("r2".to_owned()), "`web` is the same in `r3` and `r4`");
    go_back(&mut case, "r5", "r2");
    assert_eq!(before(&case), Ok("r1".to_owned()));
    case.goal.select.services = Vec::new();
    assert_eq!(before(&case), Ok("r4".to_owned()), "of all, the last one that was different");
    case.goal.select.services = vec!["web".into()];
    case.seen("h1").releases.as_mut().unwrap().drain(..2);
    let lacking = before(&case).unwrap_err();
    assert!(lacking.contains("no host remembers a release before `r2`"), "and not forward: {lacking}");
}

#[test]
fn what_goes_from_a_host_that_has_come_since_is_told() {
    let mut case = three();
    case.host("h2", &[]);
    case.seen("h2").releases = Some(Vec::new());
    release(&mut case, "r4", "web", "v4");
    back(&mut case, "r5", "r3");
    let told =
        "`h2` had nothing of the project at release `r3`: `web.1` there is stopped, and only others serve";
    let notes: Vec<_> = case.plan().notes.into_iter().map(|note| note.message).collect();
    assert_eq!(notes, [told]);
    case.deploy();
    back(&mut case, "r6", "r4");
    assert!(case.plan().notes.is_empty());
}

#[test]
fn a_release_runs_where_nothing_has_changed_what_it_changed() {
    let mut case = three();
    case.config.deploy.keep = 9;
    case.host("h2", &[]);
    case.seen("h2").releases = Some(Vec::new());
    case.image("db", "v1");
    case.service("db", |db| db.hosts = vec!["h1".into()]);
    release(&mut case, "r4", "db", "v1");
    release(&mut case, "r5", "web", "v5");
    case.goal.select.hosts = vec!["h2".into()];
    release(&mut case, "r6", "web", "v6");
    case.goal.select.hosts = Vec::new();
    let inventory = case.inventory();
    let scope = crate::plan::scope(&case.config, &inventory, &case.goal.select).unwrap();
    let (config, observed) = (&case.config, &case.observed);
    let rows = Past { config, inventory: &inventory, scope: &scope, observed }.rows(&case.goal);
    let told: Vec<_> = rows.iter().map(|row| format!("{} {}", row.release, row.hosts.join(" "))).collect();
    assert_eq!(told, ["r6 h2", "r5 h1", "r4 h1", "r3 ", "r2 ", "r1 "].map(|row| row.to_owned()));
}
