//! `deploy.ready`: waits until a container serves, by whatever its health check is; where Cloudpad itself
//! has to ask, `asking` does. I/O.

use std::time::Duration;

use bollard::Docker;
use bollard::models::ContainerInspectResponse as Inspected;
use bollard::query_parameters::{EventsOptionsBuilder, WaitContainerOptionsBuilder};
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::deploy::{BecameReady, Ready};
use futures_util::{StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep, timeout_at};

use super::asking::Asking;
use super::probe::Probe;
use super::verdict::{self, Verdict};
use super::{container, duration};
use crate::pool::Connection;

/// Why a container is not ready.
pub(super) enum NotReady {
    /// Its process has ended, with this exit code where it is known.
    Ended(Option<i64>),
    /// It runs, and this is what is wrong.
    Because(Failure),
    /// It could not be found out.
    Unknown(Failure),
}

impl From<Failure> for NotReady {
    fn from(failure: Failure) -> Self {
        NotReady::Unknown(failure)
    }
}

pub(super) async fn ready(host: &Connection, request: &Ready) -> Result<BecameReady, Failure> {
    let engine = &host.engine;
    match wait(host, request).await {
        Ok(tries) => Ok(BecameReady { tries }),
        Err(NotReady::Unknown(failure)) => Err(failure),
        Err(NotReady::Ended(code)) => Err(ended(engine, &request.container, code).await),
        Err(NotReady::Because(failure)) => {
            Err(container::with_last_results(engine, &request.container, failure).await)
        }
    }
}

fn unready(request: &Ready, reason: &str) -> Failure {
    Failure::failed(format!("container `{}` is not ready: {reason}", request.container))
}

/// The time is over, and this is so.
pub(super) fn too_late(request: &Ready, reason: &str) -> Failure {
    let limit = duration::words(Duration::from_millis(request.timeout_ms));
    unready(request, &format!("{reason}, and {limit} are over")).hint(
        "see the service's `health` in Cloudpad.toml; `ready_timeout` in `[deploy]` says how long it may take",
    )
}

async fn ended(engine: &Engine, name: &str, code: Option<i64>) -> Failure {
    let state = container::find(engine, name).await.ok().flatten().and_then(|found| found.state);
    let ending = verdict::ending(state.as_ref(), code);
    container::with_last_lines(engine, name, Failure::failed(format!("container `{name}` {ending}"))).await
}

async fn wait(host: &Connection, request: &Ready) -> Result<u32, NotReady> {
    let engine = &host.engine;
    let deadline = Instant::now() + Duration::from_millis(request.timeout_ms);
    let Some(health) = &request.health else { return settled(engine, request).await };
    match Probe::of(&health.check) {
        None => decided(engine, request, deadline).await,
        Some((probe, port)) => Asking { request, health, port, probe, deadline }.until_proven(host).await,
    }
}

/// No health check: it has to run for a while, and still be the process that was started. The engine
/// counts restarts from the last start on.
async fn settled(engine: &Engine, request: &Ready) -> Result<u32, NotReady> {
    sleep(Duration::from_millis(request.settle_ms)).await;
    let found = inspect(engine, &request.container).await?;
    let restarted = found.restart_count.unwrap_or_default() > 0;
    if restarted || verdict::of_state(found.state.as_ref()) == Verdict::Ended {
        return Err(NotReady::Ended(verdict::exit_code(found.state.as_ref())));
    }
    Ok(1)
}

/// Comes back when the container with that id does not run.
pub(super) async fn not_running(docker: &Docker, name: &str, id: &str) -> NotReady {
    let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
    match docker.wait_container(id, Some(options)).next().await {
        None => NotReady::Ended(None),
        Some(Ok(ended)) => NotReady::Ended(Some(ended.status_code)),
        // The client reports an exit code above 0 as an error.
        Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => {
            NotReady::Ended(Some(code))
        }
        Some(Err(error)) if status(&error) == Some(404) => gone(name),
        Some(Err(error)) => failure(&format!("could not wait for container `{name}`"), &error).into(),
    }
}

async fn inspect(engine: &Engine, name: &str) -> Result<Inspected, NotReady> {
    let found = container::inspect(engine, name).await?;
    found.ok_or_else(|| gone(name))
}

pub(super) fn gone(name: &str) -> NotReady {
    Failure::stale(format!("there is no container `{name}` any more")).into()
}

/// The engine checks, and says when it has made up its mind.
async fn decided(engine: &Engine, request: &Ready, deadline: Instant) -> Result<u32, NotReady> {
    let found = inspect(engine, &request.container).await?;
    match verdict::of_state(found.state.as_ref()) {
        Verdict::Undecided => {}
        Verdict::Unchecked => return Err(unchecked(&request.container).into()),
        known => return judge(known, request),
    }
    match timeout_at(deadline, first_verdict(engine, request, &found)).await {
        Ok(known) => judge(known?, request),
        Err(_) => Err(NotReady::Because(too_late(request, "its health check has not passed yet"))),
    }
}

fn judge(known: Verdict, request: &Ready) -> Result<u32, NotReady> {
    match known {
        Verdict::Healthy => Ok(1),
        Verdict::Ended => Err(NotReady::Ended(None)),
        _ => Err(NotReady::Because(unready(request, "its health check fails"))),
    }
}

fn unchecked(name: &str) -> Failure {
    Failure::invalid(format!("container `{name}` has no health check: its image has no `HEALTHCHECK`"))
        .hint("add a HEALTHCHECK to the Dockerfile, or choose another `health` in Cloudpad.toml")
}

/// The first verdict since the container was started. What happened between the look at its state and
/// this request is told too, so nothing is missed and nothing is asked twice.
async fn first_verdict(engine: &Engine, request: &Ready, found: &Inspected) -> Result<Verdict, Failure> {
    let tried = format!("could not follow the health of container `{}`", request.container);
    let id = found.id.clone().unwrap_or_default();
    let filters = [("container", vec![id]), ("event", vec!["health_status".to_owned(), "die".to_owned()])];
    let options = EventsOptionsBuilder::new().filters(&filters.into());
    let options = match verdict::since(found) {
        Some(since) => options.since(&since),
        None => options,
    };
    let docker = engine.patient().await?;
    let mut events = docker.events(Some(options.build()));
    while let Some(event) = events.try_next().await.map_err(|error| failure(&tried, &error))? {
        if let Some(verdict) = verdict::of_event(&event) {
            return Ok(verdict);
        }
    }
    Err(Failure::failed(format!("{tried}: the engine told no more")).retryable())
}
