//! `deploy.exec`: a command in a container that runs. I/O.

use std::time::Duration;

use bollard::models::ExecConfig;
use bollard::query_parameters::ResizeExecOptionsBuilder;
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::model::TerminalSize;
use cloudpad_plugin_api::stage::deploy::{Exec, Executed};
use cloudpad_plugin_api::{Context, Failure, Outcome};
use serde_json::json;
use tokio::time::sleep;

use super::attached::{Attached, Peer};
use super::container;

/// How often the engine is asked whether a command that prints no more has ended, and how long it may take.
const PAUSE: Duration = Duration::from_millis(50);
const TRIES: u32 = 200;

/// By these keys an engine leaves a process alone, and by `ctrl-p ctrl-q` where none are named: then each `ctrl-p` of a
/// shell would wait for the next key.
pub(super) const DETACH_KEYS: &str = "ctrl-@,ctrl-_,ctrl-@,ctrl-_";

pub(super) async fn exec(cx: &Context, engine: &Engine, request: &Exec) -> Result<Executed, Failure> {
    let name = &request.container.name;
    let id = create(engine, request).await?;
    let peer = match &request.stream {
        Some(path) => Some(Peer::connect(path).await?),
        None => None,
    };
    let begin = json!({ "Detach": false, "Tty": request.tty.is_some(), "ConsoleSize": size(request.tty) });
    let tried = format!("could not run `{}` in container `{name}`", request.command.join(" "));
    let path = format!("/exec/{id}/start");
    let attached =
        Attached::open(engine, &path, Some(begin.to_string()), request.tty.is_some(), &tried).await?;
    match peer {
        Some(peer) => {
            let resize = async |size| resize(engine, &id, size).await;
            // Engines before 23 take no size at the start.
            if let Some(size) = request.tty {
                resize(size).await;
            }
            attached.join(peer, resize).await?;
        }
        None => attached.tell(cx).await?,
    }
    exit_code(engine, &id, &tried).await
}

/// Rows and columns, as the engine takes them.
pub(super) fn size(tty: Option<TerminalSize>) -> Option<Vec<usize>> {
    tty.map(|size| vec![usize::from(size.rows), usize::from(size.columns)])
}

async fn create(engine: &Engine, request: &Exec) -> Result<String, Failure> {
    let name = &request.container.name;
    let gone = || Failure::stale(format!("there is no container `{name}` any more"));
    let container = container::id_of(engine, &request.container, &request.project).await?.ok_or_else(gone)?;
    let config = ExecConfig {
        attach_stdin: Some(request.stream.is_some()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(request.tty.is_some()),
        console_size: size(request.tty),
        detach_keys: Some(DETACH_KEYS.to_owned()),
        env: Some(request.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        cmd: Some(request.command.clone()),
        user: request.user.clone(),
        working_dir: request.workdir.clone(),
        ..Default::default()
    };
    match engine.docker().await?.create_exec(&container, config).await {
        Ok(made) => Ok(made.id),
        Err(error) if status(&error) == Some(404) => Err(gone()),
        // It does not run, or is paused; the engine says which.
        Err(error) => Err(failure(&format!("could not run a command in container `{name}`"), &error)),
    }
}

/// A terminal of the wrong size is no reason to fail.
async fn resize(engine: &Engine, id: &str, size: TerminalSize) {
    let Ok(docker) = engine.docker().await else { return };
    let options = ResizeExecOptionsBuilder::new().h(i32::from(size.rows)).w(i32::from(size.columns));
    let _ = docker.resize_exec(id, options.build()).await;
}

/// What it has ended with. The engine hears of that a little later than that it prints no more.
async fn exit_code(engine: &Engine, id: &str, tried: &str) -> Result<Executed, Failure> {
    let unknown = |failure: Failure| failure.outcome(Outcome::Unknown);
    for _ in 0..TRIES {
        let found = engine.docker().await?.inspect_exec(id).await;
        let found = found.map_err(|error| unknown(failure(tried, &error)))?;
        if let (Some(exit_code), Some(false)) = (found.exit_code, found.running) {
            return Ok(Executed { exit_code });
        }
        sleep(PAUSE).await;
    }
    Err(unknown(Failure::failed(format!("{tried}: it prints no more, and has not ended"))))
}
