//! Runs a command of the proxy in its container. I/O.

use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use cloudpad_engine::{Engine, failure};
use cloudpad_plugin_api::Failure;
use futures_util::StreamExt;

/// Runs it to its end: whether it ended well, and what it has printed.
pub(super) async fn run(
    engine: &Engine,
    container: &str,
    command: &[&str],
) -> Result<(bool, String), Failure> {
    let failed = |error| failure(&format!("could not run `{}` in `{container}`", command.join(" ")), &error);
    let docker = engine.patient().await?;
    let config = ExecConfig {
        cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..Default::default()
    };
    let id = docker.create_exec(container, config).await.map_err(failed)?.id;
    let mut printed = Vec::new();
    if let StartExecResults::Attached { mut output, .. } =
        docker.start_exec(&id, None).await.map_err(failed)?
    {
        while let Some(piece) = output.next().await {
            printed.extend_from_slice(&piece.map_err(failed)?.into_bytes());
        }
    }
    let code = docker.inspect_exec(&id).await.map_err(failed)?.exit_code;
    Ok((code == Some(0), String::from_utf8_lossy(&printed).into_owned()))
}
