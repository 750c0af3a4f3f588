//! The front: it takes the world's connections, and hands each request to the router. Pure.

use std::collections::BTreeSet;

use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::deploy::{Rule, Tls};
use serde_json::{Value, json};

use super::{WATCH, logging, plain_errors, router};
use crate::deploy::route::piece::Piece;
use crate::deploy::route::proxy::SECRETS;

/// Where the front tells how many requests are being answered: in its own network, in which nothing else is, and that
/// alone of all that the router's administration has.
pub(super) const STATUS_PORT: u16 = 2019;
pub(super) const STATUS_PATH: &str = "/reverse_proxy/upstreams";

/// The folder of the projects' own certificates, in that of secrets.
pub(in crate::deploy::route) const OWN: &str = "cloudpad/";

/// The configuration: the same as long as certificates are.
pub(super) fn config(pieces: &[Piece]) -> Value {
    let server = |listen: &str| {
        json!({
            "listen": [listen],
            "protocols": ["h1", "h2"],
            "enable_full_duplex": true,
            "automatic_https": { "disable": true },
            "routes": [{ "handle": [to_router()] }],
            "errors": plain_errors(),
        })
    };
    let mut https = server(":443");
    https["tls_connection_policies"] = json!([{}]);
    let status = json!({
        "listen": [format!(":{STATUS_PORT}")],
        "automatic_https": { "disable": true },
        "routes": [{
            "match": [{ "method": ["GET"], "path": [STATUS_PATH] }],
            "handle": [{ "handler": "reverse_proxy", "upstreams": [{ "dial": "unix//cloudpad/router-admin.sock" }] }],
        }],
    });
    let mut certificates = json!({ "load_files": own(pieces) });
    let auto = auto(pieces);
    if !auto.is_empty() {
        certificates["automate"] = json!(auto);
    }
    json!({
        "admin": { "listen": "unix//cloudpad/front-admin.sock" },
        "logging": logging(),
        "apps": {
            "http": { "servers": { "http": server(":80"), "https": https, "status": status } },
            "tls": { "certificates": certificates },
        },
    })
}

/// Full duplex, or a container that answers before it has read the whole request would now and then cut itself off.
fn to_router() -> Value {
    json!({
        "handler": "reverse_proxy",
        "upstreams": router::PORTS.map(|port| json!({ "dial": format!("cloudpad-router:{port}") })),
        "load_balancing": {
            "selection_policy": { "policy": "first" },
            "try_duration": "10s",
            "try_interval": "50ms",
        },
        "health_checks": { "active": {
            "uri": "/", "interval": WATCH, "timeout": "2s", "headers": { "Host": [router::WELL] },
        } },
        "stream_close_delay": "8760h",
    })
}

/// The names for which Caddy gets certificates.
fn auto(pieces: &[Piece]) -> BTreeSet<&String> {
    let rules = pieces.iter().filter_map(|piece| piece.rule.as_deref());
    rules.filter(|rule| rule.tls == Some(Tls::Auto)).flat_map(|rule| &rule.hosts).collect()
}

/// The projects' own certificates.
fn own(pieces: &[Piece]) -> Vec<Value> {
    let files =
        pieces.iter().filter_map(|piece| own_files(&piece.project, &piece.service, piece.rule.as_deref()?));
    files.map(|[certificate, key]| json!({ "certificate": certificate, "key": key })).collect()
}

/// The files of a rule's own certificate and its key.
pub(in crate::deploy::route) fn own_files(
    project: &Project,
    service: &str,
    rule: &Rule,
) -> Option<[String; 2]> {
    let Some(Tls::Own { certificate, key }) = &rule.tls else { return None };
    let file = |ending| {
        format!("{SECRETS}/{OWN}{}.{service}.{}{}.{ending}", project.prefix(), certificate.mark, key.mark)
    };
    Some([file("crt"), file("key")])
}
