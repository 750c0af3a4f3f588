//! `[services.NAME.health]`. Pure.

use cloudpad_plugin_api::model::{Check, Health, Protocol};

use crate::config::grammar::unit;
use crate::config::section::Section;
use crate::config::{PortRange, Problem};

const INTERVAL_MS: u64 = 2_000;
const TIMEOUT_MS: u64 = 5_000;
const RETRIES: u32 = 3;

pub(super) fn read(service: &Section<'_>, ports: Option<&[PortRange]>) -> Option<Health> {
    match service.section("health") {
        Some(section) => table(&section, ports),
        None => service.choice("health", &[("image", ())]).map(|()| health(Check::Image)),
    }
}

fn health(check: Check) -> Health {
    Health { check, interval_ms: INTERVAL_MS, timeout_ms: TIMEOUT_MS, retries: RETRIES }
}

fn table(section: &Section<'_>, ports: Option<&[PortRange]>) -> Option<Health> {
    let interval = section.parse("interval", unit::some_millis);
    let timeout = section.parse("timeout", unit::some_millis);
    let retries = section.whole("retries", 1..=1000);
    let health = health(check(section, ports)?);
    Some(Health {
        interval_ms: interval.unwrap_or(health.interval_ms),
        timeout_ms: timeout.unwrap_or(health.timeout_ms),
        retries: retries.unwrap_or(health.retries),
        ..health
    })
}

fn check(section: &Section<'_>, ports: Option<&[PortRange]>) -> Option<Check> {
    let chosen: Vec<&str> = ["http", "tcp", "command"].into_iter().filter(|key| section.has(key)).collect();
    for more in chosen.iter().skip(1) {
        section.problem_with_key(
            more,
            Problem::new(format!("`{}` has both `{}` and `{more}`", section.at, chosen[0]))
                .hint("a service has one health check"),
        );
    }
    let Some(kind) = chosen.first() else {
        section.problem("http", Problem::new(format!("`{}` does not say what to try", section.at))
            .hint("add one of `http = \"/path\"`, `tcp = PORT` and `command = [\"…\"]`, or write `health = \"image\"`"));
        return None;
    };
    if *kind != "http" && section.has("port") {
        section.problem_with_key(
            "port",
            Problem::new(format!("`port` goes with `http`, but the check is `{kind}`"))
                .hint("with `tcp` the port is its value: `tcp = 5432`"),
        );
    }
    match *kind {
        "http" => http(section, ports),
        "tcp" => Some(Check::Tcp { port: port(section, "tcp")? }),
        _ => Some(Check::Command { command: section.command("command")? }),
    }
}

fn http(section: &Section<'_>, ports: Option<&[PortRange]>) -> Option<Check> {
    let path = section.parse("http", path);
    let port = if section.has("port") { port(section, "port") } else { only_port(section, ports) };
    Some(Check::Http { path: path?, port: port? })
}

/// A path of a URL.
pub(super) fn path(text: &str) -> Result<String, Problem> {
    match text.starts_with('/') && !text.contains([' ', '\r', '\n']) {
        true => Ok(text.to_owned()),
        false => Err(Problem::new(format!("`{}` is no path of a URL", text.escape_debug()))
            .hint("it begins with `/`, such as `/up`")),
    }
}

pub(super) fn port(section: &Section<'_>, key: &str) -> Option<u16> {
    section.whole(key, 1..=u32::from(u16::MAX)).and_then(|port| u16::try_from(port).ok())
}

/// The container port that is published, if it is just one. Nothing is said where `ports` are broken.
fn only_port(section: &Section<'_>, ports: Option<&[PortRange]>) -> Option<u16> {
    let mut published: Vec<u16> =
        ports?.iter().filter(|port| port.protocol == Protocol::Tcp).map(|port| port.container).collect();
    published.sort_unstable();
    published.dedup();
    match published[..] {
        [port] => Some(port),
        _ => {
            let why =
                if published.is_empty() { "no port is published" } else { "several ports are published" };
            section.problem(
                "http",
                Problem::new(format!("the check does not say which port to ask, and {why}"))
                    .hint("add `port`, the port inside the container"),
            );
            None
        }
    }
}
