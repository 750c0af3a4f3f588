//! `cluster.ready`: waits until all instances of a service serve. I/O.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{Service as EngineService, ServiceUpdateStatusStateEnum as Update, Task, TaskState};
use bollard::query_parameters::LogsOptionsBuilder;
use cloudpad_engine::Engine;
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::cluster::{BecameReady, Ready, Rollout};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep};

use crate::{names, observe, seen};

/// How often the swarm is asked.
const PAUSE: Duration = Duration::from_millis(400);

/// How many instances of a new service may end before it is clear that it does not come up.
const ENDED: usize = 3;

/// How many of an instance's last lines go into a failure.
const LAST_LINES: usize = 20;

pub(crate) async fn ready(engine: &Engine, request: &Ready) -> Result<BecameReady, Failure> {
    let name = names::service(&request.project, &request.service);
    let deadline = Instant::now() + Duration::from_millis(request.timeout_ms);
    let settle = Duration::from_millis(request.settle_ms);
    let mut since: Option<Instant> = None;
    loop {
        let services = observe::services(engine, &request.project).await?;
        let found = services.into_iter().find(|one| seen::labelled(one, label::SERVICE) == request.service);
        let Some(service) = found else { return Err(Failure::stale(format!("service `{name}` is gone"))) };
        let tasks = observe::tasks(engine, service.id.clone().into_iter().collect()).await?;
        if seen::labelled(&service, label::SPEC_ID) != request.id {
            if is_going_back(&service) {
                since = None;
                if seen::rollout(&service) == Rollout::Updating && Instant::now() < deadline {
                    sleep(PAUSE).await;
                    continue;
                }
                return Err(
                    gave_up(engine, &name, &service, &tasks, "went back to what was there before").await
                );
            }
            return Err(Failure::stale(format!("service `{name}` is another one by now")));
        }
        if seen::rollout(&service) == Rollout::Paused {
            return Err(gave_up(engine, &name, &service, &tasks, "has stopped its update").await);
        }
        let wanted = wanted(&service);
        match serving(&service, &tasks) {
            Some(count) if count == wanted && seen::rollout(&service) != Rollout::Updating => {
                let since = *since.get_or_insert_with(Instant::now);
                // The swarm itself has watched each instance of an update for that long before it says that it is completed.
                if is_completed(&service) || since.elapsed() >= settle {
                    return Ok(BecameReady { instances: count });
                }
            }
            _ => since = None,
        }
        if ended(&service, &tasks).count() >= ENDED && seen::rollout(&service) != Rollout::Updating {
            return Err(gave_up(engine, &name, &service, &tasks, "makes it anew again and again").await);
        }
        if Instant::now() >= deadline {
            let message = format!(
                "{} of {wanted} instances of `{name}` serve",
                serving(&service, &tasks).unwrap_or_default()
            );
            return Err(with_words(engine, Failure::failed(message), &service, &tasks).await);
        }
        sleep(PAUSE).await;
    }
}

fn wanted(service: &EngineService) -> u32 {
    let desired = service.service_status.as_ref().and_then(|status| status.desired_tasks);
    desired.and_then(|desired| u32::try_from(desired).ok()).unwrap_or_default()
}

/// How many instances serve; none where one of before still does.
fn serving(service: &EngineService, tasks: &[Task]) -> Option<u32> {
    let mut count = 0;
    for task in tasks.iter().filter(|task| seen::state_of(task) == TaskState::RUNNING) {
        match seen::is_wanted(task) && seen::is_current(service, task) {
            true => count += 1,
            false => return None,
        }
    }
    Some(count)
}

/// Instances of what the service is to be that have ended by themselves.
fn ended<'a>(service: &'a EngineService, tasks: &'a [Task]) -> impl Iterator<Item = &'a Task> {
    let is_it = |task: &&Task| {
        matches!(seen::state_of(task), TaskState::FAILED | TaskState::REJECTED | TaskState::COMPLETE)
    };
    tasks.iter().filter(is_it).filter(|task| seen::is_current(service, task))
}

/// How far the last update is; none where there was none.
fn update_state(service: &EngineService) -> Option<Update> {
    service.update_status.as_ref()?.state
}

fn is_completed(service: &EngineService) -> bool {
    update_state(service) == Some(Update::COMPLETED)
}

fn is_going_back(service: &EngineService) -> bool {
    matches!(
        update_state(service),
        Some(Update::ROLLBACK_STARTED | Update::ROLLBACK_PAUSED | Update::ROLLBACK_COMPLETED)
    )
}

async fn gave_up(
    engine: &Engine,
    name: &str,
    service: &EngineService,
    tasks: &[Task],
    what: &str,
) -> Failure {
    let failure = Failure::failed(format!("new instances of `{name}` do not serve, and the swarm {what}"));
    with_words(engine, failure, service, tasks).await
}

/// Adds why the last instance that has ended did so, and what it has printed.
async fn with_words(engine: &Engine, failure: Failure, service: &EngineService, tasks: &[Task]) -> Failure {
    let is_it = |task: &&Task| {
        matches!(seen::state_of(task), TaskState::FAILED | TaskState::REJECTED | TaskState::COMPLETE)
    };
    let ended = tasks
        .iter()
        .filter(is_it)
        .max_by_key(|task| task.status.as_ref().and_then(|status| status.timestamp.clone()));
    let waiting =
        || tasks.iter().find(|task| seen::is_wanted(task) && seen::state_of(task) != TaskState::RUNNING);
    let status = service.update_status.as_ref().and_then(|status| status.message.clone());
    let failure = status.into_iter().filter(|text| text.contains("due to")).fold(failure, Failure::cause);
    let Some(task) = ended.or_else(waiting) else { return failure };
    let why = seen::why(task);
    let failure = if why.is_empty() { failure } else { failure.cause(why) };
    last_lines(engine, task).await.into_iter().fold(failure, Failure::cause)
}

async fn last_lines(engine: &Engine, task: &Task) -> Vec<String> {
    let (Some(id), Ok(docker)) = (&task.id, engine.docker().await) else { return Vec::new() };
    let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&LAST_LINES.to_string()).build();
    let mut logs = std::pin::pin!(docker.task_logs(id, Some(options)));
    let mut text = Vec::new();
    let read = async {
        while let Some(Ok(output)) = logs.next().await {
            let (LogOutput::StdErr { message }
            | LogOutput::StdOut { message }
            | LogOutput::StdIn { message }
            | LogOutput::Console { message }) = output;
            text.extend_from_slice(&message);
        }
    };
    // The node may be gone, and then nobody answers.
    let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
    String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
}
