//! The verbs: one module per stage with its trait, its requests and its replies. Pure.

use serde::{Deserialize, Serialize};

pub mod build;
pub mod cluster;
pub mod deploy;
pub mod inventory;
pub mod push;
mod reply;
pub mod secrets;
pub mod source;

pub use reply::Reply;

/// One step of a deployment that touches the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Which hosts there are.
    Inventory,
    /// Where source code comes from.
    Source,
    /// What the values of secrets are.
    Secrets,
    /// How source code becomes an image.
    Build,
    /// How an image gets to the hosts.
    Push,
    /// How containers run on the hosts.
    Deploy,
}

impl Stage {
    /// Every stage, in the order in which a deployment passes them.
    pub const ALL: [Stage; 6] =
        [Stage::Inventory, Stage::Source, Stage::Secrets, Stage::Build, Stage::Push, Stage::Deploy];

    /// The stage's name in `Cloudpad.toml` and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Inventory => "inventory",
            Stage::Source => "source",
            Stage::Secrets => "secrets",
            Stage::Build => "build",
            Stage::Push => "push",
            Stage::Deploy => "deploy",
        }
    }

    /// The methods that a provider of the stage can be asked, `config.check` among them.
    pub fn methods(self) -> &'static [&'static str] {
        match self {
            Stage::Inventory => &[
                "config.check",
                "inventory.list",
                "inventory.add",
                "inventory.remove",
                "inventory.watch",
                "inventory.published",
                "inventory.publish",
            ],
            Stage::Source => &["config.check", "source.resolve", "source.fetch"],
            Stage::Secrets => &[
                "config.check",
                "secrets.get",
                "secrets.list",
                "secrets.set",
                "secrets.open",
                "secrets.save",
            ],
            Stage::Build => &["config.check", "build.observe", "build.run"],
            Stage::Push => &["config.check", "push.run", "push.list", "push.remove"],
            Stage::Deploy => &[
                "config.check",
                "deploy.observe",
                "deploy.pull",
                "deploy.start",
                "deploy.ready",
                "deploy.route",
                "deploy.stop",
                "deploy.remove",
                "deploy.lock",
                "deploy.unlock",
                "deploy.run",
                "deploy.trust",
                "deploy.keys",
                "deploy.login",
                "deploy.host",
                "deploy.exec",
                "deploy.command",
                "deploy.record",
                "deploy.logs",
                "deploy.events",
                "deploy.stats",
                "deploy.create",
                "deploy.clear",
                "deploy.resolve",
                "cluster.review",
                "cluster.observe",
                "cluster.apply",
                "cluster.ready",
                "cluster.remove",
                "cluster.record",
                "cluster.logs",
            ],
        }
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Anything a provider can be asked. An action of a plan is such a request, not yet sent.
///
/// A plan has very many of them about few hosts and specs, so they share those, and are small themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", content = "params")]
#[non_exhaustive]
pub enum Request {
    /// Can you work with this configuration?
    #[serde(rename = "config.check")]
    ConfigCheck(CheckConfig),
    /// Which hosts are there?
    #[serde(rename = "inventory.list")]
    InventoryList(inventory::List),
    /// Write this host down.
    #[serde(rename = "inventory.add")]
    InventoryAdd(inventory::Add),
    /// Take this host out.
    #[serde(rename = "inventory.remove")]
    InventoryRemove(inventory::Remove),
    /// Tell me when there may be others.
    #[serde(rename = "inventory.watch")]
    InventoryWatch(inventory::Watch),
    /// What do you tell of these instances?
    #[serde(rename = "inventory.published")]
    InventoryPublished(inventory::AskPublished),
    /// Tell where these instances are.
    #[serde(rename = "inventory.publish")]
    InventoryPublish(inventory::Publish),
    /// What exactly does this source stand for now?
    #[serde(rename = "source.resolve")]
    SourceResolve(source::Resolve),
    /// Bring that revision here.
    #[serde(rename = "source.fetch")]
    SourceFetch(source::Fetch),
    /// What are the values of these secrets?
    #[serde(rename = "secrets.get")]
    SecretsGet(secrets::Get),
    /// What are all secrets called?
    #[serde(rename = "secrets.list")]
    SecretsList(secrets::List),
    /// Keep this secret.
    #[serde(rename = "secrets.set")]
    SecretsSet(secrets::Set),
    /// Show all secrets to whoever edits them.
    #[serde(rename = "secrets.open")]
    SecretsOpen(secrets::Open),
    /// Keep what was edited.
    #[serde(rename = "secrets.save")]
    SecretsSave(secrets::Save),
    /// What identifies these images, and which are built?
    #[serde(rename = "build.observe")]
    BuildObserve(build::Observe),
    /// Build this image.
    #[serde(rename = "build.run")]
    BuildRun(Box<build::Run>),
    /// Bring this image to where hosts can have it.
    #[serde(rename = "push.run")]
    PushRun(push::Run),
    /// What is kept of this repository?
    #[serde(rename = "push.list")]
    PushList(push::List),
    /// Take these images out.
    #[serde(rename = "push.remove")]
    PushRemove(push::Remove),
    /// What runs on this host?
    #[serde(rename = "deploy.observe")]
    DeployObserve(deploy::Observe),
    /// Let the host pull this image.
    #[serde(rename = "deploy.pull")]
    DeployPull(deploy::Pull),
    /// Run this container.
    #[serde(rename = "deploy.start")]
    DeployStart(deploy::Start),
    /// Wait until this container serves.
    #[serde(rename = "deploy.ready")]
    DeployReady(deploy::Ready),
    /// Have the proxy lead requests to these containers.
    #[serde(rename = "deploy.route")]
    DeployRoute(Box<deploy::SetRoute>),
    /// Stop this container, and keep it.
    #[serde(rename = "deploy.stop")]
    DeployStop(deploy::Stop),
    /// Remove these containers and images.
    #[serde(rename = "deploy.remove")]
    DeployRemove(deploy::Remove),
    /// Take the project's lock.
    #[serde(rename = "deploy.lock")]
    DeployLock(deploy::Lock),
    /// Give it back.
    #[serde(rename = "deploy.unlock")]
    DeployUnlock(deploy::Unlock),
    /// Run this one-off container to its end.
    #[serde(rename = "deploy.run")]
    DeployRun(deploy::Run),
    /// Take this key for the host's.
    #[serde(rename = "deploy.trust")]
    DeployTrust(deploy::Trust),
    /// Which key does this host show?
    #[serde(rename = "deploy.keys")]
    DeployKeys(deploy::Keys),
    /// How does one get a shell on this host?
    #[serde(rename = "deploy.login")]
    DeployLogin(deploy::Login),
    /// What is this host?
    #[serde(rename = "deploy.host")]
    DeployHost(deploy::Look),
    /// Run this command in that container.
    #[serde(rename = "deploy.exec")]
    DeployExec(deploy::Exec),
    /// Run this command on the host.
    #[serde(rename = "deploy.command")]
    DeployCommand(deploy::Command),
    /// Remember this release, and forget those.
    #[serde(rename = "deploy.record")]
    DeployRecord(deploy::Record),
    /// What have these containers printed?
    #[serde(rename = "deploy.logs")]
    DeployLogs(deploy::Logs),
    /// What happens to these containers?
    #[serde(rename = "deploy.events")]
    DeployEvents(deploy::Events),
    /// What do these containers use?
    #[serde(rename = "deploy.stats")]
    DeployStats(deploy::Measure),
    /// Make this container, and do not run it yet.
    #[serde(rename = "deploy.create")]
    DeployCreate(deploy::Start),
    /// Remove what is left of the project.
    #[serde(rename = "deploy.clear")]
    DeployClear(deploy::Clear),
    /// What do these references mean now?
    #[serde(rename = "deploy.resolve")]
    DeployResolve(deploy::Resolve),
    /// What of these services can the cluster not be asked for?
    #[serde(rename = "cluster.review")]
    ClusterReview(cluster::Review),
    /// What does the cluster run?
    #[serde(rename = "cluster.observe")]
    ClusterObserve(cluster::Observe),
    /// Run this service.
    #[serde(rename = "cluster.apply")]
    ClusterApply(Box<cluster::Apply>),
    /// Wait until this service serves.
    #[serde(rename = "cluster.ready")]
    ClusterReady(cluster::Ready),
    /// Remove these services.
    #[serde(rename = "cluster.remove")]
    ClusterRemove(cluster::Remove),
    /// Remember this release, and forget those.
    #[serde(rename = "cluster.record")]
    ClusterRecord(cluster::Record),
    /// What have these instances printed?
    #[serde(rename = "cluster.logs")]
    ClusterLogs(cluster::Logs),
}

impl Request {
    /// The method's name on the wire.
    pub fn method(&self) -> &'static str {
        match self {
            Request::ConfigCheck(_) => "config.check",
            Request::InventoryList(_) => "inventory.list",
            Request::InventoryAdd(_) => "inventory.add",
            Request::InventoryRemove(_) => "inventory.remove",
            Request::InventoryWatch(_) => "inventory.watch",
            Request::InventoryPublished(_) => "inventory.published",
            Request::InventoryPublish(_) => "inventory.publish",
            Request::SourceResolve(_) => "source.resolve",
            Request::SourceFetch(_) => "source.fetch",
            Request::SecretsGet(_) => "secrets.get",
            Request::SecretsList(_) => "secrets.list",
            Request::SecretsSet(_) => "secrets.set",
            Request::SecretsOpen(_) => "secrets.open",
            Request::SecretsSave(_) => "secrets.save",
            Request::BuildObserve(_) => "build.observe",
            Request::BuildRun(_) => "build.run",
            Request::PushRun(_) => "push.run",
            Request::PushList(_) => "push.list",
            Request::PushRemove(_) => "push.remove",
            Request::DeployObserve(_) => "deploy.observe",
            Request::DeployPull(_) => "deploy.pull",
            Request::DeployStart(_) => "deploy.start",
            Request::DeployReady(_) => "deploy.ready",
            Request::DeployRoute(_) => "deploy.route",
            Request::DeployStop(_) => "deploy.stop",
            Request::DeployRemove(_) => "deploy.remove",
            Request::DeployLock(_) => "deploy.lock",
            Request::DeployUnlock(_) => "deploy.unlock",
            Request::DeployRun(_) => "deploy.run",
            Request::DeployTrust(_) => "deploy.trust",
            Request::DeployKeys(_) => "deploy.keys",
            Request::DeployLogin(_) => "deploy.login",
            Request::DeployHost(_) => "deploy.host",
            Request::DeployExec(_) => "deploy.exec",
            Request::DeployCommand(_) => "deploy.command",
            Request::DeployRecord(_) => "deploy.record",
            Request::DeployLogs(_) => "deploy.logs",
            Request::DeployEvents(_) => "deploy.events",
            Request::DeployStats(_) => "deploy.stats",
            Request::DeployCreate(_) => "deploy.create",
            Request::DeployClear(_) => "deploy.clear",
            Request::DeployResolve(_) => "deploy.resolve",
            Request::ClusterReview(_) => "cluster.review",
            Request::ClusterObserve(_) => "cluster.observe",
            Request::ClusterApply(_) => "cluster.apply",
            Request::ClusterReady(_) => "cluster.ready",
            Request::ClusterRemove(_) => "cluster.remove",
            Request::ClusterRecord(_) => "cluster.record",
            Request::ClusterLogs(_) => "cluster.logs",
        }
    }

    /// The stage whose provider serves it.
    pub fn stage(&self) -> Stage {
        match self {
            Request::ConfigCheck(q) => q.stage,
            Request::InventoryList(_)
            | Request::InventoryAdd(_)
            | Request::InventoryRemove(_)
            | Request::InventoryWatch(_)
            | Request::InventoryPublished(_)
            | Request::InventoryPublish(_) => Stage::Inventory,
            Request::SourceResolve(_) | Request::SourceFetch(_) => Stage::Source,
            Request::SecretsGet(_)
            | Request::SecretsList(_)
            | Request::SecretsSet(_)
            | Request::SecretsOpen(_)
            | Request::SecretsSave(_) => Stage::Secrets,
            Request::BuildObserve(_) | Request::BuildRun(_) => Stage::Build,
            Request::PushRun(_) | Request::PushList(_) | Request::PushRemove(_) => Stage::Push,
            Request::DeployObserve(_)
            | Request::DeployPull(_)
            | Request::DeployStart(_)
            | Request::DeployReady(_)
            | Request::DeployRoute(_)
            | Request::DeployStop(_)
            | Request::DeployRemove(_)
            | Request::DeployLock(_)
            | Request::DeployCommand(_)
            | Request::DeployHost(_)
            | Request::DeployLogin(_)
            | Request::DeployKeys(_)
            | Request::DeployTrust(_)
            | Request::DeployUnlock(_) => Stage::Deploy,
            Request::DeployRun(_) | Request::DeployExec(_) | Request::DeployLogs(_) => Stage::Deploy,
            Request::DeployRecord(_) | Request::DeployEvents(_) | Request::DeployStats(_) => Stage::Deploy,
            Request::DeployCreate(_) | Request::DeployClear(_) | Request::DeployResolve(_) => Stage::Deploy,
            Request::ClusterReview(_) | Request::ClusterObserve(_) | Request::ClusterApply(_) => {
                Stage::Deploy
            }
            Request::ClusterReady(_) | Request::ClusterRemove(_) | Request::ClusterRecord(_) => Stage::Deploy,
            Request::ClusterLogs(_) => Stage::Deploy,
        }
    }

    /// Reads the object that a provider has answered to this request.
    ///
    /// # Errors
    /// When it is not of the shape that the method asks for.
    pub fn reply(&self, ok: serde_json::Value) -> serde_json::Result<Reply> {
        use serde_json::from_value as read;
        match self {
            Request::InventoryList(_) => read(ok).map(Reply::Hosts),
            Request::InventoryAdd(_) | Request::InventoryRemove(_) | Request::InventoryPublish(_) => {
                read(ok).map(Reply::Written)
            }
            Request::InventoryPublished(_) => read(ok).map(Reply::Publication),
            Request::InventoryWatch(_) => read(ok).map(Reply::Watched),
            Request::SourceResolve(_) => read(ok).map(Reply::Resolved),
            Request::SourceFetch(_) => read(ok).map(Reply::Fetched),
            Request::SecretsGet(_) => read(ok).map(Reply::Secrets),
            Request::SecretsList(_) => read(ok).map(Reply::SecretNames),
            Request::SecretsOpen(_) => read(ok).map(Reply::SecretsOpened),
            Request::BuildObserve(_) => read(ok).map(Reply::Images),
            Request::BuildRun(_) => read(ok).map(Reply::Built),
            Request::PushRun(_) => read(ok).map(Reply::Pushed),
            Request::PushList(_) => read(ok).map(Reply::Listed),
            Request::DeployObserve(_) => read(ok).map(|seen| Reply::Observation(Box::new(seen))),
            Request::DeployPull(_) => read(ok).map(Reply::Pulled),
            Request::DeployStart(_) => read(ok).map(Reply::Started),
            Request::DeployReady(_) => read(ok).map(Reply::Ready),
            Request::DeployLock(_) => read(ok).map(Reply::Locked),
            Request::DeployRun(_) => read(ok).map(Reply::Ran),
            Request::DeployKeys(_) => read(ok).map(Reply::HostKey),
            Request::DeployLogin(_) => read(ok).map(Reply::Terminal),
            Request::DeployHost(_) => read(ok).map(Reply::Machine),
            Request::DeployExec(_) => read(ok).map(Reply::Executed),
            Request::DeployCommand(_) => read(ok).map(Reply::Exited),
            Request::DeployLogs(_) => read(ok).map(Reply::Logged),
            Request::DeployStats(_) => read(ok).map(Reply::Measured),
            Request::DeployCreate(_) => read(ok).map(Reply::Created),
            Request::DeployResolve(_) => read(ok).map(Reply::Digests),
            Request::ClusterReview(_) => read(ok).map(Reply::Reviewed),
            Request::ClusterObserve(_) => read(ok).map(|seen| Reply::ClusterSeen(Box::new(seen))),
            Request::ClusterApply(_) => read(ok).map(Reply::Applied),
            Request::ClusterReady(_) => read(ok).map(Reply::ClusterReady),
            Request::ClusterLogs(_) => read(ok).map(Reply::Logged),
            Request::ConfigCheck(_)
            | Request::SecretsSet(_)
            | Request::SecretsSave(_)
            | Request::PushRemove(_)
            | Request::DeployRoute(_)
            | Request::DeployStop(_)
            | Request::DeployRemove(_)
            | Request::DeployUnlock(_)
            | Request::DeployTrust(_)
            | Request::DeployEvents(_)
            | Request::DeployClear(_)
            | Request::ClusterRemove(_)
            | Request::ClusterRecord(_)
            | Request::DeployRecord(_) => {
                read(ok).map(|_: serde_json::Map<String, serde_json::Value>| Reply::Done)
            }
        }
    }

    /// The host it is about, where it is about one.
    pub fn host(&self) -> Option<&crate::model::Host> {
        match self {
            Request::PushRun(q) => q.host.as_deref(),
            Request::DeployObserve(q) => Some(&q.host),
            Request::DeployPull(q) => Some(&q.host),
            Request::DeployStart(q) => Some(&q.host),
            Request::DeployReady(q) => Some(&q.host),
            Request::DeployRoute(q) => Some(&q.host),
            Request::DeployStop(q) => Some(&q.host),
            Request::DeployRemove(q) => Some(&q.host),
            Request::DeployLock(q) => Some(&q.host),
            Request::DeployUnlock(q) => Some(&q.host),
            Request::DeployRun(q) => Some(&q.host),
            Request::DeployTrust(q) => Some(&q.host),
            Request::DeployKeys(q) => Some(&q.host),
            Request::DeployLogin(q) => Some(&q.host),
            Request::DeployHost(q) => Some(&q.host),
            Request::DeployExec(q) => Some(&q.host),
            Request::DeployCommand(q) => Some(&q.host),
            Request::DeployRecord(q) => Some(&q.host),
            Request::DeployLogs(q) => Some(&q.host),
            Request::DeployEvents(q) => Some(&q.host),
            Request::DeployStats(q) => Some(&q.host),
            Request::DeployCreate(q) => Some(&q.host),
            Request::DeployClear(q) => Some(&q.host),
            Request::DeployResolve(q) => Some(&q.host),
            Request::ConfigCheck(_)
            | Request::InventoryList(_)
            | Request::InventoryAdd(_)
            | Request::InventoryRemove(_)
            | Request::InventoryWatch(_)
            | Request::InventoryPublished(_)
            | Request::InventoryPublish(_)
            | Request::SourceResolve(_)
            | Request::SourceFetch(_)
            | Request::SecretsGet(_)
            | Request::SecretsList(_)
            | Request::SecretsSet(_)
            | Request::SecretsOpen(_)
            | Request::SecretsSave(_)
            | Request::BuildObserve(_)
            | Request::BuildRun(_)
            | Request::PushList(_)
            | Request::PushRemove(_)
            | Request::ClusterReview(_)
            | Request::ClusterObserve(_)
            | Request::ClusterApply(_)
            | Request::ClusterReady(_)
            | Request::ClusterRemove(_)
            | Request::ClusterRecord(_)
            | Request::ClusterLogs(_) => None,
        }
    }
}

/// The request `config.check`. The configuration is that of the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckConfig {
    /// The stage in which the provider is to use it.
    pub stage: Stage,
}
