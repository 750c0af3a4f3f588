//! `deploy.stop`: stops a container and keeps it. I/O.

use bollard::models::{
    ContainerInspectResponse as Inspected, ContainerUpdateBody, RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::StopContainerOptionsBuilder;
use cloudpad_engine::{Engine, failure};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::deploy::Stop;

use super::container;

pub(super) async fn stop(engine: &Engine, request: &Stop) -> Result<(), Failure> {
    let (name, id) = (&request.container.name, request.container.id.as_ref());
    let id = id.unwrap_or(name);
    let gone = || Failure::stale(format!("there is no container `{name}` any more"));
    let found = container::inspect_own(engine, id, &request.project).await?.ok_or_else(gone)?;
    if restarts_always(&found) {
        stay_stopped(engine, name, id).await?;
    }
    if !container::is_running(&found) {
        return Ok(());
    }
    let seconds = i32::try_from(request.timeout).unwrap_or(i32::MAX);
    let options = StopContainerOptionsBuilder::new().t(seconds).build();
    let stopped = engine.patient().await?.stop_container(id, Some(options)).await;
    stopped.map_err(|error| failure(&format!("could not stop container `{name}`"), &error))
}

fn restarts_always(found: &Inspected) -> bool {
    let policy = found.host_config.as_ref().and_then(|config| config.restart_policy.as_ref());
    policy.and_then(|policy| policy.name) == Some(RestartPolicyNameEnum::ALWAYS)
}

/// With `always`, the engine's next start would bring back a container that was replaced long ago.
async fn stay_stopped(engine: &Engine, name: &str, id: &str) -> Result<(), Failure> {
    let policy =
        RestartPolicy { name: Some(RestartPolicyNameEnum::UNLESS_STOPPED), maximum_retry_count: None };
    let update = ContainerUpdateBody { restart_policy: Some(policy), ..Default::default() };
    let updated = engine.docker().await?.update_container(id, update).await;
    updated.map_err(|error| failure(&format!("could not change the restart policy of `{name}`"), &error))
}
