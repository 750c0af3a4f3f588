//! The nouns that requests and replies are made of. Field names follow Docker and Compose. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::or_empty;

/// A machine that runs containers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its name in `Cloudpad.toml` or in the inventory.
    pub name: String,
    /// `local`, or `[user@]host[:port]`. What is not said comes from the user's `~/.ssh/config`.
    pub address: String,
    /// What it is for; services choose hosts by role.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Anything else that is known of it.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Host {
    /// The address that stands for the engine of this machine.
    pub const LOCAL: &str = "local";

    /// A host with no role and no label.
    pub fn new(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self { name: name.into(), address: address.into(), roles: Vec::new(), labels: BTreeMap::new() }
    }

    /// Whether it is the engine of this machine.
    pub fn is_local(&self) -> bool {
        self.address == Self::LOCAL
    }
}

/// Whose containers they are: two environments of one project never touch each other's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Project {
    /// The project's name.
    pub name: String,
    /// The chosen environment, such as `staging`; none where the config is used as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

impl Project {
    /// `NAME` or `NAME.ENVIRONMENT`: what containers, networks and volumes of the project begin with. No
    /// name has a dot, so no project's environment is taken for another project.
    pub fn prefix(&self) -> String {
        match &self.environment {
            Some(environment) => format!("{}.{environment}", self.name),
            None => self.name.clone(),
        }
    }

    /// The engine's name for the project's volume or network `name`, which has no dot either.
    pub fn own(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix())
    }
}

/// One copy of a service: number `number` (from 1) of `service`. Numbers are stable across deploys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Instance {
    /// The service's name.
    pub service: String,
    /// Which of its instances, from 1. With `per_host` it counts on each host, else over all hosts.
    pub number: u32,
}

impl std::fmt::Display for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.service, self.number)
    }
}

/// All that a container is made from. Two containers with equal specs are interchangeable.
///
/// It is stored whole in the container's label [`label::SPEC`], so it holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// The image, by the reference that identifies its content or that the config names.
    pub image: String,
    /// Overrides the image's `CMD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Secrets, by where the container finds each: the name of an environment variable, or the absolute path of
    /// a file, which is in memory and which the container can only read. Their values come with the call.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretRef>,
    /// Ports of the host that lead into the container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    /// Volumes and directories of the host that the container sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// Networks by their names on the host, the first being the main one; also `host`, `none` or
    /// `bridge`, alone. On the others the service's name is an alias of the container.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// How to tell whether it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Seconds between the stop signal and the kill signal.
    pub stop_timeout: u32,
    /// The stop signal, such as `SIGQUIT`; the image's own where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// What the engine does when the container's process ends.
    #[serde(default)]
    pub restart: Restart,
    /// CPU limit in thousandths of a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_millis: Option<u64>,
    /// Memory limit in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// The user's own labels, and [`label::PROTECTED`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A secret that a container gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRef {
    /// What it is called where it is kept.
    pub name: String,
    /// What tells its value from others, and does not reveal it: another value, another container.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub mark: String,
    /// Of a file: its permission bits, where they are not 256 (`0400`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// Of a file: the user id of its owner, where that is not the user that the image names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Of a file: its group id, where that is not the one of the user that the image names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
}

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// Lines.
    pub rows: u16,
    /// Characters of a line.
    pub columns: u16,
}

/// A port of the host that leads into a container; its fields are those of Compose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Port {
    /// The host's address to listen on; all of them where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_ip: Option<String>,
    /// The host's port.
    pub published: u16,
    /// The container's port.
    pub target: u16,
    /// TCP or UDP.
    #[serde(default)]
    pub protocol: Protocol,
}

/// TCP or UDP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// A volume or a directory of the host that a container sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Volume {
    /// A volume's name on the host, or an absolute path of the host.
    pub source: String,
    /// Where the container sees it, absolute.
    pub target: String,
    /// Whether the container may only read it.
    #[serde(default)]
    pub read_only: bool,
}

/// What the engine does when a container's process ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Nothing.
    No,
    /// Starts it again, unless it was stopped on purpose.
    #[default]
    UnlessStopped,
    /// Starts it again whenever the engine runs.
    Always,
    /// Starts it again when it ended with an error.
    OnFailure,
}

/// How to tell whether a container serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// What to try.
    pub check: Check,
    /// Milliseconds between two tries.
    pub interval_ms: u64,
    /// Milliseconds until a try counts as failed.
    pub timeout_ms: u64,
    /// Failed tries in a row that make a container unhealthy. Whoever waits for one that has just been started tries on.
    pub retries: u32,
}

impl Health {
    /// Whether it is tried by whoever deploys, through a connection to the container, and not by the engine.
    pub fn needs_connection(&self) -> bool {
        matches!(self.check, Check::Http { .. } | Check::Tcp { .. })
    }
}

/// What to try to see whether a container serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Check {
    /// GET of `http://CONTAINER:port/path` answers 2xx or 3xx. Asked by Cloudpad through the host,
    /// so the image needs no HTTP client.
    Http {
        /// The container's port.
        port: u16,
        /// The path, beginning with `/`.
        path: String,
    },
    /// The container's port accepts a connection. Asked by Cloudpad through the host.
    Tcp {
        /// The container's port.
        port: u16,
    },
    /// The engine runs this in the container, as a Docker `HEALTHCHECK` would; exit code 0 is healthy.
    Command {
        /// The argument list.
        command: Vec<String>,
    },
    /// The image's own `HEALTHCHECK`.
    Image,
}

/// Labels by which Cloudpad knows its containers, and the images that it builds. No container without them is
/// ever touched.
pub mod label {
    /// The project's name.
    pub const PROJECT: &str = "cloudpad.project";
    /// The environment; empty where none was chosen.
    pub const ENVIRONMENT: &str = "cloudpad.environment";
    /// The service's name.
    pub const SERVICE: &str = "cloudpad.service";
    /// The instance's number.
    pub const INSTANCE: &str = "cloudpad.instance";
    /// The release that made the container.
    pub const RELEASE: &str = "cloudpad.release";
    /// The [`ContainerSpec`](super::ContainerSpec) as JSON.
    pub const SPEC: &str = "cloudpad.spec";
    /// The identity of the spec, as its planner computed it.
    pub const SPEC_ID: &str = "cloudpad.spec-id";
    /// Only on a one-off container: it is no instance of any service.
    pub const ONE_OFF: &str = "cloudpad.one-off";
    /// On the one-off container of a job: the job's name.
    pub const JOB: &str = "cloudpad.job";
    /// On the same: when it runs, `before` or `after` a deploy, or `manual`.
    pub const JOB_WHEN: &str = "cloudpad.job-when";
    /// On the same: the identity of its spec, as its planner computed it.
    pub const JOB_SPEC_ID: &str = "cloudpad.job-spec-id";
    /// `true` on a container that only a deploy which names its service replaces, stops or removes.
    pub const PROTECTED: &str = "cloudpad.protected";
    /// On an image: the reference that it was built as. A tag is easily given to another image, which does not
    /// have this.
    pub const IMAGE: &str = "cloudpad.image";
    /// On an empty volume: the [`Release`](crate::stage::deploy::Release) that it stands for, as JSON.
    pub const RECORD: &str = "cloudpad.record";
}
