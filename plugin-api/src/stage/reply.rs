//! What can be answered. Pure.

use serde::Serialize;

use super::{build, cluster, deploy, inventory, push, secrets, source};

/// What a provider answers when it has done what it was asked. On the wire it is an object whose shape
/// follows from the method that was called: [`Request::reply`](super::Request::reply) reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Reply {
    /// To `inventory.list`.
    Hosts(inventory::Hosts),
    /// To `inventory.add`, `inventory.remove` and `inventory.publish`.
    Written(inventory::Written),
    /// To `inventory.watch`.
    Watched(inventory::Watched),
    /// To `inventory.published`.
    Publication(inventory::Publication),
    /// To `source.resolve`.
    Resolved(source::Resolved),
    /// To `source.fetch`.
    Fetched(source::Fetched),
    /// To `secrets.get`.
    Secrets(secrets::Found),
    /// To `secrets.list`.
    SecretNames(secrets::Names),
    /// To `secrets.open`.
    SecretsOpened(secrets::Opened),
    /// To `build.observe`.
    Images(build::Images),
    /// To `build.run`.
    Built(build::Built),
    /// To `push.run`.
    Pushed(push::Pushed),
    /// To `push.list`.
    Listed(push::Listed),
    /// To `deploy.observe`.
    Observation(Box<deploy::Observation>),
    /// To `deploy.pull`.
    Pulled(deploy::Pulled),
    /// To `deploy.start`.
    Started(deploy::Started),
    /// To `deploy.ready`.
    Ready(deploy::BecameReady),
    /// To `deploy.lock`.
    Locked(deploy::Locked),
    /// To `deploy.run`.
    Ran(deploy::Ran),
    /// To `deploy.keys`.
    HostKey(deploy::HostKey),
    /// To `deploy.login`.
    Terminal(deploy::Terminal),
    /// To `deploy.host`.
    Machine(deploy::Machine),
    /// To `deploy.exec`.
    Executed(deploy::Executed),
    /// To `deploy.command`.
    Exited(deploy::Exited),
    /// To `deploy.logs`, and to `cluster.logs`.
    Logged(deploy::Logged),
    /// To `deploy.stats`.
    Measured(deploy::Measured),
    /// To `deploy.create`.
    Created(deploy::Started),
    /// To `deploy.resolve`.
    Digests(deploy::Digests),
    /// To `cluster.review`.
    Reviewed(cluster::Cannots),
    /// To `cluster.observe`.
    ClusterSeen(Box<cluster::Observation>),
    /// To `cluster.apply`.
    Applied(cluster::Applied),
    /// To `cluster.ready`.
    ClusterReady(cluster::BecameReady),
    /// To everything that has nothing to tell: an empty object, to which fields can be added.
    #[serde(serialize_with = "nothing")]
    Done,
}

fn nothing<S: serde::Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
    serde::ser::SerializeMap::end(serializer.serialize_map(Some(0))?)
}
