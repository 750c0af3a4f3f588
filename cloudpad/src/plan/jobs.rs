//! Which jobs run with a deploy, where, and what is left of those of a deploy that was broken off. Pure.
//!
//! A job runs where the deploy makes new containers of its image. Its container has the release and the job in its name,
//! and stays until the deploy is done: where one is found, a deploy was broken off, or has failed. One that still runs is
//! waited for, one that has ended well is not run again, and whatever it is, it is told.

mod add;
mod ahead;
mod anew;
mod apart;
mod by_hand;
mod left;
mod meant;
mod spec;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::model::{ContainerSpec, label};
use cloudpad_plugin_api::stage::deploy::Named;

use super::decide::Decide;
use super::hosts::HostSet;
use super::supply::Supply;
use super::unit::Rollout;
use super::{Failed, Note};
use crate::config::{Job, Problem, RunOn, When};
pub(super) use ahead::{Kept, Wave};
pub use by_hand::{has_image, job_hosts, job_image, job_secrets, job_service, job_spec};
use left::{Left, left};
pub(super) use meant::jobs as meant;
pub(super) use spec::{image, secrets};

/// The jobs of a deploy.
#[derive(Default)]
pub(super) struct Jobs<'a> {
    /// In the order in which they run.
    runs: Vec<Play<'a>>,
    /// What is to be known of them.
    pub(super) notes: Vec<Note>,
    /// Containers of jobs that have ended, by host: to be removed when the deploy is done.
    pub(super) ended: BTreeMap<usize, Vec<Named>>,
}

/// A job that runs, on one host or several.
pub(super) struct Play<'a> {
    name: &'a str,
    job: &'a Job,
    /// The image that it is made from, by its name in the config.
    image: &'a str,
    spec: Arc<ContainerSpec>,
    spec_id: String,
    runs: Vec<Run>,
}

/// A job on a host: the container, and the release that it belongs to.
struct Run {
    host: usize,
    container: String,
    release: String,
}

impl<'a> Jobs<'a> {
    /// Those of a deploy that does this to services.
    ///
    /// # Errors
    /// A job has no host on which it may run now; another run of it is still under way.
    pub(super) fn new(
        decide: &Decide<'a>,
        supply: &Supply<'a>,
        rollouts: &[Rollout<'a>],
    ) -> Result<Self, Vec<Problem>> {
        let (mut jobs, mut problems) = (Self::default(), Vec::new());
        let mut called = BTreeSet::new();
        if decide.goal.restore.is_some() {
            jobs.notes.extend(none_when_going_back(decide));
            return Ok(jobs);
        }
        for (name, job) in &decide.config.jobs {
            let Some(eligible) = decide.scope.jobs.get(name) else { continue };
            let image = spec::image(decide.config, job);
            let reference = supply.reference(image).unwrap_or_default();
            let spec = spec::spec(decide.config, job, reference, decide.secrets);
            let spec_id = super::spec::spec_id(&spec);
            let play = Play { name, job, image, spec: spec.into(), spec_id, runs: Vec::new() };
            let made = anew::made(decide, job, rollouts);
            if made.is_empty() && !play.is_left_undone(decide) {
                continue;
            }
            called.insert(name.as_str());
            match jobs.places(decide, &play, eligible) {
                Ok(runs) => {
                    jobs.notes.extend(anew::note(decide, name, &runs, &made));
                    jobs.runs.extend((!runs.is_empty()).then_some(Play { runs, ..play }));
                }
                Err(problem) => problems.push(problem),
            }
        }
        jobs.forgotten(decide, &called);
        if problems.is_empty() { Ok(jobs) } else { Err(problems) }
    }

    /// Where a job runs; nowhere when it has run already.
    fn places(
        &mut self,
        decide: &Decide<'_>,
        play: &Play<'_>,
        eligible: &[usize],
    ) -> Result<Vec<Run>, Problem> {
        let hosts: Vec<usize> =
            eligible.iter().copied().filter(|&host| decide.hosts.contains(host)).collect();
        if hosts.is_empty() {
            return Err(nowhere(play.name));
        }
        let left = left(decide, play.name);
        if let Some(other) = left.iter().find(|left| left.is_up() && left.spec_id != Some(&play.spec_id)) {
            return Err(other.is_in_the_way(play.name, decide));
        }
        let mut runs = Vec::new();
        match play.job.run {
            RunOn::Once => {
                runs.extend(self.place(decide, play, hosts[0], &left));
                let is_new = runs.iter().any(|run| run.release == decide.goal.release);
                if let Some(problem) =
                    apart::problem(decide, play, (eligible[0], hosts[0])).filter(|_| is_new)
                {
                    return Err(problem);
                }
            }
            RunOn::PerHost => {
                for host in hosts {
                    let here: Vec<Left<'_>> = left.iter().filter(|left| left.host == host).copied().collect();
                    runs.extend(self.place(decide, play, host, &here));
                }
            }
        }
        let new = runs.iter().map(|run| (run.host, Named { id: None, name: run.container.clone() }));
        let old = left.iter().filter(|left| !left.is_up() && decide.hosts.contains(left.host));
        let old = old.map(|left| (left.host, left.named()));
        new.chain(old).for_each(|(host, named)| self.ended.entry(host).or_default().push(named));
        Ok(runs)
    }

    /// What a job does in one place, where this is left of it.
    fn place(&mut self, decide: &Decide<'_>, play: &Play<'_>, host: usize, left: &[Left<'_>]) -> Option<Run> {
        let mut same = left.iter().filter(|left| left.spec_id == Some(&play.spec_id));
        let Some(last) = same.clone().find(|left| left.is_up()).or_else(|| same.next_back()) else {
            let release = decide.goal.release.clone();
            let container = format!("{}.{}.{release}", decide.config.project.prefix(), play.name);
            return Some(Run { host, container, release });
        };
        let (note, run) = last.goes_on(play.name, decide);
        self.notes.push(note);
        match run {
            left::GoesOn::Waited => {
                let (container, release) = (last.container.name.clone(), last.container.release.clone());
                Some(Run { host: last.host, container, release })
            }
            left::GoesOn::Done => None,
            left::GoesOn::Again => self.place(decide, play, host, &[]),
        }
    }

    /// Has also removed what is left of jobs that no deploy runs any more, and of those that are done since all of the deploy for
    /// which they ran is.
    fn forgotten(&mut self, decide: &Decide<'_>, called: &BTreeSet<&str>) {
        if decide.goal.select.narrows_services() {
            return;
        }
        for left in left::all(decide).filter(|left| !left.is_up()) {
            let job = decide.config.jobs.get(left.job);
            let is_done = !called.contains(left.job) && !decide.goal.select.narrows_hosts();
            if (is_done || job.is_none_or(|job| job.when == When::Manual)) && decide.hosts.contains(left.host)
            {
                self.ended.entry(left.host).or_default().push(left.named());
            }
        }
    }
}

impl Play<'_> {
    /// Whether it comes after a deploy that has done all else: then nothing but what is left of it tells that it has not ended well.
    fn is_left_undone(&self, decide: &Decide<'_>) -> bool {
        let left = left(decide, self.name);
        let last = left.last().filter(|last| !last.is_up() || last.spec_id == Some(&self.spec_id));
        self.job.when == When::After && last.is_some_and(|last| !last.has_done_its_work())
    }
}

/// The images of the jobs that go with a deploy, each with the hosts that need it.
pub(super) fn images<'a>(decide: &Decide<'a>) -> impl Iterator<Item = (&'a str, HostSet)> {
    let jobs = decide.scope.jobs.iter();
    let jobs = jobs.filter_map(|(name, eligible)| Some((decide.config.jobs.get(name)?, eligible)));
    jobs.map(|(job, eligible)| {
        let hosts = eligible.iter().copied().filter(|&host| decide.hosts.contains(host));
        let most = if job.run == RunOn::Once { 1 } else { usize::MAX };
        (image(decide.config, job), hosts.take(most).collect())
    })
}

/// What is told of the jobs of a deploy that is undone.
pub(super) fn not_taken_back(failed: &Failed<'_>) -> impl Iterator<Item = Note> {
    let begun = failed.plan.actions.iter().filter(|action| failed.begun.contains(&action.id));
    let before = begun.filter(|action| !action.is_cleanup());
    let jobs = before.filter_map(|action| match &action.request {
        Request::DeployRun(run) => run.labels.get(label::JOB),
        _ => None,
    });
    let jobs: BTreeSet<&String> = jobs.collect();
    jobs.into_iter().map(|job| {
        let message = format!("job `{job}` has run, and what it did is not taken back");
        Note { incomplete: false, message }
    })
}

/// What is told of jobs where an earlier release is brought back: migrations do not go backwards.
fn none_when_going_back(decide: &Decide<'_>) -> Option<Note> {
    let goes_with_deploys =
        |name: &&String| decide.config.jobs.get(*name).is_some_and(|job| job.when != When::Manual);
    let names: Vec<_> =
        decide.scope.jobs.keys().filter(goes_with_deploys).map(|name| format!("`{name}`")).collect();
    let message = format!("going back runs no jobs ({}), and what they did stays", names.join(", "));
    (!names.is_empty()).then_some(Note { incomplete: false, message })
}

fn nowhere(name: &str) -> Problem {
    let message = format!("none of the hosts of job `{name}` is selected and can be reached");
    Problem::at_key(format!("jobs.{name}"), message)
        .hint("select one of them too, or let the job run on others by `hosts` or `roles`")
}
