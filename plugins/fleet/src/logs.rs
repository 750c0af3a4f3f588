//! Reads what instances have printed, from the journals of the machines that they are on. I/O: SSH to machines.

use std::sync::Once;
use std::time::Duration;

use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::cluster::Logs;
use cloudpad_plugin_api::stage::deploy::{Events, Logged};
use cloudpad_plugin_api::{Context, Event, Failure, FailureKind, Level};
use cloudpad_transport::{Exit, Transport, connect, connect_through};
use futures_util::future::try_join_all;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use crate::config::Config;
use crate::journal::{self, Entry, Part, Source};
use crate::judge::Look;
use crate::observe;
use crate::wire::Machine;

/// How many of an instance's last lines tell why it does not come up, and how long they are waited for.
const LAST_LINES: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes that are kept of what a command complains about.
const COMPLAINT: usize = 4096;

/// Tells the lines of all that is meant, in the order of time; those that are followed as they come.
///
/// # Errors
/// `unreachable`, `failed` where a machine does not tell; what others tell is told all the same. `unreachable` and retryable at once
/// where a machine is lost while it is followed: who has asked asks again for what is missing.
pub(crate) async fn logs(
    cx: &Context,
    config: &Config,
    look: &Look,
    request: &Logs,
) -> Result<Logged, Failure> {
    let sources = journal::sources(request, look);
    let (mut lines, mut failed, listens) = (Vec::new(), Vec::new(), Once::new());
    let reads = sources.iter().map(|source| of_machine(cx, config, request, source, &listens));
    for read in try_join_all(reads).await? {
        match read {
            Ok(read) => lines.extend(read),
            Err(failure) => failed.push(failure),
        }
    }
    lines.sort_by_key(|entry: &Entry| entry.micros);
    lines.into_iter().for_each(|entry| tell(cx, &request.project, entry));
    let mut failed = failed.into_iter();
    match failed.next() {
        Some(first) => {
            failed.for_each(|failure| cx.log(Level::Warn, failure.to_string()));
            Err(first)
        }
        None => {
            let count = sources.iter().map(|(_, units)| units.len()).sum::<usize>();
            Ok(Logged { containers: u32::try_from(count).unwrap_or(u32::MAX) })
        }
    }
}

/// The last lines of a unit; none where its machine does not tell them.
pub(crate) async fn last(
    cx: &Context,
    config: &Config,
    project: &Project,
    machine: &Machine,
    unit: &str,
) -> Vec<String> {
    let mut lines = Vec::new();
    let read = async {
        let transport = reach(cx, config, machine).await?;
        let command = journal::of_unit(project, unit, Part { since: None, tail: Some(LAST_LINES) });
        run(&*transport, &command, |entry| lines.push(entry.line)).await
    };
    // Whatever keeps it from telling is not what the failure is about.
    let _ = tokio::time::timeout(PATIENCE, read).await;
    lines
}

/// The lines of a machine's units, where they are not told at once since they are followed. The outer failure is that it was lost
/// meanwhile.
async fn of_machine(
    cx: &Context,
    config: &Config,
    request: &Logs,
    (machine, units): &Source<'_>,
    listens: &Once,
) -> Result<Result<Vec<Entry>, Failure>, Failure> {
    let failed = |failure: Failure| {
        let failure = failure.on(observe::name(machine));
        if request.follow {
            // The others go on, so it is said now.
            cx.log(Level::Warn, failure.to_string());
        }
        failure
    };
    let transport = match reach(cx, config, machine).await {
        Ok(transport) => transport,
        Err(failure) => return Ok(Err(failed(failure))),
    };
    if !request.follow {
        return Ok(history(&*transport, request, units).await.map_err(failed));
    }
    listens.call_once(|| cx.emit(Events::listening()));
    match follow(cx, &*transport, request, units).await {
        Err(lost) if lost.retryable => Err(lost.on(observe::name(machine))),
        ended => Ok(ended.map(|()| Vec::new()).map_err(failed)),
    }
}

async fn history(transport: &dyn Transport, request: &Logs, units: &[String]) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for unit in units {
        let part = Part { since: request.since, tail: request.tail };
        let command = journal::of_unit(&request.project, unit, part);
        run(transport, &command, |entry| entries.push(entry)).await?;
    }
    entries.sort_by_key(|entry: &Entry| entry.micros);
    Ok(entries)
}

/// What has been printed until now is told first, unit by unit; what comes after that, of whatever unit.
async fn follow(
    cx: &Context,
    transport: &dyn Transport,
    request: &Logs,
    units: &[String],
) -> Result<(), Failure> {
    let mut now = 0;
    run(transport, &journal::newest(), |entry| now = entry.micros).await?;
    for entry in history(transport, request, units).await? {
        if entry.micros <= now {
            tell(cx, &request.project, entry);
        }
    }
    run(transport, &journal::following(&request.project, now), |entry| {
        if entry.micros > now && journal::is_meant(request, &entry.unit) {
            tell(cx, &request.project, entry);
        }
    })
    .await
}

async fn reach(
    cx: &Context,
    config: &Config,
    machine: &Machine,
) -> Result<std::sync::Arc<dyn Transport>, Failure> {
    let (host, options) = (config.machine(machine), config.options());
    match config.jump() {
        Some(jump) => connect_through(&jump, &host, &options, cx.cancel()).await,
        None => connect(&host, &options, cx.cancel()).await,
    }
}

fn tell(cx: &Context, project: &Project, entry: Entry) {
    let Some(source) = journal::source(project, &entry.unit) else { return };
    let time = entry.micros.checked_mul(1000);
    cx.emit(Event::Output { source, line: entry.line, time, stderr: false });
}

/// Runs `journalctl`, and hands on each entry.
async fn run(
    transport: &dyn Transport,
    command: &[String],
    mut hand_on: impl FnMut(Entry),
) -> Result<(), Failure> {
    let mut running = transport.run(command).await?;
    let mut lines = BufReader::new(running.stdout).split(b'\n');
    let entries = async {
        while let Some(line) = lines.next_segment().await.map_err(|error| lost(&error))? {
            journal::read(&line).into_iter().for_each(&mut hand_on);
        }
        Ok::<_, Failure>(())
    };
    let (read, complaint) = tokio::join!(entries, complaint(&mut running.stderr));
    read?;
    match running.exit.get() {
        Some(Exit::Status(0)) => Ok(()),
        None => Err(Failure::new(FailureKind::Unreachable, "`journalctl` was lost").retryable()),
        Some(ended) => {
            let how = match ended {
                Exit::Status(status) => format!("ended with status {status}"),
                Exit::Signal(signal) => format!("was ended by the signal `{signal}`"),
            };
            let failure = Failure::failed(format!("`journalctl` {how}"));
            let failure = complaint.lines().fold(failure, Failure::cause);
            Err(failure.hint("whoever logs in there needs `journalctl`, and group `systemd-journal` to read what units print"))
        }
    }
}

fn lost(error: &std::io::Error) -> Failure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Failure>());
    inner.cloned().unwrap_or_else(|| Failure::failed(error.to_string()))
}

/// The beginning of what a command complains about; the rest is read and dropped, or the command would wait for ever.
async fn complaint(stderr: &mut (dyn AsyncRead + Send + Unpin)) -> String {
    let (mut kept, mut buffer) = (Vec::new(), [0; 1024]);
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..read.min(COMPLAINT - kept.len())]);
    }
    String::from_utf8_lossy(&kept).into_owned()
}
