//! Asks containers that run whether they serve, from their host, where the engine does not. I/O.
//!
//! They are connections and no requests to the engine: its list of containers tells all that is needed.

use std::time::Duration;

use bollard::models::ContainerSummary;
use cloudpad_engine::Engine;
use cloudpad_plugin_api::model::Health;
use cloudpad_plugin_api::stage::deploy::{Checks, Container, State};
use cloudpad_transport::Transport;
use futures_util::future::select_ok;
use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use super::probe::{Missed, Probe, Target};
use super::spec::own_networks;
use super::uptime::state_of_silent;
use super::verdict::listed_address;

/// How many containers are asked at once.
const AT_ONCE: usize = 16;

/// Sets right what is told of the containers that run: `told` was made from `listed`.
pub(super) async fn checkup(
    engine: &Engine,
    checks: Option<Checks>,
    (listed, told): (&[ContainerSummary], &mut [Container]),
) {
    let Some(checks) = checks else { return };
    told.iter_mut().for_each(|container| note_apart(container, listed));
    let transport = engine.transport().as_ref();
    let asked = told.iter_mut().filter_map(|container| Some((Patient::of(container, listed)?, container)));
    let all = stream::iter(asked)
        .map(async |(patient, container)| note(container, patient.ask(transport).await, checks));
    all.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

/// Tells a container that runs and that somebody has taken out of one of its networks: it may well answer its check from there,
/// and nobody else reaches it.
fn note_apart(container: &mut Container, listed: &[ContainerSummary]) {
    let lacking = |container: &Container| {
        let spec = container.spec.as_ref()?;
        let seen = listed.iter().find(|seen| seen.id.as_ref() == Some(&container.id))?;
        let networks = seen.network_settings.as_ref()?.networks.as_ref()?;
        own_networks(spec).find(|network| !networks.contains_key(*network)).map(str::to_owned)
    };
    let runs = matches!(container.state, State::Running | State::Starting | State::Unhealthy);
    if let Some(network) = lacking(container).filter(|_| runs) {
        container.state = State::Unhealthy;
        container.status.healthy = false;
        container.status.reason = Some(format!("not in the network `{network}` any more"));
    }
}

/// Takes in what came of it.
fn note(container: &mut Container, found: Found, checks: Checks) {
    match found {
        // That it is proven is for a deploy to say.
        Found::Serves => container.status.healthy = container.state == State::Running,
        Found::Fails(reason) => {
            container.state =
                state_of_silent(&container.status.lasting, Duration::from_millis(checks.ready_within_ms));
            container.status.reason = Some(reason);
        }
        Found::Nothing => {}
    }
}

/// What is known of a container that was asked.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Serves,
    /// It does not, and why.
    Fails(String),
    /// It could not be asked, or not for long enough.
    Nothing,
}

/// A container that is to be asked.
struct Patient {
    probe: Probe,
    target: Target,
    tries: Tries,
}

impl Patient {
    /// None where it does not run, is asked by the engine, or cannot be reached.
    fn of(container: &Container, listed: &[ContainerSummary]) -> Option<Self> {
        if !matches!(container.state, State::Running | State::Starting) {
            return None;
        }
        let health = container.spec.as_ref()?.health.as_ref()?;
        let (probe, port) = Probe::of(&health.check)?;
        let seen = listed.iter().find(|seen| seen.id.as_ref() == Some(&container.id))?;
        let target = Target { address: listed_address(seen)?, port };
        Some(Self { probe, target, tries: Tries::of(health) })
    }

    /// The first try that succeeds is enough. Where one takes long the next one begins meanwhile, so that all of them do not take
    /// as long as they would one after the other.
    async fn ask(self, transport: &dyn Transport) -> Found {
        let Tries { count, pause, limit, whole } = self.tries;
        let attempts = (0..count).map(|nth| {
            let (probe, target) = (&self.probe, &self.target);
            Box::pin(async move {
                sleep(pause * nth).await;
                probe.attempt(transport, target, limit).await
            })
        });
        match select_ok(attempts).await {
            Ok(_) => Found::Serves,
            Err(Missed::Always(_) | Missed::Unmade(_)) => Found::Nothing,
            Err(Missed::Late(_)) if !whole => Found::Nothing,
            Err(missed) => Found::Fails(self.probe.tell(self.target.port, missed).0),
        }
    }
}

/// How often a container is asked: as often as an engine would before it calls one unhealthy, and within a few seconds.
#[derive(Debug, PartialEq, Eq)]
struct Tries {
    count: u32,
    /// From the beginning of one to that of the next.
    pause: Duration,
    /// How long one may take.
    limit: Duration,
    /// Whether that is as long as the health check says.
    whole: bool,
}

impl Tries {
    fn of(health: &Health) -> Self {
        const MOST: u32 = 5;
        const LONGEST_PAUSE: Duration = Duration::from_millis(500);
        const LONGEST: Duration = Duration::from_secs(5);
        let timeout = Duration::from_millis(health.timeout_ms);
        Self {
            count: health.retries.clamp(1, MOST),
            pause: Duration::from_millis(health.interval_ms).min(LONGEST_PAUSE),
            limit: timeout.min(LONGEST),
            whole: timeout <= LONGEST,
        }
    }
}

#[cfg(test)]
mod tests;
