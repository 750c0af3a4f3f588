//! `deploy.command`: a command on the host itself. I/O.

use std::time::Duration;

use cloudpad_plugin_api::stage::deploy::{Command, Exited};
use cloudpad_plugin_api::{Context, Failure, Outcome};
use cloudpad_transport::Exit;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::lines::Lines;
use crate::pool::Connection;

pub(super) async fn command(cx: &Context, host: &Connection, request: &Command) -> Result<Exited, Failure> {
    if request.command.is_empty() {
        return Err(Failure::invalid("there is no command"));
    }
    let run = async {
        let mut running = host.engine.transport().run(&request.command).await?;
        let (stdout, stderr) =
            (tell(cx, "stdout", &mut running.stdout), tell(cx, "stderr", &mut running.stderr));
        tokio::try_join!(stdout, stderr)?;
        let lost =
            || Failure::failed("what the command has ended with is not known").outcome(Outcome::Unknown);
        Ok(match running.exit.get().ok_or_else(lost)? {
            Exit::Status(code) => Exited { exit_code: *code, signal: None },
            Exit::Signal(name) => Exited { exit_code: 128, signal: Some(name.clone()) },
        })
    };
    let Some(limit) = request.timeout_ms.map(Duration::from_millis) else { return run.await };
    let late = || {
        let seconds = super::duration::words(limit);
        Failure::failed(format!("the command did not end within {seconds}, and was ended"))
            .outcome(Outcome::Unknown)
    };
    timeout(limit, run).await.map_err(|_| late())?
}

/// Tells each line of one stream.
async fn tell(cx: &Context, source: &str, from: &mut (impl AsyncRead + Unpin)) -> Result<(), Failure> {
    let (mut lines, mut buffer) = (Lines::default(), vec![0; 32 * 1024]);
    let mut line = |line| cx.output(source, line);
    loop {
        match from.read(&mut buffer).await {
            Ok(0) => break,
            Ok(read) => lines.push(&buffer[..read], &mut line),
            Err(error) => {
                lines.finish(&mut line);
                let failure = error.get_ref().and_then(|inner| inner.downcast_ref::<Failure>()).cloned();
                return Err(failure
                    .unwrap_or_else(|| Failure::failed(error.to_string()))
                    .outcome(Outcome::Unknown));
            }
        }
    }
    lines.finish(&mut line);
    Ok(())
}
