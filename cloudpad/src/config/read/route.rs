//! `[services.NAME.route]`. Pure.

use cloudpad_plugin_api::model::{Check, Health, Protocol};
use cloudpad_plugin_api::stage::deploy::RouteHealth;

use super::health::{path, port};
use super::secrets::secret;
use crate::config::grammar::{request, unit};
use crate::config::section::Section;
use crate::config::tree::Value;
use crate::config::{PortRange, Problem, Route, RouteTls};

/// How often and how long a path is asked that the service's own health check does not ask.
const INTERVAL_MS: u64 = 2_000;
const TIMEOUT_MS: u64 = 5_000;

/// The route; what it does not say follows from the health check and the ports.
pub(super) fn read(
    service: &Section<'_>,
    health: Option<&Health>,
    ports: Option<&[PortRange]>,
) -> Option<Route> {
    let section = service.section("route")?;
    let hosts = section.set("hosts", request::host);
    let tls = tls(&section, &hosts);
    let port = match section.has("port") {
        true => port(&section, "port"),
        false => only_port(&section, health, ports),
    };
    let redirect = section.flag("redirect");
    let is_plain = !section.has("tls") || section.json("tls") == "off";
    if redirect == Some(true) && is_plain {
        section.problem("redirect", Problem::new("`redirect` leads to HTTPS, and the route has no `tls`"));
    }
    Some(Route {
        path: section.parse("path", request::prefix).filter(|path| path != "/"),
        health: asked(&section, health),
        redirect: redirect.unwrap_or(tls.is_some()),
        timeout_ms: section.parse("timeout", unit::some_millis),
        max_body: section.parse("max_body", unit::bytes),
        sticky: section.flag("sticky").unwrap_or_default(),
        headers: section.map("headers", request::header, header),
        port: port?,
        hosts,
        tls,
    })
}

fn header(value: &Value) -> Result<String, Problem> {
    match value {
        Value::Text(text) if text.contains(char::is_control) => {
            Err(Problem::new("the header's value has control characters"))
        }
        Value::Text(text) => Ok(text.clone()),
        _ => Err(Problem::new("the header's value is not a string")),
    }
}

/// The port that the health check asks, or the only one that is published.
fn only_port(section: &Section<'_>, health: Option<&Health>, ports: Option<&[PortRange]>) -> Option<u16> {
    match health.map(|health| &health.check) {
        Some(Check::Http { port, .. } | Check::Tcp { port }) => return Some(*port),
        Some(Check::Command { .. } | Check::Image) | None => {}
    }
    let mut published = ports?.iter().filter(|port| port.protocol == Protocol::Tcp);
    if let (Some(only), None) = (published.next(), published.next()) {
        return Some(only.container);
    }
    section.problem(
        "port",
        Problem::new("the route does not say at which port the container answers")
            .hint("add `port`, the port inside the container"),
    );
    None
}

/// What the proxy asks: the path of the route or of the service's own health check.
fn asked(section: &Section<'_>, health: Option<&Health>) -> Option<RouteHealth> {
    let own = health.and_then(|health| match &health.check {
        Check::Http { path, .. } => Some(RouteHealth {
            path: path.clone(),
            interval_ms: health.interval_ms,
            timeout_ms: health.timeout_ms,
        }),
        _ => None,
    });
    match section.parse("health", path) {
        Some(path) => {
            let own = own.unwrap_or(RouteHealth {
                path: String::new(),
                interval_ms: INTERVAL_MS,
                timeout_ms: TIMEOUT_MS,
            });
            Some(RouteHealth { path, ..own })
        }
        None => own,
    }
}

fn tls(section: &Section<'_>, hosts: &[String]) -> Option<RouteTls> {
    if let Some(own) = section.section("tls") {
        for key in ["certificate", "key"].into_iter().filter(|key| !own.has(key)) {
            let message = format!("`{}` has no `{key}`", own.at);
            own.problem(key, Problem::new(message).hint("it is the name of a secret, whose value is in PEM"));
        }
        let (certificate, key) = (own.parse("certificate", secret)?, own.parse("key", secret)?);
        return Some(RouteTls::Own { certificate, key });
    }
    if !section.choice("tls", &[("auto", true), ("off", false)])? {
        return None;
    }
    let fault = match hosts.iter().find(|host| host.starts_with("*.")) {
        Some(host) => format!("no certificate for `{host}` can be had by asking over HTTP"),
        None if !section.has("hosts") => {
            "a certificate is for host names, and the route has no `hosts`".to_owned()
        }
        None => return Some(RouteTls::Auto),
    };
    section
        .problem("tls", Problem::new(fault).hint("name hosts in full, or bring a certificate of your own"));
    None
}
