//! Containers of jobs that are on hosts already. Pure.

use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::deploy::{Named, OneOff};

use crate::config::Problem;
use crate::one_offs::is_by_hand;
use crate::plan::Note;
use crate::plan::decide::Decide;
use crate::plan::one_offs;

/// A container of a job.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    /// The host, by its place in the inventory.
    pub(super) host: usize,
    pub(super) container: &'a OneOff,
    pub(super) job: &'a str,
    /// The identity of what it was made from.
    pub(super) spec_id: Option<&'a String>,
}

/// What becomes of a job of which there is such a container.
pub(super) enum GoesOn {
    /// It still runs, and is waited for.
    Waited,
    /// It has done its work.
    Done,
    /// It runs again.
    Again,
}

/// All that is left of jobs on hosts that were seen.
pub(super) fn all<'d>(decide: &'d Decide<'_>) -> impl Iterator<Item = Left<'d>> {
    let hosts = 0..decide.inventory.hosts().len();
    let seen = hosts.filter_map(|host| Some((host, decide.sight.host(host)?)));
    seen.flat_map(|(host, sight)| {
        sight.seen.one_offs.iter().filter_map(move |container| {
            let job = container.labels.get(label::JOB)?;
            Some(Left { host, container, job, spec_id: container.labels.get(label::JOB_SPEC_ID) })
        })
    })
}

/// What is left of a job, by host and name: in the order of releases.
pub(super) fn left<'d>(decide: &'d Decide<'_>, job: &str) -> Vec<Left<'d>> {
    all(decide).filter(|left| left.job == job).collect()
}

impl Left<'_> {
    pub(super) fn is_up(&self) -> bool {
        self.container.state.is_up()
    }

    pub(super) fn has_done_its_work(&self) -> bool {
        !self.is_up() && self.container.exit_code == Some(0)
    }

    pub(super) fn named(&self) -> Named {
        Named { id: Some(self.container.id.clone()), name: self.container.name.clone() }
    }

    /// What becomes of the job, and what is told of it.
    pub(super) fn goes_on(&self, job: &str, decide: &Decide<'_>) -> (Note, GoesOn) {
        let host = &decide.inventory.hosts()[self.host].name;
        let release = &self.container.release;
        let ended = format!("job `{job}` of release {release}, which was broken off or has failed,");
        let (message, goes_on) = match (self.is_up(), self.container.exit_code) {
            (true, _) => (format!("{ended} still runs on `{host}`, and is waited for"), GoesOn::Waited),
            (false, Some(0)) => {
                (format!("{ended} has done its work on `{host}`, and is not run again"), GoesOn::Done)
            }
            (false, Some(code)) => (
                format!("{ended} has ended on `{host}` with exit code {code}, and is run again"),
                GoesOn::Again,
            ),
            (false, None) => (format!("{ended} was not begun on `{host}`, and is run now"), GoesOn::Again),
        };
        (Note { incomplete: false, message }, goes_on)
    }

    /// Another run of the job would be beside this one.
    pub(super) fn is_in_the_way(&self, job: &str, decide: &Decide<'_>) -> Problem {
        let host = &decide.inventory.hosts()[self.host].name;
        let OneOff { name, release, .. } = self.container;
        let end = one_offs::prune(decide, name);
        let (which, hint) = if is_by_hand(self.container) {
            let hint = format!("wait until it has ended; where nobody waits for it any more, {end} ends it");
            (format!("job `{job}`, which was begun by hand,"), hint)
        } else {
            let hint = format!("wait until it has ended, or end it: {end}");
            (format!("job `{job}` of release {release}, which was broken off,"), hint)
        };
        Problem::at_key(format!("jobs.{job}"), format!("{which} still runs on `{host}`")).hint(hint)
    }
}
