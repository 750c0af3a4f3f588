//! `deploy.ready`: waits until a container serves, by whatever its health check is. I/O.

use std::time::Duration;

use bollard::Docker;
use bollard::models::ContainerInspectResponse as Inspected;
use bollard::query_parameters::{EventsOptionsBuilder, WaitContainerOptionsBuilder};
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::{Check, Health};
use cloudpad_plugin_api::stage::deploy::{BecameReady, Ready};
use futures_util::{StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep, timeout_at};

use super::container;
use super::probe::{Missed, Probe, Target};
use super::verdict::{self, Verdict};

/// The pause after the first failed try; each is twice as long as the one before, up to the interval.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Why a container is not ready.
enum NotReady {
    /// Its process has ended, with this exit code where it is known.
    Ended(Option<i64>),
    /// It runs, and this is what is wrong.
    Because(String),
    /// It could not be found out.
    Unknown(Failure),
}

impl From<Failure> for NotReady {
    fn from(failure: Failure) -> Self {
        NotReady::Unknown(failure)
    }
}

pub(super) async fn ready(engine: &Engine, request: &Ready) -> Result<BecameReady, Failure> {
    match wait(engine, request).await {
        Ok(tries) => Ok(BecameReady { tries }),
        Err(NotReady::Unknown(failure)) => Err(failure),
        Err(NotReady::Ended(code)) => Err(ended(engine, &request.container, code).await),
        Err(NotReady::Because(reason)) => {
            let failure =
                Failure::failed(format!("container `{}` is not ready: {reason}", request.container));
            Err(container::with_last_lines(engine, &request.container, failure).await)
        }
    }
}

async fn ended(engine: &Engine, name: &str, code: Option<i64>) -> Failure {
    let state = container::inspect(engine, name).await.ok().flatten().and_then(|found| found.state);
    let ending = verdict::ending(state.as_ref(), code);
    container::with_last_lines(engine, name, Failure::failed(format!("container `{name}` {ending}"))).await
}

async fn wait(engine: &Engine, request: &Ready) -> Result<u32, NotReady> {
    let deadline = Instant::now() + Duration::from_millis(request.timeout_ms);
    match &request.health {
        None => settled(engine, request).await,
        Some(Health { check: Check::Command { .. } | Check::Image, .. }) => {
            decided(engine, request, deadline).await
        }
        Some(health @ Health { check: Check::Http { port, path }, .. }) => {
            served(engine, request, health, *port, Probe::Http(path.clone()), deadline).await
        }
        Some(health @ Health { check: Check::Tcp { port }, .. }) => {
            served(engine, request, health, *port, Probe::Tcp, deadline).await
        }
    }
}

/// No health check: it has to run for a while, and still be the process that was started. The engine
/// counts restarts from the last start on.
async fn settled(engine: &Engine, request: &Ready) -> Result<u32, NotReady> {
    sleep(Duration::from_millis(request.settle_ms)).await;
    let found = inspect(engine, &request.container).await?;
    let restarted = found.restart_count.unwrap_or_default() > 0;
    if restarted || verdict::of_state(found.state.as_ref()) == Verdict::Ended {
        return Err(NotReady::Ended(None));
    }
    Ok(1)
}

/// Comes back when the container does not run.
async fn not_running(docker: &Docker, name: &str) -> NotReady {
    let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
    match docker.wait_container(name, Some(options)).next().await {
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

fn gone(name: &str) -> NotReady {
    Failure::stale(format!("there is no container `{name}` any more")).into()
}

/// The engine checks, and says when it has made up its mind.
async fn decided(engine: &Engine, request: &Ready, deadline: Instant) -> Result<u32, NotReady> {
    let found = inspect(engine, &request.container).await?;
    match verdict::of_state(found.state.as_ref()) {
        Verdict::Undecided => {}
        Verdict::Unchecked => return Err(unchecked(&request.container).into()),
        known => return judge(known),
    }
    match timeout_at(deadline, first_verdict(engine, request, &found)).await {
        Ok(known) => judge(known?),
        Err(_) => {
            let reason = format!("its health check has not passed within {} ms", request.timeout_ms);
            Err(NotReady::Because(reason))
        }
    }
}

fn judge(known: Verdict) -> Result<u32, NotReady> {
    match known {
        Verdict::Healthy => Ok(1),
        Verdict::Ended => Err(NotReady::Ended(None)),
        _ => Err(NotReady::Because("its health check fails".to_owned())),
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

/// Cloudpad checks, from the host.
async fn served(
    engine: &Engine,
    request: &Ready,
    health: &Health,
    port: u16,
    probe: Probe,
    deadline: Instant,
) -> Result<u32, NotReady> {
    let found = inspect(engine, &request.container).await?;
    if verdict::of_state(found.state.as_ref()) == Verdict::Ended {
        return Err(NotReady::Ended(None));
    }
    let address = verdict::address(&found).ok_or_else(|| unaddressed(&request.container))?;
    let target = Target { address, port };
    let served = tries(engine, health, &probe, &target, deadline);
    // A container that serves at once is not worth a watch, which is one more request.
    let watched = async {
        sleep(FIRST_PAUSE).await;
        let docker = engine.patient().await?;
        Err(not_running(&docker, &request.container).await)
    };
    tokio::select! {
        result = served => result.map_err(|missed| match missed {
            Missed::Always(failure) => unforwarded(failure).into(),
            Missed::Now(last) => {
                let asked = probe.describe(port);
                NotReady::Because(format!("{asked} {last}, and {} ms are over", request.timeout_ms))
            }
        }),
        ended = watched => ended,
    }
}

fn unforwarded(failure: Failure) -> Failure {
    failure
        .hint("use a health check by command, which the host's engine runs, or let sshd forward connections")
}

fn unaddressed(name: &str) -> Failure {
    Failure::invalid(format!(
        "container `{name}` has no network, so its health cannot be asked from the host"
    ))
    .hint("use a health check by command, or give the service a network")
}

/// Tries until it works or the time is over, then says what the last try brought.
async fn tries(
    engine: &Engine,
    health: &Health,
    probe: &Probe,
    target: &Target,
    deadline: Instant,
) -> Result<u32, Missed> {
    let interval = Duration::from_millis(health.interval_ms);
    let limit = Duration::from_millis(health.timeout_ms);
    let mut pause = FIRST_PAUSE.min(interval);
    let mut last = "was not tried".to_owned();
    for n in 1.. {
        let left = deadline.saturating_duration_since(Instant::now());
        match probe.attempt(engine.transport().as_ref(), target, limit.min(left)).await {
            Ok(()) => return Ok(n),
            Err(Missed::Now(said)) => last = said,
            Err(always) => return Err(always),
        }
        if Instant::now() + pause >= deadline {
            break;
        }
        sleep(pause).await;
        pause = (pause * 2).min(interval);
    }
    Err(Missed::Now(last))
}
