//! `cluster.logs`: what instances have printed, each instance read apart. I/O.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{Service as EngineService, Task};
use bollard::query_parameters::LogsOptionsBuilder;
use cloudpad_engine::{Engine, failure};
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::cluster::Logs;
use cloudpad_plugin_api::stage::deploy::{Events, Logged};
use cloudpad_plugin_api::{Context, Event, Failure};
use futures_util::StreamExt;
use futures_util::future::try_join_all;

use crate::{observe, seen};

/// How long one waits for a node that may be gone, when nothing is followed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tells the lines of all that is meant. What breaks off while it is followed is the inner failure: it is no reason to begin anew with
/// another manager, since whoever has asked knows where it broke off, and asks for the rest.
///
/// # Errors
/// `unreachable` before anything is told; `failed` where the engine cannot read it.
pub(crate) async fn logs(
    cx: &Context,
    engine: &Engine,
    request: &Logs,
) -> Result<Result<Logged, Failure>, Failure> {
    let services = observe::services(engine, &request.project).await?;
    let is_meant = |service: &&EngineService| {
        request.services.is_empty() || request.services.contains(&seen::labelled(service, label::SERVICE))
    };
    let nodes = seen::hostnames(&observe::nodes(engine).await?);
    let mut instances: Vec<(String, Task)> = Vec::new();
    for service in services.iter().filter(is_meant) {
        let name = seen::labelled(service, label::SERVICE);
        for task in observe::tasks(engine, service.id.clone().into_iter().collect()).await? {
            // Of those that are on each node each is the first there.
            let number = seen::number(&task).unwrap_or(1);
            if seen::is_wanted(&task) && request.number.is_none_or(|wanted| wanted == number) {
                let node = seen::on_node(&task, &nodes).map(|node| format!("@{node}")).unwrap_or_default();
                instances.push((format!("{name}.{number}{node}"), task));
            }
        }
    }
    let logged = Logged { containers: u32::try_from(instances.len()).unwrap_or(u32::MAX) };
    if request.follow {
        cx.emit(Events::listening());
    }
    let read = instances.iter().map(|(source, task)| read(engine, request, source, task, cx));
    let read = match try_join_all(read).await {
        Err(failure) if request.follow => return Ok(Err(failure)),
        read => read?,
    };
    let mut lines: Vec<Event> = read.into_iter().flatten().collect();
    lines.sort_by_key(|event| match event {
        Event::Output { time, .. } => *time,
        _ => None,
    });
    lines.into_iter().for_each(|line| cx.emit(line));
    Ok(Ok(logged))
}

/// The lines of an instance; those that are followed are told at once.
async fn read(
    engine: &Engine,
    request: &Logs,
    source: &str,
    task: &Task,
    cx: &Context,
) -> Result<Vec<Event>, Failure> {
    let Some(id) = &task.id else { return Ok(Vec::new()) };
    let tail = request.tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string());
    let since = request.since.map_or(0, |since| i32::try_from(since / 1_000_000_000).unwrap_or(i32::MAX));
    let options = LogsOptionsBuilder::new().stdout(true).stderr(true).timestamps(true).follow(request.follow);
    let docker = if request.follow { engine.patient().await? } else { engine.docker().await? };
    let mut logs = std::pin::pin!(docker.task_logs(id, Some(options.since(since).tail(&tail).build())));
    let mut lines = Vec::new();
    let all = async {
        while let Some(output) = logs.next().await {
            let output =
                output.map_err(|error| failure(&format!("could not read what `{source}` prints"), &error))?;
            let stderr = matches!(output, LogOutput::StdErr { .. });
            let text = String::from_utf8_lossy(output.as_ref()).into_owned();
            for line in text.lines() {
                let event = event(source, line, stderr);
                if request.follow { cx.emit(event) } else { lines.push(event) }
            }
        }
        Ok(())
    };
    match request.follow {
        true => all.await?,
        false => match tokio::time::timeout(PATIENCE, all).await {
            Ok(read) => read?,
            Err(_) => cx.log(
                cloudpad_plugin_api::Level::Warn,
                format!("the node of `{source}` does not tell what it prints"),
            ),
        },
    }
    Ok(lines)
}

/// A line begins with its time, as the engine writes it: `2026-01-31T23:59:59.123456789Z`.
fn event(source: &str, line: &str, stderr: bool) -> Event {
    let (time, text) = line.split_once(' ').unwrap_or(("", line));
    let parsed = nanoseconds(time);
    let line = if parsed.is_some() { text } else { line };
    Event::Output { source: source.to_owned(), line: line.to_owned(), time: parsed, stderr }
}

/// Nanoseconds since 1970 of a time as the engine writes it.
fn nanoseconds(time: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(time).ok()?.timestamp_nanos_opt()
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::Event;

    use super::{event, nanoseconds};

    #[test]
    fn times_are_counted_from_1970() {
        assert_eq!(nanoseconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(nanoseconds("2026-01-31T23:59:59.123456789Z"), Some(1_769_903_999_123_456_789));
        assert_eq!(nanoseconds("2024-02-29T12:00:00.5Z"), Some(1_709_208_000_500_000_000));
        assert_eq!(nanoseconds("hello"), None);
    }

    #[test]
    fn a_line_without_its_time_is_told_as_it_is() {
        let told = |text: &str| match event("web.1@n1", text, true) {
            Event::Output { source, line, time, stderr: true } => (source, line, time),
            other => panic!("{other:?}"),
        };
        let line = |text: &str, time| ("web.1@n1".to_owned(), text.to_owned(), time);
        assert_eq!(told("1970-01-01T00:00:00.000000007Z to be or not"), line("to be or not", Some(7)));
        assert_eq!(told("to be or not"), line("to be or not", None));
        assert_eq!(told("1970-01-01T00:00:00Z "), line("", Some(0)));
    }
}
