//! What jobs cannot share with services, beside which they run, and what they cannot wait for. Pure.

use crate::config::{Config, Job, JobOf, Mount, MountMode, Problem, When};

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
        problems
            .extend(job.depends_on.iter().filter_map(|service| unreachable(config, (name, job), service)));
    }
}

/// What keeps a job from having `service` serve before it runs.
fn unreachable(config: &Config, (name, job): (&str, &Job), service: &str) -> Option<Problem> {
    let at = format!("jobs.{name}.depends_on");
    if job.when != When::Before {
        let message = format!("`depends_on` is for jobs that run before a deploy, and `{name}` does not");
        let hint = "remove it: one `after` runs when all serves, and one by hand starts nothing else";
        return Some(Problem::at_key(at, message).hint(hint));
    }
    let image = &config.services.get(service)?.image;
    if job_image(config, job) == Some(image) {
        let message = format!(
            "job `{name}` runs before `{service}`, which has its image, and so cannot wait until that serves"
        );
        let hint = "name what the job connects to, such as a database";
        return Some(Problem::at_key(at, message).hint(hint));
    }
    // Jobs run by name.
    let mut later = config.jobs.iter().filter(|(other, _)| other.as_str() > name);
    let (other, _) =
        later.find(|(_, other)| other.when == When::Before && job_image(config, other) == Some(image))?;
    let message = format!(
        "job `{name}` waits until `{service}` serves, which waits for job `{other}`, which runs after `{name}`"
    );
    let hint = format!("jobs run in the order of their names: give `{other}` one that comes before `{name}`");
    Some(Problem::at_key(at, message).hint(hint))
}

/// The image that a job is made from, by its name.
fn job_image<'a>(config: &'a Config, job: &'a Job) -> Option<&'a String> {
    match &job.of {
        JobOf::Image(name) => Some(name),
        JobOf::Service(name) => config.services.get(name).map(|service| &service.image),
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
