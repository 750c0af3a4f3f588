//! Undos in a cluster. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::stage::cluster::{Applied, Observation, Rollout};
use cloudpad_plugin_api::{Failure, Outcome, Reply};

use super::tests::{cluster, run, text};
use super::{Plan, Tried, back};
use crate::plan::tests::kit::Case;

/// A plan that changes `web`, which runs, and makes `new`.
struct Update {
    case: Case,
    plan: Plan,
    before: Box<Observation>,
    /// What the cluster runs once all of the plan is done.
    after: Box<Observation>,
    outcomes: BTreeMap<u32, Result<Reply, Failure>>,
}

fn update() -> Update {
    let mut case = cluster();
    let plan = case.plan();
    run(&mut case, &plan);
    let before = case.observed.cluster.clone().unwrap();
    case.goal.release = "r2".into();
    case.image("new", "v1");
    case.service("new", |_| {});
    case.service("web", |web| _ = web.env.insert("A".into(), "1".into()));
    let plan = case.plan();
    let done = |action: &crate::plan::Action| (action.id, Ok(Reply::Applied(Applied { changed: true })));
    let outcomes = plan.actions.iter().map(done).collect();
    run(&mut case, &plan);
    let after = case.observed.cluster.clone().unwrap();
    Update { case, plan, before, after, outcomes }
}

impl Update {
    fn undo(&self, now: &Observation) -> Plan {
        let tried = Tried { plan: &self.plan, outcomes: &self.outcomes };
        let Case { config, goal, observed, .. } = &self.case;
        back(&tried, &self.before, now, &observed.secrets, (config, goal))
    }

    /// Has both services be refused so.
    fn refused(&mut self, failure: &Failure) {
        for action in self.plan.actions.iter().filter(|action| action.request.method() == "cluster.apply") {
            self.outcomes.insert(action.id, Err(failure.clone()));
        }
    }
}

#[test]
fn a_failed_update_is_undone_and_a_new_service_removed() {
    let mut update = update();
    let undo = text(&update.undo(&update.after));
    assert!(undo.contains("cluster.remove [\"new\"] <- []"), "{undo}");
    assert!(undo.contains("cluster.apply web r.example/shop.web@sha256:0 replaces Some(\"after "), "{undo}");
    let mut by_itself = update.before.clone();
    by_itself.services[0].rollout = Rollout::RolledBack;
    by_itself.services[0].revision = "later".into();
    let undo = update.undo(&by_itself);
    assert!(undo.is_empty(), "{}", text(&undo));
    // It has stopped in the middle of that.
    by_itself.services[0].rollout = Rollout::Paused;
    assert!(text(&update.undo(&by_itself)).contains("cluster.apply web"));
    // A provider need not tell of which release something is.
    let mut untold = update.after.clone();
    untold.services.iter_mut().for_each(|seen| seen.release.clear());
    assert_eq!(update.undo(&untold).actions.len(), 3, "{}", text(&update.undo(&untold)));
    update.outcomes.clear();
    assert!(update.undo(&update.after).is_empty());
}

#[test]
fn what_was_stale_is_somebody_elses_and_left_alone() {
    let mut update = update();
    update.refused(&Failure::stale("service `web` is another one than was seen"));
    let tried = Tried { plan: &update.plan, outcomes: &update.outcomes };
    assert!(tried.touched().is_empty());
    update.refused(&Failure::failed("no"));
    let tried = Tried { plan: &update.plan, outcomes: &update.outcomes };
    assert_eq!(tried.touched().into_keys().collect::<Vec<_>>(), ["new", "web"]);
    // Where nobody knows what has become of it, it is looked at.
    update.refused(&Failure::stale("lost on the way").outcome(Outcome::Unknown));
    assert!(text(&update.undo(&update.after)).contains("cluster.apply web"));
}

#[test]
fn what_was_nobodys_release_before_stays_as_it_is() {
    let mut update = update();
    update.before.services[0].id.clear();
    for is_changed in [true, false] {
        let now = if is_changed { update.after.clone() } else { update.before.clone() };
        let undo = update.undo(&now);
        assert!(!text(&undo).contains("web"), "{}", text(&undo));
        let note = undo.notes.last().map(|note| (note.incomplete, &*note.message));
        assert_eq!(note, Some((true, "`web` stays as it is: what it was before is not known")));
    }
}

#[test]
fn what_somebody_else_has_made_of_a_service_meanwhile_is_left_alone() {
    type Change = fn(&mut cloudpad_plugin_api::stage::cluster::Seen);
    // Another content, the same of another release, and a change by hand.
    let changes: [Change; 3] =
        [|seen| seen.id = "theirs".into(), |seen| seen.release = "r3".into(), |seen| seen.id.clear()];
    let update = update();
    for (number, change) in changes.into_iter().enumerate() {
        let mut now = update.after.clone();
        now.services.iter_mut().for_each(|seen| {
            seen.revision = "theirs".into();
            change(seen);
        });
        let undo = update.undo(&now);
        assert!(undo.actions.is_empty(), "{number}: {}", text(&undo));
        let notes: Vec<_> = undo.notes.iter().map(|note| (note.incomplete, note.message.as_str())).collect();
        let said =
            |name: &str| format!("`{name}` was changed by somebody else meanwhile, so it is left alone");
        assert_eq!(notes, [(true, &*said("new")), (true, &*said("web"))], "{number}");
    }
}

#[test]
fn a_variable_gets_the_value_that_its_secret_has_now_and_a_file_has_its_own() {
    let mut case = cluster();
    for (target, secret) in [("/run/file", "FILE"), ("WORD", "WORD")] {
        let secret = crate::config::Secret::named(secret);
        case.service("web", |web| _ = web.secrets.insert(target.into(), secret));
    }
    let marked = |case: &mut Case, mark: &str| {
        case.observed.secrets = ["FILE", "WORD"].map(|name| (name.to_owned(), mark.to_owned())).into();
    };
    marked(&mut case, "then");
    let plan = case.plan();
    run(&mut case, &plan);
    let before = case.observed.cluster.clone().unwrap();
    case.goal.release = "r2".into();
    marked(&mut case, "now");
    let plan = case.plan();
    let outcomes = plan
        .actions
        .iter()
        .map(|action| (action.id, Ok(Reply::Applied(Applied { changed: true }))))
        .collect();
    run(&mut case, &plan);
    let after = case.observed.cluster.clone().unwrap();
    let undo = Update { case, plan, before, after, outcomes };
    let undo = undo.undo(&undo.after);
    let marks = undo.actions.iter().find_map(|action| match &action.request {
        cloudpad_plugin_api::Request::ClusterApply(apply) => {
            let secrets = &apply.service.spec.secrets;
            Some(["/run/file", "WORD"].map(|target| secrets[target].mark.clone()))
        }
        _ => None,
    });
    assert_eq!(marks.unwrap(), ["then", "now"]);
    assert_eq!(undo.notes[0].message, "`web` gets the value that the secret `WORD` has now");
    let waits = |id: &str| text(&undo).contains(id);
    assert!(waits("cluster.ready web"), "{}", text(&undo));
}
