//! `deploy.stop`: stops a container and keeps it. I/O.

use std::time::Duration;

use bollard::query_parameters::StopContainerOptionsBuilder;
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::deploy::Stop;

use super::container;

pub(super) async fn stop(engine: &Engine, request: &Stop) -> Result<(), Failure> {
    let name = &request.container.name;
    let gone = || Failure::stale(format!("there is no container `{name}` any more"));
    // An id was seen together with its labels; a name may be anyone's by now.
    let id = match &request.container.id {
        Some(id) => id.clone(),
        None => container::find_own(engine, name, &request.project).await?.ok_or_else(gone)?,
    };
    let seconds = i32::try_from(request.timeout).unwrap_or(i32::MAX);
    let options = StopContainerOptionsBuilder::new().t(seconds).build();
    // One that does not run is answered with 304, which is fine.
    let work = Duration::from_secs(u64::from(request.timeout));
    match engine.within(work).await?.stop_container(&id, Some(options)).await {
        Ok(()) => Ok(()),
        Err(error) if status(&error) == Some(404) => Err(gone()),
        Err(error) => Err(failure(&format!("could not stop container `{name}`"), &error)),
    }
}
