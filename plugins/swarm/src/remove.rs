//! `cluster.remove`: takes services off a swarm, with what only they needed. I/O.

use std::collections::HashSet;
use std::time::Duration;

use bollard::query_parameters::ListNetworksOptionsBuilder;
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::cluster::Remove;
use tokio::time::{Instant, sleep};

use crate::{apply, names, observe, seen};

const PAUSE: Duration = Duration::from_millis(400);

/// How long a network may be in use by instances that are gone already.
const LINGERS: Duration = Duration::from_secs(20);

pub(crate) async fn remove(engine: &Engine, request: &Remove) -> Result<(), Failure> {
    let mut gone = Vec::new();
    for named in &request.services {
        let name = names::service(&request.project, &named.name);
        let Some(found) = observe::inspect(engine, &name).await? else { continue };
        if seen::revision(&found) != named.revision {
            let message = format!("service `{name}` is another one than was seen, and is left alone");
            return Err(Failure::stale(message));
        }
        match engine.docker().await?.delete_service(&name).await {
            Ok(()) => gone.extend(found.id),
            Err(error) if status(&error) == Some(404) => {}
            Err(error) => return Err(failure(&format!("could not remove service `{name}`"), &error)),
        }
    }
    while !gone.is_empty() && runs(engine, &gone).await? {
        sleep(PAUSE).await;
    }
    clear(engine, &request.project).await
}

/// Whether instances of services that are removed are still there. The engine finds none by a service that it does not know any more.
async fn runs(engine: &Engine, services: &[String]) -> Result<bool, Failure> {
    let nodes = observe::nodes(engine).await?;
    let is_of_them = |id: &Option<String>| id.as_ref().is_some_and(|id| services.contains(id));
    let tasks = observe::tasks(engine, Vec::new()).await?;
    Ok(tasks.iter().any(|task| is_of_them(&task.service_id) && seen::is_up_on(task, &nodes)))
}

/// Removes secrets that no service has, and networks that none is in.
pub(crate) async fn clear(engine: &Engine, project: &Project) -> Result<(), Failure> {
    let docker = engine.docker().await?;
    let services = observe::services(engine, project).await?;
    let (mut secrets, mut networks) = (HashSet::new(), HashSet::new());
    for spec in services.iter().filter_map(|service| service.spec.as_ref()?.task_template.as_ref()) {
        let files = spec.container_spec.iter().filter_map(|spec| spec.secrets.as_ref()).flatten();
        secrets.extend(files.filter_map(|secret| secret.secret_id.clone()));
        networks.extend(spec.networks.iter().flatten().filter_map(|network| network.target.clone()));
    }
    for id in apply::listed(engine, project).await?.into_values().filter(|id| !secrets.contains(id)) {
        match docker.delete_secret(&id).await {
            // One that is in use after all is another's affair.
            Ok(()) => {}
            Err(error) if matches!(status(&error), Some(400 | 404)) => {}
            Err(error) => return Err(failure("could not remove a secret of the swarm", &error)),
        }
    }
    let options = ListNetworksOptionsBuilder::new().filters(&names::filter(project)).build();
    let listed = docker.list_networks(Some(options)).await;
    for network in listed.map_err(|error| failure("could not list the swarm's networks", &error))? {
        let (Some(id), Some(name)) = (network.id, network.name) else { continue };
        let is_ours = names::is_ours(network.labels.as_ref(), project);
        if !is_ours
            || network.scope.as_deref() != Some("swarm")
            || networks.contains(&id)
            || networks.contains(&name)
        {
            continue;
        }
        let until = Instant::now() + LINGERS;
        loop {
            match docker.remove_network(&id).await {
                Ok(()) => break,
                Err(error) if status(&error) == Some(404) => break,
                Err(_) if Instant::now() < until => sleep(PAUSE).await,
                Err(error) => return Err(failure(&format!("could not remove network `{name}`"), &error)),
            }
        }
    }
    Ok(())
}
