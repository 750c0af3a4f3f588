//! `deploy.stats`: what containers use, from two samples of each. I/O.

mod usage;

use bollard::Docker;
use bollard::models::ContainerStatsResponse as Sample;
use bollard::query_parameters::StatsOptionsBuilder;
use cloudpad_engine::{failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::deploy::{Container, Measure, Measured};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{Duration, Instant, sleep_until};

use super::seen;
use crate::pool::Connection;

/// How far apart the samples are. How busy a processor is can only be told over a while; Docker takes as long.
const APART: Duration = Duration::from_secs(1);

/// How many containers are asked about at the same time: each holds a connection to the engine.
const AT_ONCE: usize = 8;

pub(super) async fn stats(host: &Connection, request: &Measure) -> Result<Measured, Failure> {
    let all = seen::containers(&host.containers().await?, &request.project);
    let is_meant = |container: &Container| {
        request.services.is_empty() || request.services.contains(&container.instance.service)
    };
    let (mut up, down): (Vec<_>, Vec<_>) =
        all.into_iter().filter(is_meant).partition(|container| container.state.is_up());
    up.sort_by(|a, b| (&a.instance, &a.name).cmp(&(&b.instance, &b.name)));
    let mut stopped: Vec<_> = down.into_iter().map(|container| container.instance).collect();
    stopped.retain(|instance| !up.iter().any(|container| container.instance == *instance));
    stopped.sort();
    stopped.dedup();
    let docker = host.engine.docker().await?;
    let begun = Instant::now();
    let before = samples(&docker, &up).await?;
    if !up.is_empty() {
        sleep_until(begun + APART).await;
    }
    let after = samples(&docker, &up).await?;
    let usages = up.iter().zip(before).zip(after);
    let usages =
        usages.filter_map(|((container, before), after)| Some(usage::of(container, &before?, &after?)));
    Ok(Measured { containers: usages.collect(), stopped })
}

/// A sample of each; none of one that is gone by now.
async fn samples(docker: &Docker, containers: &[Container]) -> Result<Vec<Option<Sample>>, Failure> {
    let samples = containers.iter().map(|container| sample(docker, container));
    stream::iter(samples).buffered(AT_ONCE).try_collect().await
}

async fn sample(docker: &Docker, container: &Container) -> Result<Option<Sample>, Failure> {
    // Without `one-shot` the engine takes two samples for each answer, and as long as that lasts.
    let once = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
    let mut samples = Box::pin(docker.stats(&container.id, Some(once)));
    match samples.next().await {
        Some(Ok(sample)) => Ok(Some(sample)),
        Some(Err(error)) if matches!(status(&error), Some(404 | 409)) => Ok(None),
        None => Ok(None),
        Some(Err(error)) => {
            Err(failure(&format!("could not ask what container `{}` uses", container.name), &error))
        }
    }
}
