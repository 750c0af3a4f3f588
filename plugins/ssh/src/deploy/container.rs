//! One container as the engine knows it: a look at it, whose it is, and its last words. I/O.

use std::collections::HashMap;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::ContainerInspectResponse as Inspected;
use bollard::query_parameters::{InspectContainerOptions, LogsOptionsBuilder};
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::deploy::Named;
use futures_util::StreamExt;

use super::printed::Cut;
use super::{proof, results, seen};

/// How many of a container's last log lines go into a failure.
const LAST_LINES: usize = 20;

/// What the engine knows of `container`, a name or an id; none when there is no such container.
pub(super) async fn inspect(engine: &Engine, container: &str) -> Result<Option<Inspected>, Failure> {
    let docker = engine.docker().await?;
    match docker.inspect_container(container, None::<InspectContainerOptions>).await {
        Ok(inspected) => Ok(Some(inspected)),
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(failure(&format!("could not inspect container `{container}`"), &error)),
    }
}

/// What the engine knows of the container that is known as `name`, whichever of its names it has. A
/// container that is proven goes from the first to the second, so it is not missed on its way.
pub(super) async fn find(engine: &Engine, name: &str) -> Result<Option<Inspected>, Failure> {
    match inspect(engine, &proof::provisional(name)).await? {
        None => inspect(engine, name).await,
        found => Ok(found),
    }
}

/// The id of a container as a request names it; none when there is no such container of the project. An id was seen together
/// with its labels; a name may be anyone's by now.
pub(super) async fn id_of(
    engine: &Engine,
    named: &Named,
    project: &Project,
) -> Result<Option<String>, Failure> {
    match &named.id {
        Some(id) => Ok(Some(id.clone())),
        None => find_own(engine, &named.name, project).await,
    }
}

/// The id of the container that is known as `container`, which has to be the project's.
pub(super) async fn find_own(
    engine: &Engine,
    container: &str,
    project: &Project,
) -> Result<Option<String>, Failure> {
    let Some(inspected) = find(engine, container).await? else { return Ok(None) };
    if labels(&inspected).is_some_and(|labels| seen::belongs_to(labels, project)) {
        return Ok(inspected.id);
    }
    Err(Failure::stale(format!(
        "container `{container}` is not one of `{}`, and is left alone",
        project.prefix()
    )))
}

/// The container's labels.
pub(super) fn labels(inspected: &Inspected) -> Option<&HashMap<String, String>> {
    inspected.config.as_ref()?.labels.as_ref()
}

/// Whether its process is there.
pub(super) fn is_running(inspected: &Inspected) -> bool {
    inspected.state.as_ref().and_then(|state| state.running).unwrap_or(false)
}

/// The last lines that the container known as `name` has printed, as causes of `failure`. Where they cannot be had,
/// the failure stays as it is: it matters more than they do.
pub(super) async fn with_last_lines(engine: &Engine, name: &str, failure: Failure) -> Failure {
    let Ok(Some(found)) = find(engine, name).await else { return failure };
    last_lines(engine, found).await.into_iter().fold(failure, Failure::cause)
}

/// The same, after what came of its last health checks.
pub(super) async fn with_last_results(engine: &Engine, name: &str, failure: Failure) -> Failure {
    let Ok(Some(found)) = find(engine, name).await else { return failure };
    let failure = results::of(&found).into_iter().fold(failure, Failure::cause);
    last_lines(engine, found).await.into_iter().fold(failure, Failure::cause)
}

async fn last_lines(engine: &Engine, found: Inspected) -> Vec<String> {
    let Ok(docker) = engine.docker().await else { return Vec::new() };
    let since = started(&found);
    let Some(id) = found.id else { return Vec::new() };
    let tail = LAST_LINES.to_string();
    let options = LogsOptionsBuilder::new().stdout(true).stderr(true).timestamps(true).tail(&tail).build();
    let mut output = docker.logs(&id, Some(options));
    let mut cut = Cut::since(since);
    while let Some(Ok(piece)) = output.next().await {
        let is_error = matches!(piece, LogOutput::StdErr { .. });
        cut.push(&piece.into_bytes(), is_error);
    }
    lines(cut.all())
}

/// An engine notes that a container was started when it learns of it; by then the program has run for a while, and may have said
/// all that it had to say.
const LATE: Duration = Duration::from_secs(5);

/// Since when the container has run, in nanoseconds since 1970: what it has printed before belongs to another time. None where its
/// engine has started it again since, for then what matters is what it printed before that.
fn started(found: &Inspected) -> Option<i64> {
    let state = found.state.as_ref().filter(|_| found.restart_count.unwrap_or_default() == 0)?;
    let started = chrono::DateTime::parse_from_rfc3339(state.started_at.as_deref()?).ok()?;
    started.timestamp_nanos_opt()?.checked_sub_unsigned(LATE.as_nanos().try_into().ok()?)
}

fn lines(all: Vec<String>) -> Vec<String> {
    let lines: Vec<_> = all.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].iter().map(|line| (*line).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use bollard::models::ContainerState;

    use super::*;

    #[test]
    fn only_the_last_lines_count() {
        let text: String =
            (1..=30).map(|n| format!("1970-01-01T00:00:01Z line {n}\r\n1970-01-01T00:00:01Z \n")).collect();
        let mut cut = Cut::since(None);
        cut.push(text.as_bytes(), false);
        let lines = lines(cut.all());
        assert_eq!((lines.len(), &*lines[0], &*lines[19]), (20, "line 11", "line 30"));
    }

    #[test]
    fn what_counts_begins_with_the_last_start_unless_its_engine_made_that() {
        let found = |restarts| Inspected {
            restart_count: Some(restarts),
            state: Some(ContainerState {
                started_at: Some("1970-01-01T00:00:06.000000002Z".into()),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!((started(&found(0)), started(&found(1))), (Some(1_000_000_002), None));
    }
}
