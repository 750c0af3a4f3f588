//! Carries a plan out, and answers its failure with another plan. I/O, through a [`Runner`].

use std::collections::BTreeSet;

use cloudpad_plugin_api::stage::cluster::Observation;
use cloudpad_plugin_api::{Outcome, Request};

use crate::config::{Config, OnFailure};
use crate::inventory::Inventory;
use crate::look;
use crate::observed::Observed;
use crate::plan::queue::Mode;
use crate::plan::{self, Also, Failed, Goal, Note, Plan, Tried};
use crate::report::{Event, Phase};
use crate::run::{Outcomes, Runner};

/// What a plan was made from.
pub struct Basis<'a> {
    /// What is wanted.
    pub config: &'a Config,
    /// Every host.
    pub inventory: &'a Inventory,
    /// What was seen before.
    pub observed: &'a Observed,
    /// What was asked.
    pub goal: &'a Goal,
    /// What answers a failure.
    pub on_failure: OnFailure,
}

/// Carries `plan` out. When an action fails and the policy says so, what ran before is brought back,
/// as a plan of its own made from a fresh look. Returns whether others are told of instances as they were, and not as they are now.
pub async fn roll_out(runner: &Runner, plan: &Plan, basis: Basis<'_>) -> bool {
    let after_failure = match basis.on_failure {
        // What is taken back in a moment need not be finished before.
        OnFailure::Rollback => Mode::Closed,
        OnFailure::Stop => Mode::Finishing,
    };
    let outcomes = begin(runner, Phase::Apply, plan, after_failure, Vec::new()).await;
    // When it is only what tidies up in the end that fails, there is nothing to bring back.
    let mut work = plan.actions.iter().filter(|action| !action.is_cleanup());
    let failed = work.any(|action| matches!(outcomes.get(&action.id), Some(Err(_))));
    let touched = touched_hosts(plan, &outcomes);
    if !failed || basis.on_failure == OnFailure::Stop || runner.stop.is_requested() {
        return !touched.is_empty() && is_untold(plan, &outcomes);
    }
    if let Some(before) = basis.observed.cluster.as_deref() {
        undo_in_cluster(runner, plan, &outcomes, before, basis).await;
        return false;
    }
    if touched.is_empty() {
        return false;
    }
    let begun = outcomes.keys().copied().collect();
    let failed = Failed { plan, begun: &begun, unknown: &unknown(&outcomes) };
    undo(runner, &failed, &touched, basis).await
}

/// Whether others were to be told where instances are in the end, and that was not even begun.
fn is_untold(plan: &Plan, outcomes: &Outcomes) -> bool {
    let mut telling = plan.actions.iter().filter(|a| matches!(a.request, Request::InventoryPublish(_)));
    telling.any(|action| !outcomes.contains_key(&action.id))
}

async fn begin(runner: &Runner, phase: Phase, plan: &Plan, after: Mode, notes: Vec<Note>) -> Outcomes {
    runner.record.event(Event::Phase { phase, actions: plan.actions.len(), notes });
    runner.carry_out(phase, plan, after).await
}

async fn undo(runner: &Runner, failed: &Failed<'_>, touched: &BTreeSet<String>, basis: Basis<'_>) -> bool {
    let Basis { config, inventory, observed, goal, .. } = basis;
    let looks = touched.iter().filter_map(|host| inventory.get(host));
    let looks = looks.map(|host| plan::look_host(config, host, Also::default()));
    let hosts = look::look_at_hosts(runner, looks.collect()).await;
    let now = Observed { hosts, ..observed.clone() };
    let mut undo = plan::undo(failed, observed, &now, config, inventory, goal);
    plan::publish(&mut undo, &config.project, inventory, &now);
    // No other plan follows that would mend what this one leaves, so as much as can be is brought back.
    let outcomes = begin(runner, Phase::Undo, &undo, Mode::Open, undo.notes.clone()).await;
    is_untold(&undo, &outcomes)
}

async fn undo_in_cluster(
    runner: &Runner,
    plan: &Plan,
    outcomes: &Outcomes,
    before: &Observation,
    basis: Basis<'_>,
) {
    let tried = Tried { plan, outcomes };
    if tried.touched().is_empty() {
        return;
    }
    // Why it cannot be looked at is among the failures then.
    if let Ok(now) = look::seen(runner, basis.config, false).await {
        let Basis { config, goal, observed, .. } = basis;
        let undo = plan::cluster_back(&tried, before, &now, &observed.secrets, (config, goal));
        begin(runner, Phase::Undo, &undo, Mode::Open, undo.notes.clone()).await;
    }
}

/// The actions that were begun, and may have been done in whole, in part or not at all.
fn unknown(outcomes: &Outcomes) -> BTreeSet<u32> {
    let unknown =
        outcomes.iter().filter(|(_, outcome)| matches!(outcome, Err(e) if e.outcome != Outcome::None));
    unknown.map(|(&id, _)| id).collect()
}

/// Hosts on which an action that changes containers was begun.
fn touched_hosts(plan: &Plan, outcomes: &Outcomes) -> BTreeSet<String> {
    let begun = plan.actions.iter().filter(|action| outcomes.contains_key(&action.id));
    let changing = begun.filter(|action| action.is_of_rollout());
    changing.filter_map(|action| action.host.as_deref().map(str::to_owned)).collect()
}
