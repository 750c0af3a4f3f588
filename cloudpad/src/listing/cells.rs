//! Rows of `cloudpad ps` in words. Pure.

use cloudpad_plugin_api::model::{Port, Project, Protocol};
use cloudpad_plugin_api::stage::deploy::State;

use super::Row;
use crate::words::{columns, some_of};

/// How much of a digest tells it from others.
const DIGITS: usize = 12;

/// Rows as a table with a heading. What containers are called is left out where that is told of none, as in a cluster.
pub fn table(rows: &[Row], project: &Project) -> String {
    let heading =
        ["INSTANCE", "HOST", "STATE", "FOR", "RELEASE", "IMAGE", "PORTS", "CONTAINER"].map(str::to_owned);
    let cells = rows.iter().map(|row| cells(row, project));
    let lines: Vec<_> = std::iter::once(heading).chain(cells).collect();
    match rows.iter().any(|row| !row.container.is_empty()) || rows.is_empty() {
        true => columns(&lines),
        false => columns(&lines.into_iter().map(without_last).collect::<Vec<_>>()),
    }
}

fn without_last([instance, host, state, lasting, release, image, ports, _]: [String; 8]) -> [String; 7] {
    [instance, host, state, lasting, release, image, ports]
}

fn cells(row: &Row, project: &Project) -> [String; 8] {
    let reached = row.ports.iter().map(port).chain(row.routes.iter().cloned());
    [
        row.instance.to_string(),
        row.host.clone(),
        state(row),
        row.lasting.clone(),
        row.release.clone(),
        image(&row.image, project),
        reached.collect::<Vec<_>>().join(", "),
        row.container.clone(),
    ]
}

/// A line about instances of which none of the containers runs; none where there is no such instance.
pub fn not_running(last: &[Row]) -> Option<String> {
    let words = |row: &Row| format!("{} on {}: {}", row.instance, row.host, state(row));
    let names: Vec<String> = last.iter().map(words).collect();
    (!names.is_empty()).then(|| format!("not running: {}; `cloudpad ps --all` lists them", some_of(&names)))
}

/// Such as `running (healthy)`, `stopped (137)`, and with the reason why it does not serve.
fn state(row: &Row) -> String {
    let state = match row.state {
        State::Running if row.healthy == Some(true) => "running (healthy)",
        State::Running => "running",
        State::Starting => "starting",
        State::Unhealthy => "unhealthy",
        State::Paused => "paused",
        State::Restarting => "restarting",
        State::Stopped => "stopped",
        State::Other => "unknown",
    };
    let more = row.exit_code.map(|code| code.to_string()).or_else(|| row.reason.clone());
    more.map_or(state.to_owned(), |more| format!("{state} ({more})"))
}

/// As Docker writes it: `127.0.0.1:5353->53/udp`.
fn port(port: &Port) -> String {
    let address = port.host_ip.as_ref().map(|address| format!("{address}:")).unwrap_or_default();
    let protocol = if port.protocol == Protocol::Udp { "/udp" } else { "" };
    format!("{address}{}->{}{protocol}", port.published, port.target)
}

/// As people know it: one that the project builds by its own name, and of a digest what tells it from others, where no
/// tag does.
fn image(reference: &str, project: &Project) -> String {
    let own = reference.strip_prefix(&project.name).and_then(|rest| rest.strip_prefix('.'));
    let known = own.unwrap_or(reference);
    match known.split_once("@sha256:") {
        None => known.to_owned(),
        Some((name, _)) if name.rsplit('/').next().is_some_and(|last| last.contains(':')) => name.to_owned(),
        Some((name, digest)) => format!("{name}@{}", digest.get(..DIGITS).unwrap_or(digest)),
    }
}
