//! What whoever runs a job by hand has to know of it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::model::ContainerSpec;
use cloudpad_plugin_api::stage::deploy::Observation;

use super::{meant, spec};
use crate::config::{Config, Job, JobOf, Problem};
use crate::inventory::Inventory;
use crate::plan::reference;

/// The service whose containers tell which image is deployed: the job's own, or one that has its image; none where no
/// service has that.
pub fn job_service<'a>(config: &'a Config, job: &'a Job) -> Option<&'a str> {
    match &job.of {
        JobOf::Service(name) => Some(name),
        JobOf::Image(image) => {
            let mut same = config.services.iter().filter(|(_, service)| service.image == *image);
            same.next().map(|(name, _)| name.as_str())
        }
    }
}

/// The image that a job is made from, by its name in the config.
pub fn job_image<'a>(config: &'a Config, job: &'a Job) -> &'a str {
    spec::image(config, job)
}

/// The names of the secrets that a job needs.
pub fn job_secrets(config: &Config, job: &Job) -> BTreeSet<String> {
    spec::secrets(config, job).into_values().map(|secret| secret.name).collect()
}

/// What a job's container is made from, with an image of that reference. `marks` tell the values of secrets from others.
pub fn job_spec(config: &Config, job: &Job, image: &str, marks: &BTreeMap<String, String>) -> ContainerSpec {
    spec::spec(config, job, image, marks)
}

/// The hosts on which the job of that name may run, by their places in the inventory, ascending.
///
/// # Errors
/// A role that nobody has, a host that is not there.
pub fn job_hosts(
    config: &Config,
    inventory: &Inventory,
    (name, job): (&str, &Job),
) -> Result<Vec<usize>, Vec<Problem>> {
    let mut problems = Vec::new();
    let hosts = meant::hosts(name, job, (config, inventory), &mut problems);
    if problems.is_empty() { Ok(hosts) } else { Err(problems) }
}

/// Whether a host has an image, however its reference is written.
pub fn has_image(seen: &Observation, image: &str) -> bool {
    reference::is_on(image, seen)
}
