//! What jobs cannot share with services, beside which they run. Pure.

use crate::config::{Config, Job, JobOf, Mount, MountMode, Problem};

use super::service::source;

pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    for (name, job) in &config.jobs {
        for variable in job.secrets.keys().filter(|variable| job.env.contains_key(*variable)) {
            let message = format!("the variable `{variable}` is in `env` already");
            problems.push(Problem::at_key(format!("jobs.{name}.secrets.{variable}"), message));
        }
        let mounted = |path: &&String| mounts(config, job).iter().any(|mount| mount.target == **path);
        for path in job.secrets.keys().filter(mounted) {
            let message = format!("something else is mounted at `{path}` already");
            problems.push(Problem::at_key(format!("jobs.{name}.secrets.{path}"), message));
        }
        let alone = mounts(config, job).iter().find_map(|mount| Some((mount, holder(config, mount)?)));
        if let Some((mount, service)) = alone {
            let volume = source(mount);
            let message = format!(
                "only one container may have `{volume}`, and the job would run beside service `{service}`"
            );
            let hint =
                "let `volumes` of the job be without it, or mount it `:ro` there, or `:shared` in both";
            problems.push(Problem::at_key(format!("jobs.{name}.volumes"), message).hint(hint));
        }
    }
}

/// What the job mounts.
fn mounts<'a>(config: &'a Config, job: &'a Job) -> &'a [Mount] {
    match (&job.volumes, &job.of) {
        (Some(volumes), _) => volumes,
        (None, JobOf::Service(service)) => {
            config.services.get(service).map_or(&[], |service| &service.volumes)
        }
        (None, JobOf::Image(_)) => &[],
    }
}

/// A service that may not have the mount beside the job.
fn holder<'a>(config: &'a Config, mount: &Mount) -> Option<&'a str> {
    let writes = |mount: &Mount| mount.mode != MountMode::ReadOnly;
    let clash = |other: &Mount| {
        other.source == mount.source
            && writes(other)
            && writes(mount)
            && [mount.mode, other.mode].contains(&MountMode::Exclusive)
    };
    let holder = config.services.iter().find(|(_, service)| service.volumes.iter().any(clash));
    holder.map(|(name, _)| name.as_str())
}
