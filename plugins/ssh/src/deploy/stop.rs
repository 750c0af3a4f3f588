//! `deploy.stop`: stops a container and keeps it. I/O.

use std::time::{Duration, Instant};

use bollard::models::ContainerInspectResponse as Inspected;
use bollard::query_parameters::StopContainerOptionsBuilder;
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::stage::deploy::Stop;
use cloudpad_plugin_api::{Context, Failure, Level};

use super::container;

/// The exit code of a process that was killed.
const KILLED: i64 = 128 + 9;

pub(super) async fn stop(cx: &Context, engine: &Engine, request: &Stop) -> Result<(), Failure> {
    let name = &request.container.name;
    let gone = || Failure::stale(format!("there is no container `{name}` any more"));
    let id = container::id_of(engine, &request.container, &request.project).await?.ok_or_else(gone)?;
    let seconds = i32::try_from(request.timeout).unwrap_or(i32::MAX);
    let options = StopContainerOptionsBuilder::new().t(seconds).build();
    // One that does not run is answered with 304, which is fine.
    let work = Duration::from_secs(u64::from(request.timeout));
    let begun = Instant::now();
    match engine.within(work).await?.stop_container(&id, Some(options)).await {
        Ok(()) => {
            // One that ended sooner was not killed, and need not be looked at.
            if !work.is_zero() && begun.elapsed() >= work {
                warn_if_killed(cx, engine, request, &id).await;
            }
            Ok(())
        }
        Err(error) if status(&error) == Some(404) => Err(gone()),
        Err(error) => Err(failure(&format!("could not stop container `{name}`"), &error)),
    }
}

/// Says that the container had to be killed: every update takes that long. It is stopped, so whatever keeps us
/// from knowing is no failure.
async fn warn_if_killed(cx: &Context, engine: &Engine, request: &Stop, id: &str) {
    let Ok(Some(found)) = container::inspect(engine, id).await else { return };
    if let Some(signal) = unheeded(&found) {
        let (name, seconds) = (&request.container.name, request.timeout);
        let message = format!(
            "container `{name}` did not end at {signal} within {seconds} s and was killed; \
             see the service's `stop_signal` and `stop_timeout`"
        );
        cx.log(Level::Warn, message);
    }
}

/// The stop signal of a container that was killed.
fn unheeded(found: &Inspected) -> Option<&str> {
    found.state.as_ref().filter(|state| state.exit_code == Some(KILLED))?;
    let chosen = found.config.as_ref().and_then(|config| config.stop_signal.as_deref());
    Some(chosen.filter(|signal| !signal.is_empty()).unwrap_or("SIGTERM"))
}
