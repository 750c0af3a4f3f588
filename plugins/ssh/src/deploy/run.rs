//! `deploy.run`: makes a one-off container, shows what it prints, waits for its end, and removes it. I/O.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bollard::query_parameters::{
    RemoveContainerOptionsBuilder, ResizeContainerTTYOptionsBuilder, StopContainerOptionsBuilder,
    WaitContainerOptionsBuilder,
};
use cloudpad_engine::{failure, status};
use cloudpad_plugin_api::model::TerminalSize;
use cloudpad_plugin_api::stage::deploy::{Ran, Run};
use cloudpad_plugin_api::{Context, Failure, FailureKind, Level, Outcome};
use futures_util::StreamExt;
use tokio::time::{sleep, timeout};

use super::attached::{Attached, Peer};
use super::printed::{Line, Printed, Which};
use super::{clock, files};
use crate::pool::Connection;

mod begin;
mod time;

/// How long a container may take to end when the caller has asked to stop. A caller does not wait for longer than 10 s.
const HASTE: i32 = 5;
/// How long clearing up may take then.
const CLEARING: Duration = Duration::from_secs(9);
/// How long the last lines of a container that has ended may take.
const LAST_LINES: Duration = Duration::from_secs(10);

/// How far a request has come, should the connection have to be opened anew.
#[derive(Default)]
pub(super) struct SoFar {
    /// Whether it has begun the run.
    begun: AtomicBool,
    /// How many lines it has told.
    lines: AtomicUsize,
}

pub(super) async fn run(
    cx: &Context,
    host: &Connection,
    request: &Run,
    so_far: &SoFar,
) -> Result<Ran, Failure> {
    cx.check_cancelled()?;
    let begun = begin::begin(cx, host, request).await?;
    let found = begun.found && !so_far.begun.swap(true, Ordering::Relaxed);
    let one_off = OneOff { cx, host, request, id: &begun.id };
    let left = left(host, request, begun.since.as_deref()).await;
    let over = async {
        match left {
            Some(left) => sleep(left).await,
            None => std::future::pending().await,
        }
    };
    let mut to_its_end = std::pin::pin!(one_off.to_its_end(begun.attached, &so_far.lines));
    let ended = tokio::select! {
        code = &mut to_its_end => match code {
            // Whoever had its streams is gone.
            Err(failure) if failure.kind == FailureKind::Cancelled => return Err(one_off.break_off().await),
            code => Some(code?),
        },
        () = over => None,
        () = cloudpad_transport::cancelled(cx.cancel()) => return Err(one_off.break_off().await),
    };
    let timed_out = ended.is_none();
    let exit_code = match ended {
        Some(code) => code,
        None => {
            one_off.stop(i32::try_from(request.spec.stop_timeout).unwrap_or(i32::MAX)).await?;
            match timeout(LAST_LINES, &mut to_its_end).await {
                Ok(code) => code?,
                // What it has printed last is worth having, and no reason to fail.
                Err(_) => one_off.exit_code().await?,
            }
        }
    };
    if timed_out || !request.keep {
        one_off.remove().await.unwrap_or_else(|failure| cx.log(Level::Warn, failure.to_string()));
    }
    Ok(Ran { exit_code, timed_out, found })
}

/// How much time the run has yet; none where it may take as long as it does. What an earlier request has begun has had some of
/// it, be it that its caller was killed or that the connection was lost.
async fn left(host: &Connection, request: &Run, since: Option<&str>) -> Option<Duration> {
    let timeout_ms = request.timeout_ms?;
    let now = match since {
        Some(_) => clock::now(&host.engine).await.ok(),
        None => None,
    };
    Some(match since.zip(now) {
        Some((since, now)) => time::left(timeout_ms, since, now),
        None => Duration::from_millis(timeout_ms),
    })
}

/// How far what a container prints was told.
struct Output<'a> {
    cx: &'a Context,
    /// How many lines were told, by earlier attempts too.
    told: &'a AtomicUsize,
    /// How many lines were read.
    number: usize,
    /// When the last of them was printed.
    last: Option<i64>,
}

impl Output<'_> {
    fn tell(&mut self, line: Line) {
        self.number += 1;
        self.last = line.time.max(self.last);
        if self.told.fetch_max(self.number, Ordering::Relaxed) < self.number {
            self.cx.output("", line.text);
        }
    }
}

/// A one-off container that was made.
struct OneOff<'a> {
    cx: &'a Context,
    host: &'a Connection,
    request: &'a Run,
    id: &'a str,
}

impl OneOff<'_> {
    fn tried(&self, what: &str) -> String {
        format!("could not {what} container `{}`", self.request.container)
    }

    /// Has what it prints told, or its streams joined with the caller's, and says what it has ended with.
    async fn to_its_end(&self, attached: Option<Attached>, told: &AtomicUsize) -> Result<i64, Failure> {
        let (Some(attached), Some(path)) = (attached, &self.request.stream) else {
            return self.follow(told).await;
        };
        let peer = Peer::connect(path).await?;
        let resize = async |size| self.resize(size).await;
        // Engines before 23 take no size when a container is made.
        if let Some(size) = self.request.tty {
            resize(size).await;
        }
        attached.join(peer, resize).await?;
        self.exit_code().await
    }

    /// A terminal of the wrong size is no reason to fail.
    async fn resize(&self, size: TerminalSize) {
        let Ok(docker) = self.host.engine.docker().await else { return };
        let options =
            ResizeContainerTTYOptionsBuilder::new().h(i32::from(size.rows)).w(i32::from(size.columns));
        let _ = docker.resize_container_tty(self.id, options.build()).await;
    }

    /// Tells each line that the container prints, but for so many of the first, and what it has ended with.
    async fn follow(&self, told: &AtomicUsize) -> Result<i64, Failure> {
        let mut output = Output { cx: self.cx, told, number: 0, last: None };
        self.tell(&mut output, true).await?;
        let code = self.exit_code().await?;
        // An engine that is asked while a container ends may not have all that it has printed.
        self.tell(&mut output, false).await?;
        Ok(code)
    }

    /// Tells what is new of what it has printed, and, if asked to, prints until its end.
    async fn tell(&self, output: &mut Output<'_>, follow: bool) -> Result<(), Failure> {
        let which = Which { since: output.last.map(|last| last + 1), tail: None, follow };
        let mut printed = Printed::of(self.host, self.id, &self.request.container, which).await?;
        loop {
            match printed.next().await {
                Ok(Some(line)) => output.tell(line),
                Ok(None) => return Ok(()),
                // A log driver from which the engine cannot read is no reason not to run.
                Err(failure) if failure.kind == FailureKind::Failed => {
                    self.cx.log(Level::Warn, failure.to_string());
                    return Ok(());
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Waits until it does not run.
    async fn exit_code(&self) -> Result<i64, Failure> {
        let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
        match self.host.engine.patient().await?.wait_container(self.id, Some(options)).next().await {
            Some(Ok(ended)) => Ok(ended.status_code),
            // The client reports an exit code above 0 as an error.
            Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) => Err(failure(&self.tried("wait for"), &error).outcome(Outcome::Unknown)),
            None => Err(Failure::failed(self.tried("wait for")).outcome(Outcome::Unknown)),
        }
    }

    async fn stop(&self, seconds: i32) -> Result<(), Failure> {
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        let work = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        match self.host.engine.within(work).await?.stop_container(self.id, Some(options)).await {
            Err(error) if status(&error) != Some(404) => Err(failure(&self.tried("stop"), &error)),
            _ => Ok(()),
        }
    }

    /// Removes it, with the volumes that have no name, which are nobody else's.
    async fn remove(&self) -> Result<(), Failure> {
        let options = RemoveContainerOptionsBuilder::new().v(true).build();
        match self.host.engine.docker().await?.remove_container(self.id, Some(options)).await {
            // Gone, or somebody else is removing it.
            Err(error) if !matches!(status(&error), Some(404 | 409)) => {
                Err(failure(&self.tried("remove"), &error))
            }
            _ => {
                let (name, project) = (&self.request.container, &self.request.project);
                files::forget(self.cx, self.host, name, project).await;
                Ok(())
            }
        }
    }

    /// Clears up since the caller has asked to stop, and says how that went.
    async fn break_off(&self) -> Failure {
        let name = &self.request.container;
        let seconds = i32::try_from(self.request.spec.stop_timeout).unwrap_or(i32::MAX).min(HASTE);
        let clear = async {
            self.stop(seconds).await?;
            self.remove().await
        };
        match timeout(CLEARING, clear).await {
            Ok(Ok(())) => Failure::cancelled().outcome(Outcome::Partial),
            Ok(Err(failure)) => Failure::cancelled().outcome(Outcome::Unknown).cause(failure),
            Err(_) => Failure::cancelled()
                .outcome(Outcome::Unknown)
                .cause(format!("container `{name}` did not end within {} s", CLEARING.as_secs())),
        }
    }
}
