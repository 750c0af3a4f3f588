//! A plan in a file, and what has to be unchanged for it to be carried out later. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::{Project, label};
use cloudpad_plugin_api::stage::deploy::{Container, Observation, OneOff, PortHeld, State};
use serde::{Deserialize, Serialize};

use super::hooks::hooks;
use super::spec::digest;
use super::{Goal, Plan, reference};
use crate::config::{Config, Image, show};
use crate::observed::{HostState, Observed};

/// A plan as it is saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The version of this form, [`SavedPlan::VERSION`].
    pub version: u32,
    /// Whose plan it is.
    pub project: Project,
    /// What was asked for.
    pub goal: Goal,
    /// What it was made from.
    pub seen: Seen,
    /// The plan.
    pub plan: Plan,
}

impl SavedPlan {
    /// The version that is written and read here.
    pub const VERSION: u32 = 1;

    /// A plan with what it was made from.
    pub fn new(config: &Config, goal: Goal, observed: &Observed, plan: Plan) -> Self {
        let project = (*config.project).clone();
        Self { version: Self::VERSION, project, goal, seen: seen(config, observed), plan }
    }

    /// Checks that it may be carried out for `config`, now that `observed` was seen.
    ///
    /// # Errors
    /// `invalid`: it is another project's, of another version, or damaged. `stale`: what it was made from is not so
    /// any more.
    pub fn check(&self, config: &Config, observed: &Observed) -> Result<(), Failure> {
        if self.version != Self::VERSION {
            let message = format!("the saved plan has version {}, not {}", self.version, Self::VERSION);
            return Err(Failure::invalid(message).hint("make the plan again with this program"));
        }
        if self.project != *config.project {
            let (theirs, ours) = (self.project.prefix(), config.project.prefix());
            let message = format!("the saved plan is for `{theirs}`, not for `{ours}`");
            return Err(Failure::invalid(message).hint("choose the environment it was made for with `-e`"));
        }
        if !self.plan.is_in_order() {
            let message = "the saved plan is damaged: its actions are not in the order of their needs";
            return Err(Failure::invalid(message).hint("make the plan again"));
        }
        let differences = self.seen.differences(&seen(config, observed));
        if !differences.is_empty() {
            return Err(outdated(differences));
        }
        if self.plan.hooks != hooks(config, self.goal.until, &self.plan.actions) {
            let message = "the saved plan is damaged: its hooks are not those of the config";
            return Err(Failure::invalid(message).hint("make the plan again"));
        }
        Ok(())
    }
}

fn outdated(mut differences: Vec<String>) -> Failure {
    const SHOWN: usize = 10;
    let more = differences.len().saturating_sub(SHOWN);
    differences.truncate(SHOWN);
    differences.extend((more > 0).then(|| format!("and {more} more")));
    let failure = Failure::stale("the saved plan is out of date").hint("make the plan again");
    differences.into_iter().fold(failure, Failure::cause)
}

/// All that a plan depends on, without what may change and does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// A digest of what the config says. It holds values that are nobody else's business.
    pub config: String,
    /// What each source stands for.
    pub sources: BTreeMap<String, String>,
    /// The reference of each image that is built.
    pub images: BTreeMap<String, String>,
    /// What ready images mean, with their digests.
    #[serde(default)]
    pub pins: BTreeMap<String, String>,
    /// What tells the value of each secret from others.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// What is on each host.
    pub hosts: BTreeMap<String, SeenHost>,
    /// The revision of each service of a cluster.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, String>,
}

/// What is on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenHost {
    /// Nobody knows.
    Unseen,
    /// This.
    Seen {
        /// The engine's platform.
        platform: String,
        /// The project's containers, those of jobs among them: what identifies each, by its name.
        containers: BTreeMap<String, SeenContainer>,
        /// Which of the config's images are there.
        images: BTreeSet<String>,
        /// Ports that the config publishes and others' containers hold.
        ports: BTreeSet<PortHeld>,
    },
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenContainer {
    /// The engine's id.
    pub id: String,
    /// The identity of its spec.
    pub spec_id: String,
    /// What it does: `running`, `unhealthy` or `stopped`.
    pub state: String,
}

/// All of `observed` that a plan for `config` depends on.
pub fn seen(config: &Config, observed: &Observed) -> Seen {
    let ready = ready_images(config, observed);
    let built: BTreeSet<String> = observed.images.values().map(|image| image.reference.clone()).collect();
    let sources = observed.sources.iter().map(|(name, source)| {
        let revision = source.revision.as_deref().unwrap_or("files");
        (name.clone(), format!("{revision}{}", if source.dirty { ", changed" } else { "" }))
    });
    Seen {
        config: digest(show(config).as_bytes()),
        sources: sources.collect(),
        images: observed.images.iter().map(|(name, i)| (name.clone(), i.reference.clone())).collect(),
        pins: observed.pins.iter().map(|(name, pin)| (name.clone(), pin.reference.clone())).collect(),
        secrets: observed.secrets.clone(),
        hosts: observed
            .hosts
            .iter()
            .map(|(name, h)| (name.clone(), seen_host(config, h, (&ready, &built))))
            .collect(),
        services: observed
            .cluster
            .iter()
            .flat_map(|seen| &seen.services)
            .map(|service| (service.name.clone(), format!("revision {}", service.revision)))
            .collect(),
    }
}

fn ready_images(config: &Config, observed: &Observed) -> BTreeSet<String> {
    let ready = config.images.values().filter_map(|image| match image {
        Image::Ready { reference } => Some(observed.meant(reference).to_owned()),
        Image::Built(_) => None,
    });
    ready.collect()
}

/// `ready` and `built` are the images whose presence decides whether they are brought there.
fn seen_host(
    config: &Config,
    host: &HostState,
    (ready, built): (&BTreeSet<String>, &BTreeSet<String>),
) -> SeenHost {
    let HostState::Seen(host) = host else { return SeenHost::Unseen };
    let ready = ready.iter().filter(|image| reference::is_on(image, host));
    let built = built.iter().filter(|image| host.has_built(image));
    let containers = host.containers.iter().map(|c| (c.name.clone(), seen_container(c)));
    let jobs = host.one_offs.iter().filter(|one_off| one_off.labels.contains_key(label::JOB));
    let jobs = jobs.map(|job| (job.name.clone(), seen_job(job)));
    SeenHost::Seen {
        platform: host.engine.platform.clone(),
        containers: containers.chain(jobs).collect(),
        images: ready.chain(built).cloned().collect(),
        ports: foreign_ports(config, host),
    }
}

fn seen_container(container: &Container) -> SeenContainer {
    let (id, spec_id) = (container.id.clone(), container.spec_id.clone());
    SeenContainer { id, spec_id, state: seen_state(container.state).to_owned() }
}

fn seen_job(job: &OneOff) -> SeenContainer {
    let spec_id = job.labels.get(label::JOB_SPEC_ID).cloned().unwrap_or_default();
    SeenContainer { id: job.id.clone(), spec_id, state: seen_state(job.state).to_owned() }
}

fn seen_state(state: State) -> &'static str {
    match state {
        State::Running | State::Starting => "running",
        State::Unhealthy | State::Paused | State::Restarting => "unhealthy",
        State::Stopped | State::Other => "stopped",
    }
}

fn foreign_ports(config: &Config, host: &Observation) -> BTreeSet<PortHeld> {
    let ours: BTreeSet<&str> = host.containers.iter().map(|c| c.name.as_str()).collect();
    let published = |held: &&PortHeld| {
        config.services.values().flat_map(|service| &service.ports).any(|range| {
            (range.first..=range.last).contains(&held.published) && range.protocol == held.protocol
        })
    };
    let foreign = host.ports.iter().filter(|held| !ours.contains(held.container.as_str()));
    foreign.filter(published).cloned().collect()
}

impl Seen {
    /// What is not as it was, in words.
    pub fn differences(&self, now: &Seen) -> Vec<String> {
        let mut found = Vec::new();
        if self.config != now.config {
            found.push("the config says something else now".to_owned());
        }
        compare("source", &self.sources, &now.sources, &mut found);
        compare("image", &self.images, &now.images, &mut found);
        compare("image", &self.pins, &now.pins, &mut found);
        compare("service", &self.services, &now.services, &mut found);
        let secrets: BTreeSet<&String> = self.secrets.keys().chain(now.secrets.keys()).collect();
        let changed = secrets.into_iter().filter(|name| self.secrets.get(*name) != now.secrets.get(*name));
        found.extend(changed.map(|name| format!("secret `{name}` has another value now")));
        let names: BTreeSet<&String> = self.hosts.keys().chain(now.hosts.keys()).collect();
        for name in names {
            let differences = match (self.hosts.get(name), now.hosts.get(name)) {
                (Some(old), Some(new)) => host_differences(old, new),
                (Some(_), None) => vec!["was looked at, and is not any more".to_owned()],
                _ => vec!["was not looked at before".to_owned()],
            };
            found.extend(differences.into_iter().map(|difference| format!("`{name}`: {difference}")));
        }
        found
    }
}

fn compare(
    what: &str,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    found: &mut Vec<String>,
) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let of =
            |map: &BTreeMap<String, String>| map.get(name).map_or("not there", String::as_str).to_owned();
        let (was, is) = (of(old), of(new));
        if was != is {
            found.push(format!("{what} `{name}` was {was}, is {is}"));
        }
    }
}

fn host_differences(old: &SeenHost, new: &SeenHost) -> Vec<String> {
    use SeenHost::{Seen, Unseen};
    match (old, new) {
        (Unseen, Unseen) => Vec::new(),
        (Unseen, Seen { .. }) => vec!["could not be looked at before".to_owned()],
        (Seen { .. }, Unseen) => vec!["cannot be looked at now".to_owned()],
        (
            Seen { platform: p1, containers: c1, images: i1, ports: o1 },
            Seen { platform: p2, containers: c2, images: i2, ports: o2 },
        ) => {
            let mut found = Vec::new();
            if p1 != p2 {
                found.push(format!("the platform was {p1}, is {p2}"));
            }
            container_differences(c1, c2, &mut found);
            found.extend(i1.difference(i2).map(|image| format!("image `{image}` was there, is gone")));
            found.extend(i2.difference(i1).map(|image| format!("image `{image}` was not there, is now")));
            for held in o2.difference(o1) {
                found.push(format!("port {} is now held by `{}`", held.published, held.container));
            }
            for held in o1.difference(o2) {
                found.push(format!("port {} is not held by `{}` any more", held.published, held.container));
            }
            found
        }
    }
}

fn container_differences(
    old: &BTreeMap<String, SeenContainer>,
    new: &BTreeMap<String, SeenContainer>,
    found: &mut Vec<String>,
) {
    for (name, was) in old {
        match new.get(name) {
            None => found.push(format!("container `{name}` was {}, is gone", was.state)),
            Some(is) if is.state != was.state => {
                found.push(format!("container `{name}` was {}, is {}", was.state, is.state));
            }
            Some(is) if is != was => found.push(format!("container `{name}` has been made anew")),
            Some(_) => {}
        }
    }
    let added = new.iter().filter(|(name, _)| !old.contains_key(*name));
    found.extend(added.map(|(name, is)| format!("container `{name}` was not there, is {}", is.state)));
}
