//! Asks a container again and again whether it serves, from its host, where the engine does not. I/O.

use std::time::Duration;

use bollard::models::ContainerInspectResponse as Inspected;
use cloudpad_engine::Engine;
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Health;
use cloudpad_plugin_api::stage::deploy::Ready;
use tokio::time::{Instant, sleep};

use super::probe::{Missed, Probe, Target};
use super::ready::{NotReady, gone, not_running, too_late};
use super::verdict::{self, Verdict};
use super::{container, proof};
use crate::pool::Connection;

/// The pause after the first failed try; each is twice as long as the one before, up to the interval.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// When it begins to matter that the container may have ended. One that serves by then is not worth the
/// watch, which is one more request.
const WATCH_AFTER: Duration = Duration::from_secs(1);

/// What is asked, and for how long.
pub(super) struct Asking<'a> {
    pub(super) request: &'a Ready,
    pub(super) health: &'a Health,
    pub(super) port: u16,
    pub(super) probe: Probe,
    pub(super) deadline: Instant,
}

impl Asking<'_> {
    /// Asks until the container serves, and says so by its name. The number of tries.
    pub(super) async fn until_proven(&self, host: &Connection) -> Result<u32, NotReady> {
        let name = &self.request.container;
        loop {
            let found = container::find(&host.engine, name).await?.ok_or_else(|| gone(name))?;
            let tries = self.until_served(&host.engine, &found).await?;
            if proof::prove(host, &found, name).await? {
                return Ok(tries);
            }
        }
    }

    async fn until_served(&self, engine: &Engine, found: &Inspected) -> Result<u32, NotReady> {
        let name = &self.request.container;
        if verdict::of_state(found.state.as_ref()) == Verdict::Ended {
            return Err(NotReady::Ended(verdict::exit_code(found.state.as_ref())));
        }
        let address = verdict::address(found).ok_or_else(|| unaddressed(name))?;
        let target = Target { address, port: self.port };
        let watched = async {
            sleep(WATCH_AFTER).await;
            let docker = engine.patient().await?;
            Err(not_running(&docker, name, found.id.as_deref().unwrap_or_default()).await)
        };
        tokio::select! {
            result = self.tries(engine, &target) => result.map_err(|missed| self.not_served(missed)),
            ended = watched => ended,
        }
    }

    fn not_served(&self, missed: Missed) -> NotReady {
        if let Missed::Always(failure) = missed {
            return unforwarded(failure).into();
        }
        let (said, cause) = self.probe.tell(self.port, missed);
        let failure = too_late(self.request, &said);
        NotReady::Because(cause.into_iter().fold(failure, Failure::cause))
    }

    /// Tries until it works or the time is over, then says what the last try brought. One that the end of the time cuts
    /// off brought nothing, where an earlier one did.
    async fn tries(&self, engine: &Engine, target: &Target) -> Result<u32, Missed> {
        let interval = Duration::from_millis(self.health.interval_ms);
        let limit = Duration::from_millis(self.health.timeout_ms);
        let mut pause = FIRST_PAUSE.min(interval);
        let (mut tries, mut before) = (0, None);
        loop {
            tries += 1;
            let left = self.deadline.saturating_duration_since(Instant::now());
            let missed = match self.probe.attempt(engine.transport().as_ref(), target, limit.min(left)).await
            {
                Ok(()) => return Ok(tries),
                Err(missed) => missed,
            };
            let now = Instant::now();
            if left < limit && now >= self.deadline {
                return Err(before.unwrap_or(missed));
            }
            if matches!(missed, Missed::Always(_)) || now + pause >= self.deadline {
                return Err(missed);
            }
            before = Some(missed);
            sleep(pause).await;
            pause = (pause * 2).min(interval);
        }
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
