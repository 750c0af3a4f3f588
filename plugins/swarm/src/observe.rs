//! `cluster.observe`: what a swarm runs of a project; and the looks that the other verbs share. I/O.

use std::collections::HashMap;

use bollard::models::{Node, Service as EngineService, Task};
use bollard::query_parameters::{
    InspectServiceOptions, ListNodesOptions, ListServicesOptionsBuilder, ListTasksOptionsBuilder,
};
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::cluster::{Observation, Observe};

use crate::{names, record, seen};

pub(crate) async fn observe(engine: &Engine, request: &Observe) -> Result<Observation, Failure> {
    let listed = nodes(engine).await?;
    let mut nodes: Vec<_> = listed.iter().map(seen::node).collect();
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    let (services, others) = named(engine, &request.project).await?;
    let tasks = match services.is_empty() {
        true => Vec::new(),
        false => tasks(engine, services.iter().filter_map(|service| service.id.clone()).collect()).await?,
    };
    let hostnames = seen::hostnames(&listed);
    // As Docker's own client counts: a manager does not say what time it is.
    let now = std::time::SystemTime::now().into();
    let mut services: Vec<_> =
        services.iter().map(|service| seen::seen(service, &tasks, &hostnames, now)).collect();
    services.sort_by(|a, b| a.name.cmp(&b.name));
    let releases = match request.releases {
        true => Some(record::known(engine, &request.project).await?),
        false => None,
    };
    let taken = others.into_iter().filter_map(|other| taken(&request.project, other)).collect();
    Ok(Observation { nodes, services, releases, taken })
}

/// What a service that is not the project's would be called as one of the project's, and whose it is.
fn taken(project: &Project, service: EngineService) -> Option<(String, String)> {
    let spec = service.spec?;
    let owner = names::owner(spec.labels.as_ref(), project)?;
    Some((names::of_service(project, spec.name.as_deref()?)?.to_owned(), owner))
}

/// The swarm's nodes.
pub(crate) async fn nodes(engine: &Engine) -> Result<Vec<Node>, Failure> {
    let listed = engine.docker().await?.list_nodes(None::<ListNodesOptions>).await;
    listed.map_err(|error| failure("could not list the swarm's nodes", &error))
}

/// The project's services.
pub(crate) async fn services(engine: &Engine, project: &Project) -> Result<Vec<EngineService>, Failure> {
    Ok(named(engine, project).await?.0)
}

/// The project's services, and others that have the names of such.
async fn named(
    engine: &Engine,
    project: &Project,
) -> Result<(Vec<EngineService>, Vec<EngineService>), Failure> {
    let filters = HashMap::from([("name".to_owned(), vec![names::service(project, "")])]);
    let options = ListServicesOptionsBuilder::new().filters(&filters).status(true).build();
    let listed = engine.docker().await?.list_services(Some(options)).await;
    let listed = listed.map_err(|error| failure("could not list the swarm's services", &error))?;
    Ok(listed.into_iter().partition(|service| {
        let spec = service.spec.as_ref();
        names::is_ours(spec.and_then(|spec| spec.labels.as_ref()), project)
    }))
}

/// The tasks of services, or all where none is named, with those that have ended and that the swarm remembers.
pub(crate) async fn tasks(engine: &Engine, services: Vec<String>) -> Result<Vec<Task>, Failure> {
    let filters: HashMap<_, _> = match services.is_empty() {
        true => HashMap::new(),
        false => HashMap::from([("service".to_owned(), services)]),
    };
    let options = ListTasksOptionsBuilder::new().filters(&filters).build();
    let listed = engine.docker().await?.list_tasks(Some(options)).await;
    listed.map_err(|error| failure("could not list the swarm's tasks", &error))
}

/// A service as the engine knows it, by its name there; none when there is none.
pub(crate) async fn inspect(engine: &Engine, name: &str) -> Result<Option<EngineService>, Failure> {
    match engine.docker().await?.inspect_service(name, None::<InspectServiceOptions>).await {
        Ok(service) => Ok(Some(service)),
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(failure(&format!("could not inspect service `{name}`"), &error)),
    }
}
