//! The config as meant: it can only hold what makes sense, and nothing later checks it again. Pure.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use cloudpad_plugin_api::Stage;
use cloudpad_plugin_api::model::{Health, Host, Project, Protocol, Restart};
use cloudpad_plugin_api::stage::build::{self, Arg, SecretSource};
use cloudpad_plugin_api::stage::deploy::{Proxy, RouteHealth};
use cloudpad_plugin_api::stage::source::Location;

use super::{Hooks, Job};

/// What `Cloudpad.toml` says, with its environment merged in and its variables replaced.
///
/// Every reference in it leads somewhere: a service's image is in `images`, an image's source in `sources`.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Whose containers they are.
    pub project: Arc<Project>,
    /// Which provider does each stage. Stages that nobody named are there with their defaults.
    pub stages: BTreeMap<Stage, StageChoice>,
    /// The files of plugins that are not looked for elsewhere, absolute. A plugin's name is what follows
    /// `cloudpad-` in the name of its file: `aws`, or `aws-inventory` for that stage alone.
    pub plugins: BTreeMap<String, PathBuf>,
    /// Hosts by name, in the order of the file. The engine of this machine where the file names none
    /// and no inventory provider either.
    pub hosts: Vec<Host>,
    /// Sources by name. An image that names no source has [`Config::HERE`].
    pub sources: BTreeMap<String, Source>,
    /// Images by name.
    pub images: BTreeMap<String, Image>,
    /// Services by name.
    pub services: BTreeMap<String, Service>,
    /// Jobs by name. None is called as a service.
    pub jobs: BTreeMap<String, Job>,
    /// How a deploy goes about it.
    pub deploy: Policy,
    /// Local commands at named points of a run.
    pub hooks: Hooks,
    /// The proxy on each host that has a service with a route.
    pub proxy: ProxyChoice,
    /// Where in the file each value stands.
    pub places: Places,
}

impl Config {
    /// The name of the source that is the directory of `Cloudpad.toml`.
    pub const HERE: &str = ".";
}

/// Where in the file each value stands: byte ranges by dotted key, as in [`Place::Key`](super::Place::Key).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(pub BTreeMap<String, Range<usize>>);

impl Places {
    /// The bytes of `key`'s value or, where the file does not have it, of the nearest table above it.
    pub fn find(&self, key: &str) -> Option<Range<usize>> {
        let mut key = key;
        loop {
            if let Some(bytes) = self.0.get(key) {
                return Some(bytes.clone());
            }
            key = &key[..key.rfind('.')?];
        }
    }
}

/// The provider that does a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StageChoice {
    /// Its name; none for `inventory` when the hosts in the file are all there are.
    pub provider: Option<String>,
    /// Its own table, which the core does not look into; `null` where there is none.
    pub config: serde_json::Value,
}

/// Where source code comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The repository or the directory; a relative directory is made absolute by the loader.
    pub location: Location,
    /// Commands to run in the source's directory after an update, each an argument list.
    pub prepare: Vec<Vec<String>>,
}

/// An image: one that is there already, or one that is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// A ready image, which hosts pull themselves.
    Ready {
        /// What a host pulls.
        reference: String,
    },
    /// An image that is built from a source.
    Built(Box<BuildImage>),
}

/// What goes into an image that is built. Fields are those of [`Recipe`](cloudpad_plugin_api::stage::build::Recipe).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is documented at `Recipe`")]
pub struct BuildImage {
    pub source: String,
    pub context: String,
    pub dockerfile: String,
    pub target: Option<String>,
    pub args: BTreeMap<String, Arg>,
    pub variables: BTreeMap<String, Arg>,
    pub runit: BTreeMap<String, String>,
    pub platforms: Vec<String>,
    pub secrets: BTreeMap<String, SecretSource>,
    pub ssh: bool,
    pub labels: BTreeMap<String, String>,
    pub cache_from: Vec<String>,
    pub cache_to: Option<String>,
}

impl BuildImage {
    /// The images of the project that the build begins from, by name.
    pub fn bases(&self) -> impl Iterator<Item = &str> {
        build::bases(&self.args).chain(build::bases(&self.variables))
    }
}

/// Containers of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The image's name in [`Config::images`].
    pub image: String,
    /// Hosts that have one of these roles. With no role and no host named: every host.
    pub roles: Vec<String>,
    /// These hosts, beside those with the roles.
    pub hosts: Vec<String>,
    /// How many containers.
    pub count: Count,
    /// Overrides the image's `CMD`.
    pub command: Option<Vec<String>>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Secrets, by the environment variable, or the absolute path of the file, in which the container finds each.
    pub secrets: BTreeMap<String, super::Secret>,
    /// Published ports.
    pub ports: Vec<PortRange>,
    /// Volumes and directories.
    pub volumes: Vec<Mount>,
    /// Networks as the file names them; empty for the project's own.
    pub networks: Vec<String>,
    /// How to tell whether a container serves.
    pub health: Option<Health>,
    /// Which HTTP requests lead to it.
    pub route: Option<Route>,
    /// Seconds between the stop signal and the kill signal.
    pub stop_timeout: u32,
    /// The stop signal.
    pub stop_signal: Option<String>,
    /// What the engine does when the process ends.
    pub restart: Restart,
    /// CPU limit in thousandths of a core.
    pub cpu_millis: Option<u64>,
    /// Memory limit in bytes.
    pub memory: Option<u64>,
    /// In which order old and new follow each other. Never `Auto` with a conflict: where `start-first`
    /// cannot be, the config that asks for it is a problem.
    pub update: Update,
    /// Whether its containers are replaced, stopped and removed only by a deploy that names it.
    pub protected: bool,
    /// Names by which several services are selected together.
    pub groups: Vec<String>,
    /// Container labels.
    pub labels: BTreeMap<String, String>,
}

impl Service {
    /// Whether its containers have the host's own network, and with it the same ports.
    pub fn is_on_host_network(&self) -> bool {
        self.networks.iter().any(|network| network == "host")
    }
}

/// Which HTTP requests a host's proxy leads to a service. Fields are those of
/// [`Rule`](cloudpad_plugin_api::stage::deploy::Rule).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is documented at `Rule`")]
pub struct Route {
    pub hosts: Vec<String>,
    pub path: Option<String>,
    pub port: u16,
    pub health: Option<RouteHealth>,
    pub tls: Option<RouteTls>,
    pub redirect: bool,
    pub timeout_ms: Option<u64>,
    pub max_body: Option<u64>,
    pub sticky: bool,
    pub headers: BTreeMap<String, String>,
}

/// Where a route's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteTls {
    /// The proxy gets it, by ACME.
    Auto,
    /// It is the value of a secret, and so is its key.
    Own {
        /// What the secret with the certificate is called where it is kept.
        certificate: String,
        /// The same of its key.
        key: String,
    },
}

/// The proxy on each host that has a service with a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyChoice {
    /// What it is made as.
    pub made: Arc<Proxy>,
    /// Milliseconds that a container which gets no more requests has for those that it is answering.
    pub drain_ms: u64,
}

/// How many containers a service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many in all, spread over its hosts.
    Replicas(u32),
    /// So many on each of its hosts.
    PerHost(u32),
}

/// A published port: one for all instances, or a range from which instance N has the Nth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The host's address to listen on; all of them where none is named.
    pub ip: Option<String>,
    /// The host's first port, that of instance 1.
    pub first: u16,
    /// The host's last port; equal to `first` for a fixed port.
    pub last: u16,
    /// The container's port.
    pub container: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// A volume or directory that a service's containers see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// What is mounted.
    pub source: MountSource,
    /// Where the container sees it, absolute.
    pub target: String,
    /// Who else may.
    pub mode: MountMode,
}

/// What is mounted into a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountSource {
    /// A volume of the project, by its name in the file.
    Volume(String),
    /// An absolute path of the host.
    Path(String),
}

/// Who may use a mount at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountMode {
    /// `:ro`, everyone may read.
    ReadOnly,
    /// `:shared`, several containers may write at once.
    Shared,
    /// The default: one container at a time, so an update stops the old one first. Two databases
    /// on one directory would destroy it.
    Exclusive,
}

/// In which order an old container and the new one follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// Start-first, unless a published port or an exclusive mount forbids it.
    Auto,
    /// New beside old, wait until it serves, stop the old one.
    StartFirst,
    /// Stop the old one, start the new one, wait until it serves.
    StopFirst,
}

/// How a deploy goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many instances of a service are updated at once. A percentage is of the service's
    /// instances, rounded up, and at least one.
    pub batch: Amount,
    /// How many instances of a service serve at all times while it is updated. A percentage is
    /// rounded up.
    pub min_healthy: Amount,
    /// Milliseconds within which a new container has to serve.
    pub ready_timeout_ms: u64,
    /// Milliseconds for which a container with no health check has to keep running.
    pub settle_ms: u64,
    /// How many earlier containers of each instance stay on the host, stopped.
    pub keep: u32,
    /// What follows a failed rollout.
    pub on_failure: OnFailure,
    /// What happens when a host cannot be looked at.
    pub unreachable: Unreachable,
}

/// A number, or a share of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many.
    Count(u32),
    /// So many of a hundred, at most 100.
    Percent(u32),
}

impl Amount {
    /// How many of `whole` that is, rounded up.
    pub fn of(self, whole: u32) -> u32 {
        match self {
            Amount::Count(count) => count,
            Amount::Percent(percent) => {
                let exact = u64::from(whole) * u64::from(percent);
                u32::try_from(exact.div_ceil(100)).unwrap_or(u32::MAX)
            }
        }
    }
}

/// What follows a failed rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// A plan that brings back what ran before.
    Rollback,
    /// Nothing: everything stays as it is.
    Stop,
}

/// What happens when a host that is concerned cannot be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// The deploy is refused before anything is touched.
    Refuse,
    /// The other hosts are deployed to, the host is named, and the exit code is 1.
    Skip,
}
