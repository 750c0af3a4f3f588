//! What a job's container is made from. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::model::{ContainerSpec, Restart};

use crate::config::{Config, Job, JobOf, Secret, Service};
use crate::plan::spec::{networks, secret_ref, volume};

/// Seconds between the stop signal and the kill signal, where no service says it. Docker's own.
const STOP_TIMEOUT: u32 = 10;

fn service<'a>(config: &'a Config, job: &Job) -> Option<&'a Service> {
    match &job.of {
        JobOf::Service(name) => config.services.get(name),
        JobOf::Image(_) => None,
    }
}

/// The image that a job is made from, by its name in the config.
pub(in crate::plan) fn image<'a>(config: &'a Config, job: &'a Job) -> &'a str {
    match &job.of {
        JobOf::Image(name) => name,
        JobOf::Service(name) => config.services.get(name).map_or("", |service| &service.image),
    }
}

/// A job's secrets, by where its container finds each: its service's, and its own.
pub(in crate::plan) fn secrets(config: &Config, job: &Job) -> BTreeMap<String, Secret> {
    let mut secrets = service(config, job).map(|service| service.secrets.clone()).unwrap_or_default();
    secrets.retain(|variable, _| !job.env.contains_key(variable));
    secrets.extend(job.secrets.clone());
    secrets
}

fn env(config: &Config, job: &Job) -> BTreeMap<String, String> {
    let mut env = service(config, job).map(|service| service.env.clone()).unwrap_or_default();
    env.retain(|variable, _| !job.secrets.contains_key(variable));
    env.extend(job.env.clone());
    env
}

/// The spec of a job whose image has that reference. `marks` tell the values of secrets from others.
pub(super) fn spec(
    config: &Config,
    job: &Job,
    reference: &str,
    marks: &BTreeMap<String, String>,
) -> ContainerSpec {
    let (service, secrets) = (service(config, job), secrets(config, job));
    let volumes = job.volumes.as_deref().or_else(|| service.map(|service| &*service.volumes));
    let named = job.networks.as_deref().or_else(|| service.map(|service| &*service.networks));
    ContainerSpec {
        image: reference.to_owned(),
        command: job.command.clone(),
        env: env(config, job),
        secrets: secrets.into_iter().map(|(target, secret)| (target, secret_ref(&secret, marks))).collect(),
        volumes: volumes.into_iter().flatten().map(|mount| volume(mount, &config.project)).collect(),
        networks: networks(named.unwrap_or_default(), &config.project),
        stop_timeout: service.map_or(STOP_TIMEOUT, |service| service.stop_timeout),
        stop_signal: service.and_then(|service| service.stop_signal.clone()),
        restart: Restart::No,
        cpu_millis: service.and_then(|service| service.cpu_millis),
        memory: service.and_then(|service| service.memory),
        ..ContainerSpec::default()
    }
}
