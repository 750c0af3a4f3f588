//! A route and the proxy as tables. Pure.

use super::out::{Out, Table};
use crate::config::grammar::unit;
use crate::config::{ProxyChoice, Route, RouteTls};

pub(super) fn route(route: &Route) -> Out {
    let mut table = Table::default();
    table.texts("hosts", &route.hosts);
    if let Some(path) = &route.path {
        table.text("path", path);
    }
    table.whole("port", route.port);
    if let Some(health) = &route.health {
        table.text("health", &health.path);
    }
    match &route.tls {
        None => table.text("tls", "off"),
        Some(RouteTls::Auto) => table.text("tls", "auto"),
        Some(RouteTls::Own { certificate, key }) => {
            let mut own = Table::default();
            own.text("certificate", certificate);
            own.text("key", key);
            table.put("tls", Out::Table(own));
        }
    }
    table.put("redirect", Out::Flag(route.redirect));
    if let Some(ms) = route.timeout_ms {
        table.text("timeout", &unit::millis_text(ms));
    }
    if let Some(bytes) = route.max_body {
        table.text("max_body", &unit::memory_text(bytes));
    }
    table.put("sticky", Out::Flag(route.sticky));
    table.map("headers", &route.headers, |value| Out::text(value));
    Out::Table(table)
}

pub(super) fn proxy(proxy: &ProxyChoice) -> Table {
    let mut table = Table::default();
    table.text("image", &proxy.made.image);
    table.whole("http_port", proxy.made.http_port);
    table.whole("https_port", proxy.made.https_port);
    table.text("drain", &unit::millis_text(proxy.drain_ms));
    table
}
