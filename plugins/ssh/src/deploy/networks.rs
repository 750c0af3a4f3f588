//! The project's networks on one host: made when a container turns out to lack one. I/O.

use std::collections::BTreeSet;
use std::sync::{Mutex as SyncMutex, PoisonError};

use bollard::models::{
    ContainerInspectResponse as Inspected, ContainerSummary, ContainerSummaryStateEnum as State,
    EndpointSettings, NetworkConnectRequest, NetworkCreateRequest,
};
use bollard::query_parameters::InspectNetworkOptions;
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::{ContainerSpec, Project};
use tokio::sync::Mutex;

use super::{labels, spec};

#[derive(Default)]
pub(crate) struct Networks {
    /// Held while a network is made, since an engine takes two requests for the same name as two networks.
    making: Mutex<()>,
    /// Those of containers that ran when they were listed last.
    in_use: SyncMutex<BTreeSet<String>>,
}

impl Networks {
    /// Notes which networks are in use.
    pub(crate) fn note(&self, listed: &[ContainerSummary]) {
        let running = listed.iter().filter(|seen| seen.state == Some(State::RUNNING));
        let networks = running.filter_map(|seen| seen.network_settings.as_ref()?.networks.as_ref());
        let names = networks.flat_map(|networks| networks.keys().cloned()).collect();
        *self.in_use.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// Makes those of `names` that are not there, without asking about those that were in use.
    pub(super) async fn ensure_unused<'a>(
        &self,
        engine: &Engine,
        names: impl Iterator<Item = &'a str>,
        project: &Project,
    ) -> Result<(), Failure> {
        let in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.ensure(engine, names.filter(|name| !in_use.contains(*name)), project).await
    }

    /// Makes those of `names` that are not there.
    pub(super) async fn ensure<'a>(
        &self,
        engine: &Engine,
        names: impl Iterator<Item = &'a str>,
        project: &Project,
    ) -> Result<(), Failure> {
        let _alone = self.making.lock().await;
        for name in names {
            if !exists(engine, name).await? {
                create(engine, name, project).await?;
            }
        }
        Ok(())
    }
}

/// Whether `failure` says that a network is not there. They nearly always are, so this is found out by
/// trying, and not asked before each start.
pub(super) fn is_lacking(failure: &Failure) -> bool {
    failure.message.contains("network") && failure.message.contains("not found")
}

async fn exists(engine: &Engine, name: &str) -> Result<bool, Failure> {
    let docker = engine.docker().await?;
    match docker.inspect_network(name, None::<InspectNetworkOptions>).await {
        Ok(_) => Ok(true),
        Err(error) if status(&error) == Some(404) => Ok(false),
        Err(error) => Err(failure(&format!("could not look for network `{name}`"), &error)),
    }
}

async fn create(engine: &Engine, name: &str, project: &Project) -> Result<(), Failure> {
    let request = NetworkCreateRequest {
        name: name.to_owned(),
        labels: Some(labels::of_project(project)),
        ..Default::default()
    };
    match engine.docker().await?.create_network(request).await {
        Ok(_) => Ok(()),
        // Somebody else was faster.
        Err(error) if status(&error) == Some(409) => Ok(()),
        Err(error) => Err(failure(&format!("could not create network `{name}`"), &error)),
    }
}

/// Removes a network. One in which there is still a container stays: it is somebody's who is not asked.
pub(super) async fn remove(engine: &Engine, name: &str) -> Result<(), Failure> {
    match engine.docker().await?.remove_network(name).await {
        Ok(()) => Ok(()),
        Err(error) if matches!(status(&error), Some(403 | 404 | 409)) => Ok(()),
        Err(error) => Err(failure(&format!("could not remove network `{name}`"), &error)),
    }
}

/// Lets a container that is not running yet, and is as `found` says, or new, join those networks of its spec that it is not
/// in: an engine makes a container in the first of them, and somebody may have taken it out of that since. `aliases` are what it is known by there beside its own name.
pub(super) async fn join_further(
    engine: &Engine,
    spec: &ContainerSpec,
    aliases: &[&str],
    id: &str,
    found: Option<&Inspected>,
) -> Result<(), Failure> {
    let joined = found.and_then(|found| found.network_settings.as_ref()?.networks.as_ref());
    for network in spec::own_networks(spec).skip(usize::from(found.is_none())) {
        if !joined.is_some_and(|joined| joined.contains_key(network)) {
            join(engine, network, id, spec::endpoint(aliases)).await?;
        }
    }
    Ok(())
}

async fn join(
    engine: &Engine,
    network: &str,
    container: &str,
    endpoint: EndpointSettings,
) -> Result<(), Failure> {
    let request = NetworkConnectRequest { container: container.to_owned(), endpoint_config: Some(endpoint) };
    let joined = engine.docker().await?.connect_network(network, request).await;
    joined
        .map_err(|error| failure(&format!("could not connect `{container}` to network `{network}`"), &error))
}
