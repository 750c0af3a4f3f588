//! Which jobs go with a deploy of some services, and where they may run. Pure.

use std::collections::BTreeMap;

use super::spec::image;
use crate::config::{Config, Job, JobOf, Problem, When};
use crate::inventory::{Inventory, Selection};
use crate::plan::scope::eligible;

/// The services for whose new containers a job runs: those of its image, and all where no service has that.
pub(in crate::plan) fn services<'a>(config: &'a Config, job: &Job) -> Vec<&'a str> {
    let image = image(config, job);
    let same = config.services.iter().filter(|(_, service)| service.image == image);
    let same: Vec<&str> = same.map(|(name, _)| name.as_str()).collect();
    if same.is_empty() { config.services.keys().map(String::as_str).collect() } else { same }
}

/// The jobs that go with a deploy of `selected` services, each with the hosts on which it may run, ascending.
pub(in crate::plan) fn jobs(
    (config, inventory): (&Config, &Inventory),
    selection: &Selection,
    selected: &BTreeMap<String, Vec<usize>>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Vec<usize>> {
    let mut jobs = BTreeMap::new();
    for (name, job) in config.jobs.iter().filter(|(_, job)| job.when != When::Manual) {
        let own = !config.services.values().any(|service| service.image == image(config, job));
        let is_meant = match own {
            true => !selection.narrows_services(),
            false => services(config, job).iter().any(|service| selected.contains_key(*service)),
        };
        if is_meant {
            jobs.insert(name.clone(), hosts(name, job, (config, inventory), problems));
        }
    }
    jobs
}

/// The hosts on which a job may run: its own, else those of its service.
pub(super) fn hosts(
    name: &str,
    job: &Job,
    (config, inventory): (&Config, &Inventory),
    problems: &mut Vec<Problem>,
) -> Vec<usize> {
    if let (JobOf::Service(of), true) = (&job.of, job.roles.is_empty() && job.hosts.is_empty())
        && let Some(service) = config.services.get(of)
    {
        return eligible(("service", of), (&service.roles, &service.hosts), inventory, problems);
    }
    eligible(("job", name), (&job.roles, &job.hosts), inventory, problems)
}
