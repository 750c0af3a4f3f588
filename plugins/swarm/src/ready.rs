//! `cluster.ready`: waits until all instances of a service serve. I/O.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{Service as EngineService, Task, TaskState};
use bollard::query_parameters::LogsOptionsBuilder;
use cloudpad_engine::Engine;
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::cluster::{BecameReady, Ready};
use futures_util::StreamExt;
use tokio::time::{Instant, sleep};

use crate::verdict::{self, Verdict, Watch};
use crate::{names, observe, seen};

/// How often the swarm is asked.
const PAUSE: Duration = Duration::from_millis(200);

/// How many of an instance's last lines go into a failure.
const LAST_LINES: usize = 20;

pub(crate) async fn ready(engine: &Engine, request: &Ready) -> Result<BecameReady, Failure> {
    let name = names::service(&request.project, &request.service);
    let deadline = Instant::now() + Duration::from_millis(request.timeout_ms);
    let mut watch = Watch::new(request);
    loop {
        let services = observe::services(engine, &request.project).await?;
        let found = services.into_iter().find(|one| seen::labelled(one, label::SERVICE) == request.service);
        let Some(service) = found else { return Err(Failure::stale(format!("service `{name}` is gone"))) };
        let tasks = observe::tasks(engine, service.id.clone().into_iter().collect()).await?;
        let nodes = observe::nodes(engine).await?;
        let is_late = Instant::now() >= deadline;
        let failure = match watch.judge(&service, (&tasks, &nodes), Instant::now().into_std()) {
            Verdict::Serves(instances) => return Ok(BecameReady { instances }),
            Verdict::Another => {
                return Err(Failure::stale(format!("service `{name}` is another one by now")));
            }
            Verdict::GivenUp(what) => gave_up(&name, &service, what),
            Verdict::GoesBack if is_late => gave_up(&name, &service, "goes back to what was there before"),
            Verdict::Wait(serving) if is_late => {
                let wanted = verdict::wanted(&service);
                Failure::failed(format!("{serving} of {wanted} instances of `{name}` serve"))
            }
            Verdict::GoesBack | Verdict::Wait(_) => {
                sleep(PAUSE).await;
                continue;
            }
        };
        return Err(with_words(engine, failure, &tasks).await);
    }
}

fn gave_up(name: &str, service: &EngineService, what: &str) -> Failure {
    let failure = Failure::failed(format!("new instances of `{name}` do not serve, and the swarm {what}"));
    let status = service.update_status.as_ref().and_then(|status| status.message.clone());
    status.into_iter().filter(|text| text.contains("due to")).fold(failure, Failure::cause)
}

/// Adds why the last instance that has ended did so, and what it has printed.
async fn with_words(engine: &Engine, failure: Failure, tasks: &[Task]) -> Failure {
    let ended = tasks
        .iter()
        .filter(|task| verdict::has_ended(task))
        .max_by_key(|task| task.status.as_ref().and_then(|status| status.timestamp.clone()));
    let waiting =
        || tasks.iter().find(|task| seen::is_wanted(task) && seen::state_of(task) != TaskState::RUNNING);
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
