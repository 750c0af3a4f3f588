//! The project's networks on one host: found, or made once. I/O.

use std::collections::HashSet;

use bollard::models::{EndpointSettings, NetworkConnectRequest, NetworkCreateRequest};
use bollard::query_parameters::InspectNetworkOptions;
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Project;
use tokio::sync::Mutex;

use super::spec::project_labels;

/// The networks that are known to be there. Its lock is held while one is made, since an engine takes
/// two requests for the same name as two networks.
#[derive(Default)]
pub(crate) struct Networks(Mutex<HashSet<String>>);

impl Networks {
    /// Makes `name` if it is not there.
    pub(super) async fn ensure(&self, engine: &Engine, name: &str, project: &Project) -> Result<(), Failure> {
        let mut known = self.0.lock().await;
        if !known.contains(name) {
            if !exists(engine, name).await? {
                create(engine, name, project).await?;
            }
            known.insert(name.to_owned());
        }
        Ok(())
    }

    /// Forgets `name`, which turned out to be gone.
    pub(super) async fn forget(&self, name: &str) {
        self.0.lock().await.remove(name);
    }
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
        labels: Some(project_labels(project)),
        ..Default::default()
    };
    match engine.docker().await?.create_network(request).await {
        Ok(_) => Ok(()),
        // Somebody else was faster.
        Err(error) if status(&error) == Some(409) => Ok(()),
        Err(error) => Err(failure(&format!("could not create network `{name}`"), &error)),
    }
}

/// Lets a container that is not running yet join `network`.
pub(super) async fn join(
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
