//! What comes ahead of the jobs of a deploy: the services that they depend on. Pure.

use std::collections::BTreeSet;

use super::{Jobs, Play};
use crate::config::{Config, When};
use crate::plan::unit::Rollout;
use crate::plan::{Action, Failed, Note};
use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::label;

/// Services that are brought at the same time, and the job that waits for them; none after the last.
pub(in crate::plan) struct Wave<'a, 'j> {
    pub(in crate::plan) rollouts: Vec<Rollout<'a>>,
    pub(in crate::plan) then: Option<&'j Play<'a>>,
}

impl<'a> Jobs<'a> {
    /// Puts services into the order that the jobs ask for that come before.
    pub(in crate::plan) fn waves<'j>(
        &'j self,
        release: &str,
        mut rollouts: Vec<Rollout<'a>>,
    ) -> Vec<Wave<'a, 'j>> {
        let mut waves = Vec::new();
        for play in self.runs.iter().filter(|play| play.job.when == When::Before) {
            let (first, rest) = match play.is_new(release) {
                true => rollouts.into_iter().partition(|r| play.depends_on(r.service)),
                // One that still runs has begun with what was there, and nobody takes that away from it.
                false => (Vec::new(), rollouts),
            };
            rollouts = rest;
            waves.push(Wave { rollouts: first, then: Some(play) });
        }
        waves.push(Wave { rollouts, then: None });
        waves
    }
}

impl Play<'_> {
    /// Whether a deploy of that release begins it everywhere.
    fn is_new(&self, release: &str) -> bool {
        self.runs.iter().all(|run| run.release == release)
    }

    fn depends_on(&self, service: &str) -> bool {
        self.job.depends_on.iter().any(|name| name == service)
    }
}

/// What a job that was begun has found done for it: an undo leaves that as it is, since who knows what the job has put there.
pub(in crate::plan) struct Kept<'a> {
    /// Each job that was begun: its action, and what it depends on.
    jobs: Vec<(u32, &'a str, &'a [String])>,
}

impl<'a> Kept<'a> {
    pub(in crate::plan) fn new(failed: &Failed<'a>, config: &'a Config) -> Self {
        let begun = failed.plan.actions.iter().filter(|action| failed.begun.contains(&action.id));
        let job = |action: &'a Action| {
            let Request::DeployRun(run) = &action.request else { return None };
            let name = run.labels.get(label::JOB)?;
            Some((action.id, name.as_str(), &*config.jobs.get(name)?.depends_on))
        };
        Self { jobs: begun.filter_map(job).collect() }
    }

    /// The job because of which what an action has done is left as it is.
    pub(in crate::plan) fn for_job(&self, action: &Action) -> Option<&'a str> {
        let service = action.service.as_deref()?;
        let is_for = |(id, _, needs): &&(u32, &str, &[String])| {
            action.id < *id && needs.iter().any(|name| name == service)
        };
        self.jobs.iter().find(is_for).map(|(_, job, _)| *job)
    }

    /// What is told of it.
    pub(in crate::plan) fn notes(&self, actions: &[Action]) -> impl Iterator<Item = Note> {
        let changed = actions.iter().filter(|action| action.is_of_rollout());
        let kept = changed.filter_map(|action| Some((self.for_job(action)?, action.service.as_deref()?)));
        let kept: BTreeSet<(&str, &str)> = kept.collect();
        kept.into_iter().map(|(job, service)| {
            let message =
                format!("`{service}` stays as it is now, since job `{job}` has begun to work with it");
            Note { incomplete: true, message }
        })
    }
}
