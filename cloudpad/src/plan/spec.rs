//! From a service to the specs of its containers: names, ports, and what tells two specs apart. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use cloudpad_plugin_api::model::{ContainerSpec, Port, Project, SecretRef, Volume, label};
use cloudpad_plugin_api::stage::deploy::Container;
use sha2::{Digest, Sha256};

use super::sight::Sighted;
use super::unit::Which;
use crate::config::{Config, Mount, MountMode, MountSource, PortRange, Problem, Secret, Service, Update};

/// A container as it should be.
pub(super) struct Wanted<'a> {
    pub(super) name: String,
    pub(super) spec_id: Rc<str>,
    pub(super) spec: Arc<ContainerSpec>,
    /// The release that it belongs to when it is made.
    pub(super) release: &'a str,
    /// Volumes and directories that no other container may use meanwhile.
    pub(super) exclusive: Rc<[String]>,
    /// Whether the old container has to be gone before it can start.
    pub(super) stop_first: bool,
    /// The image that it is made from, by its name in the config, or by reference where a release is brought back; none
    /// when it certainly is on the host.
    pub(super) image: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// A container as it was seen, to be started again; none where its label is not understood.
    pub(super) fn seen(old: &Sighted<'a>, config: &Config) -> Option<Self> {
        let Container { name, spec_id, release, spec, .. } = old.container;
        let spec = spec.clone()?;
        let exclusive = exclusive_of(config, old.which.service, &spec).into();
        let stop_first = config.services.get(old.which.service).is_some_and(stops_first);
        let (name, spec_id) = (name.clone(), spec_id.as_str().into());
        Some(Self { name, spec_id, spec, release, exclusive, stop_first, image: None })
    }

    /// The same under another name.
    pub(super) fn named(&self, name: String) -> Self {
        let Self { name: _, spec_id, spec, release, exclusive, stop_first, image } = self;
        let (spec_id, spec, exclusive) = (Rc::clone(spec_id), Arc::clone(spec), Rc::clone(exclusive));
        Self { name, spec_id, spec, release, exclusive, stop_first: *stop_first, image: *image }
    }

    /// The same under a name that none of the instance's containers has. It ends in its identity too, and cannot be that of another
    /// service, where a number stands before that.
    pub(super) fn beside(&self, others: &[Sighted<'_>]) -> Self {
        let (stem, id) = self.name.rsplit_once('-').unwrap_or((&self.name, ""));
        let further = (2..).map(|nth| format!("{stem}-anew{nth}-{id}"));
        let mut names = [self.name.clone(), format!("{stem}-anew-{id}")].into_iter().chain(further);
        let is_free = |name: &String| others.iter().all(|other| other.name != *name);
        self.named(names.find(is_free).unwrap_or_default())
    }
}

/// What the instances of a service should be. They share what is the same for all of them.
pub(super) struct Blueprint<'a> {
    service: (&'a str, &'a Service),
    /// The reference of the service's image.
    image: &'a str,
    project: &'a Project,
    /// What tells the values of secrets from others, by name.
    marks: &'a BTreeMap<String, String>,
    release: &'a str,
    exclusive: Rc<[String]>,
    /// By number.
    wanted: BTreeMap<u32, Rc<Wanted<'a>>>,
}

/// What differs between a spec and one that was seen, by the identity of both, and by whether the latter is
/// understood.
#[derive(Default)]
pub(super) struct Compared<'a>(BTreeMap<Pair<'a>, Arc<[String]>>);

type Pair<'a> = (Rc<str>, &'a str, bool);

impl<'a> Blueprint<'a> {
    /// Of a service that is made from the image `image`.
    pub(super) fn new(
        config: &'a Config,
        service: (&'a str, &'a Service),
        image: &'a str,
        (release, marks): (&'a str, &'a BTreeMap<String, String>),
    ) -> Self {
        let exclusive = exclusive(config, service.1).into();
        Self { service, image, project: &config.project, marks, release, exclusive, wanted: BTreeMap::new() }
    }

    /// What instance `number` should be.
    ///
    /// # Errors
    /// There are too few ports for it.
    pub(super) fn wanted(&mut self, number: u32) -> Result<Rc<Wanted<'a>>, Problem> {
        if let Some(wanted) = self.wanted.get(&number) {
            return Ok(Rc::clone(wanted));
        }
        let (name, service) = self.service;
        let ports = service.ports.iter().map(|range| port(range, name, number));
        let ports = ports.collect::<Result<Vec<_>, _>>()?;
        // Nothing but the ports depends on the number.
        let same = self.wanted.values().next().filter(|other| other.spec.ports == ports);
        let (spec_id, spec) = match same {
            Some(other) => (Rc::clone(&other.spec_id), Arc::clone(&other.spec)),
            None => {
                let spec = self.spec(ports);
                (spec_id(&spec).into(), Arc::new(spec))
            }
        };
        let name = container_name(self.project, Which { service: name, number }, &spec_id);
        let (release, exclusive, image) = (self.release, Rc::clone(&self.exclusive), Some(&*service.image));
        let stop_first = stops_first(service);
        let wanted = Rc::new(Wanted { name, spec_id, spec, release, exclusive, stop_first, image });
        self.wanted.insert(number, Rc::clone(&wanted));
        Ok(wanted)
    }

    fn spec(&self, ports: Vec<Port>) -> ContainerSpec {
        let (_, service) = self.service;
        ContainerSpec {
            image: self.image.to_owned(),
            command: service.command.clone(),
            env: service.env.clone(),
            secrets: service
                .secrets
                .iter()
                .map(|(target, secret)| (target.clone(), self.secret(secret)))
                .collect(),
            ports,
            volumes: service.volumes.iter().map(|mount| volume(mount, self.project)).collect(),
            networks: networks(&service.networks, self.project),
            health: service.health.clone(),
            stop_timeout: service.stop_timeout,
            stop_signal: service.stop_signal.clone(),
            restart: service.restart,
            cpu_millis: service.cpu_millis,
            memory: service.memory,
            labels: self.labels(),
        }
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.service.1.labels.clone();
        if self.service.1.protected {
            labels.insert(label::PROTECTED.to_owned(), "true".to_owned());
        }
        labels
    }

    fn secret(&self, secret: &Secret) -> SecretRef {
        secret_ref(secret, self.marks)
    }
}

impl<'a> Compared<'a> {
    /// What differs between containers that run and the one that should.
    pub(super) fn why(&mut self, old: &[&Sighted<'a>], wanted: &Wanted<'_>) -> Arc<[String]> {
        match old {
            [only] => self.compare(only, wanted),
            several => {
                let mut why: Vec<String> = Vec::new();
                for old in several {
                    let differences = self.compare(old, wanted);
                    let more: Vec<_> =
                        differences.iter().filter(|what| !why.contains(what)).cloned().collect();
                    why.extend(more);
                }
                why.into()
            }
        }
    }

    fn compare(&mut self, old: &Sighted<'a>, wanted: &Wanted<'_>) -> Arc<[String]> {
        if old.spec_id.is_empty() {
            return differences(old.spec, &wanted.spec).into();
        }
        let key = (Rc::clone(&wanted.spec_id), old.spec_id, old.spec.is_some());
        let compared = self.0.entry(key);
        Arc::clone(compared.or_insert_with(|| differences(old.spec, &wanted.spec).into()))
    }
}

/// A secret as a container has it. `marks` tell the values of secrets from others, by name.
pub(super) fn secret_ref(secret: &Secret, marks: &BTreeMap<String, String>) -> SecretRef {
    let Secret { name, mode, uid, gid } = secret.clone();
    let mark = marks.get(&name).cloned().unwrap_or_default();
    SecretRef { name, mark, mode, uid, gid }
}

/// The name of the container of an instance that is made from that spec.
pub(super) fn container_name(project: &Project, which: Which<'_>, spec_id: &str) -> String {
    let Which { service, number } = which;
    format!("{}-{service}-{number}-{}", project.prefix(), spec_id.get(..8).unwrap_or(spec_id))
}

/// The Nth instance's port of a range; a single port is every instance's.
pub(super) fn port(range: &PortRange, service: &str, number: u32) -> Result<Port, Problem> {
    let offset = if range.first == range.last { 0 } else { number - 1 };
    let published = u16::try_from(u32::from(range.first) + offset).ok().filter(|&port| port <= range.last);
    let Some(published) = published else {
        let (first, last) = (range.first, range.last);
        let message = format!("the ports {first}-{last} are too few for instance `{service}.{number}`");
        let problem = Problem::at_key(format!("services.{service}.ports"), message);
        return Err(problem.hint("widen the range, or ask for fewer instances"));
    };
    Ok(Port { host_ip: range.ip.clone(), published, target: range.container, protocol: range.protocol })
}

pub(super) fn volume(mount: &Mount, project: &Project) -> Volume {
    let source = source(&mount.source, project);
    Volume { source, target: mount.target.clone(), read_only: mount.mode == MountMode::ReadOnly }
}

/// The volumes and directories that no other container may use beside one of the service.
pub(super) fn exclusive(config: &Config, service: &Service) -> Vec<String> {
    let mounts = service.volumes.iter().filter(|mount| mount.mode == MountMode::Exclusive);
    mounts.map(|mount| source(&mount.source, &config.project)).collect()
}

/// The same for a container of that spec, whatever the service is now.
pub(super) fn exclusive_of(config: &Config, service: &str, spec: &ContainerSpec) -> Vec<String> {
    match config.services.get(service) {
        Some(service) => exclusive(config, service),
        // Nobody can say any more whether it shared them.
        None => spec.volumes.iter().filter(|v| !v.read_only).map(|v| v.source.clone()).collect(),
    }
}

/// What the engine mounts.
fn source(source: &MountSource, project: &Project) -> String {
    match source {
        MountSource::Volume(name) => project.own(name),
        MountSource::Path(path) => path.clone(),
    }
}

/// The network of services that name none, as in Compose.
const DEFAULT_NETWORK: &str = "default";

pub(super) fn networks(named: &[String], project: &Project) -> Vec<String> {
    let engine = |name: &str| matches!(name, "host" | "none" | "bridge");
    match named {
        [] => vec![project.own(DEFAULT_NETWORK)],
        named => {
            named.iter().map(|name| if engine(name) { name.clone() } else { project.own(name) }).collect()
        }
    }
}

/// What identifies a spec: the digest of its JSON, whose maps are sorted.
pub(super) fn spec_id(spec: &ContainerSpec) -> String {
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

/// The same for a container of that spec, whatever the service is now.
pub(super) fn restored_stops_first(
    config: &Config,
    service: &str,
    spec: &ContainerSpec,
    exclusive: &[String],
) -> bool {
    match config.services.get(service).map_or(Update::Auto, |service| service.update) {
        Update::StopFirst => true,
        Update::StartFirst => false,
        Update::Auto => {
            !spec.ports.is_empty() || spec.networks.iter().any(|n| n == "host") || !exclusive.is_empty()
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
        secrets,
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
    fields
        .chain(entries("env", env, &new.env))
        .chain(entries("secrets", secrets, &new.secrets))
        .chain(entries("labels", labels, &new.labels).into_iter().map(as_in_the_file))
        .collect()
}

/// What the config calls a label that stands for one of its keys.
fn as_in_the_file(what: String) -> String {
    match what.strip_prefix("labels.") {
        Some(label::PROTECTED) => "protected".to_owned(),
        _ => what,
    }
}

fn entries<T: PartialEq>(what: &str, old: &BTreeMap<String, T>, new: &BTreeMap<String, T>) -> Vec<String> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    differing.map(|name| format!("{what}.{name}")).collect()
}
