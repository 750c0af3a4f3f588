//! The new containers that a job goes with, and whether a release has brought the very same before. Pure.

use super::Run;
use super::meant::services;
use crate::config::Job;
use crate::plan::decide::Decide;
use crate::plan::past;
use crate::plan::unit::{Rollout, Unit};
use crate::plan::{ChangeKind, Note};

/// What a deploy makes that the job is for: none, and the job is not called for.
pub(super) fn made<'r, 'a>(decide: &Decide<'_>, job: &Job, rollouts: &'r [Rollout<'a>]) -> Vec<&'r Unit<'a>> {
    use ChangeKind::{Create, ReplaceStartFirst, ReplaceStopFirst};
    let services = services(decide.config, job);
    let meant = rollouts.iter().filter(|rollout| services.contains(&rollout.service));
    let is_new = |unit: &&Unit<'_>| {
        let kind = unit.told.as_ref().map(|(kind, _)| *kind);
        unit.start.is_some() && matches!(kind, Some(Create | ReplaceStartFirst | ReplaceStopFirst))
    };
    meant.flat_map(|rollout| &rollout.units).filter(is_new).collect()
}

/// That a job begins with containers whose like are of a release that is done: a migration may run for the second time.
pub(super) fn note(decide: &Decide<'_>, job: &str, runs: &[Run], made: &[&Unit<'_>]) -> Option<Note> {
    let begins = runs.iter().any(|run| run.release == decide.goal.release);
    let brought = made.iter().map(|unit| brought_by(decide, unit)).collect::<Option<Vec<_>>>()?;
    let release = brought.into_iter().max().filter(|_| begins)?;
    let message = format!(
        "job `{job}` runs for what release {release} has brought already: containers of it are made anew, and the job goes with them"
    );
    Some(Note { incomplete: false, message })
}

/// The newest release whose containers of the service are to run now and are made from the same.
fn brought_by<'d>(decide: &'d Decide<'_>, unit: &Unit<'_>) -> Option<&'d str> {
    let wanted = &unit.start.as_ref()?.wanted;
    let hosts = 0..decide.inventory.hosts().len();
    let current = hosts.filter_map(|host| past::current(decide.sight.host(host)?.seen));
    let has_it = current.filter(|release| {
        let same = release.containers.iter().filter(|old| *old.spec_id == *wanted.spec_id);
        same.into_iter().any(|old| old.instance.service == unit.which.service)
    });
    has_it.map(|release| release.id.as_str()).max()
}
