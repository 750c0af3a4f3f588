//! From a service to the spec of one of its containers: names, ports, and what tells two specs apart. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use cloudpad_plugin_api::model::{ContainerSpec, Instance, Port, Project, Volume};
use sha2::{Digest, Sha256};

use crate::config::{Mount, MountMode, MountSource, PortRange, Problem, Service, Update};

/// A container as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) spec_id: String,
    pub(super) spec: Rc<ContainerSpec>,
}

/// What instance `instance` of `service` should be, made from the image `image`.
pub(super) fn wanted(
    project: &Project,
    instance: &Instance,
    service: &Service,
    image: &str,
) -> Result<Wanted, Problem> {
    let ports = service.ports.iter().map(|range| port(range, instance)).collect::<Result<_, _>>()?;
    let spec = ContainerSpec {
        image: image.to_owned(),
        command: service.command.clone(),
        env: service.env.clone(),
        ports,
        volumes: service.volumes.iter().map(|mount| volume(mount, project)).collect(),
        networks: networks(&service.networks, project),
        health: service.health.clone(),
        stop_timeout: service.stop_timeout,
        stop_signal: service.stop_signal.clone(),
        restart: service.restart,
        cpu_millis: service.cpu_millis,
        memory: service.memory,
        labels: service.labels.clone(),
    };
    let spec_id = spec_id(&spec);
    let Instance { service, number } = instance;
    Ok(Wanted {
        name: format!("{}-{service}-{number}-{}", project.prefix(), &spec_id[..8]),
        spec_id,
        spec: Rc::new(spec),
    })
}

/// The Nth instance's port of a range; a single port is every instance's.
fn port(range: &PortRange, instance: &Instance) -> Result<Port, Problem> {
    let offset = if range.first == range.last { 0 } else { instance.number - 1 };
    let published = u16::try_from(u32::from(range.first) + offset).ok().filter(|&port| port <= range.last);
    let Some(published) = published else {
        let message =
            format!("the ports {}-{} are too few for instance `{instance}`", range.first, range.last);
        let problem = Problem::at_key(format!("services.{}.ports", instance.service), message);
        return Err(problem.hint("widen the range, or ask for fewer instances"));
    };
    Ok(Port { host_ip: range.ip.clone(), published, target: range.container, protocol: range.protocol })
}

fn volume(mount: &Mount, project: &Project) -> Volume {
    let source = source(&mount.source, project);
    Volume { source, target: mount.target.clone(), read_only: mount.mode == MountMode::ReadOnly }
}

/// What the engine mounts.
pub(super) fn source(source: &MountSource, project: &Project) -> String {
    match source {
        MountSource::Volume(name) => project.own(name),
        MountSource::Path(path) => path.clone(),
    }
}

/// The network of services that name none, as in Compose.
const DEFAULT_NETWORK: &str = "default";

fn networks(named: &[String], project: &Project) -> Vec<String> {
    let engine = |name: &str| matches!(name, "host" | "none" | "bridge");
    match named {
        [] => vec![project.own(DEFAULT_NETWORK)],
        named => {
            named.iter().map(|name| if engine(name) { name.clone() } else { project.own(name) }).collect()
        }
    }
}

/// What identifies a spec: the digest of its JSON, whose maps are sorted.
fn spec_id(spec: &ContainerSpec) -> String {
    // A spec has no map with keys other than strings, so this cannot fail.
    digest(&serde_json::to_vec(spec).unwrap_or_default())
}

/// The first 12 hex digits of the SHA-256.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a service's old container has to be gone before the new one can start.
pub(super) fn stops_first(service: &Service) -> bool {
    match service.update {
        Update::StopFirst => true,
        Update::StartFirst => false,
        Update::Auto => {
            !service.ports.is_empty()
                || service.is_on_host_network()
                || service.volumes.iter().any(|m| m.mode == MountMode::Exclusive)
        }
    }
}

/// What differs between two specs: the names of fields, and of single variables and labels.
pub(super) fn differences(old: Option<&ContainerSpec>, new: &ContainerSpec) -> Vec<String> {
    let Some(old) = old else { return vec!["spec".to_owned()] };
    // Taken apart by name, so that a new field cannot be forgotten.
    let ContainerSpec {
        image,
        command,
        env,
        ports,
        volumes,
        networks,
        health,
        stop_timeout,
        stop_signal,
        restart,
        cpu_millis,
        memory,
        labels,
    } = old;
    let fields = [
        ("image", *image != new.image),
        ("command", *command != new.command),
        ("ports", *ports != new.ports),
        ("volumes", *volumes != new.volumes),
        ("networks", *networks != new.networks),
        ("health", *health != new.health),
        ("stop_timeout", *stop_timeout != new.stop_timeout),
        ("stop_signal", *stop_signal != new.stop_signal),
        ("restart", *restart != new.restart),
        ("cpu", *cpu_millis != new.cpu_millis),
        ("memory", *memory != new.memory),
    ];
    let fields = fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned());
    fields.chain(entries("env", env, &new.env)).chain(entries("labels", labels, &new.labels)).collect()
}

fn entries(what: &str, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    differing.map(|name| format!("{what}.{name}")).collect()
}
