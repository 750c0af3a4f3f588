//! The router: it leads each request to a container. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cloudpad_plugin_api::stage::deploy::Rule;
use serde_json::{Map, Value, json};

use super::{OVERLAP, answer, literal, millis, plain_errors};
use crate::deploy::route::piece::Piece;
use crate::deploy::route::proxy::address;

/// Its ports, of which each configuration has another one than that before. No unix sockets: Caddy (2.11.4) goes on listening, and does
/// not serve, at one that it has closed, until its memory is cleaned up.
pub(super) const PORTS: [u16; 2] = [8001, 8002];
/// The name under which the front asks whether its servers are well.
pub(super) const WELL: &str = "cloudpad.internal";

/// Networks of containers, in which the front is: it says whom it hands requests on for. So may a container there say what it
/// likes, which it may say to the other containers too.
const NEIGHBOURS: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"];

/// For how long what is under way may go on after a change: in effect, as long as it likes. A stream ends with its container.
const STREAMS: &str = "8760h";

/// Milliseconds after which a container is asked again at the latest: well within the time for which a request is tried.
const ASKED: u64 = 1_000;

/// The configuration from all pieces: the one that is in effect, or one that listens on the other port.
pub(super) fn config(pieces: &[Piece], in_effect: Option<&Value>) -> Value {
    let [one, other] = PORTS;
    let Some(in_effect) = in_effect else { return on(one, pieces) };
    let listen = &in_effect["apps"]["http"]["servers"]["router"]["listen"];
    let (same, next) = if *listen == json!([format!(":{one}")]) { (one, other) } else { (other, one) };
    let same = on(same, pieces);
    if *in_effect == same { same } else { on(next, pieces) }
}

fn on(port: u16, pieces: &[Piece]) -> Value {
    let mut routes = vec![well(true), well(false), draining(pieces)];
    routes.extend(in_order(pieces).into_iter().map(|(hosts, piece, rule)| route(&hosts, piece, rule)));
    routes.push(json!({ "handle": [{ "handler": "error", "status_code": 404 }] }));
    json!({
        "admin": { "listen": "unix//cloudpad/router-admin.sock" },
        "apps": { "http": { "shutdown_delay": OVERLAP, "servers": { "router": {
            "listen": [format!(":{port}")],
            "protocols": ["h1"],
            "enable_full_duplex": true,
            "automatic_https": { "disable": true },
            "trusted_proxies": { "source": "static", "ranges": NEIGHBOURS },
            "routes": routes,
            "errors": plain_errors(),
        } } } },
    })
}

/// What the front is told when it asks. The connection is closed after it, so that each question finds the servers that are there by then.
fn well(shutting_down: bool) -> Value {
    let mut ask = json!({ "host": [WELL] });
    if shutting_down {
        ask["vars"] = json!({ "{http.shutting_down}": ["true"] });
    }
    json!({ "match": [ask], "terminal": true, "handle": [{
        "handler": "static_response",
        "status_code": if shutting_down { 503 } else { 200 },
        "headers": { "Connection": ["close"] },
    }] })
}

/// Caddy counts what a container is answering as long as it is in the configuration: here no request gets to it.
fn draining(pieces: &[Piece]) -> Value {
    let addresses = pieces.iter().flat_map(|piece| &piece.draining).map(|(name, port)| address(name, *port));
    let upstreams: Vec<_> = addresses.map(|address| json!({ "dial": address })).collect();
    json!({ "match": [{ "expression": "false" }], "handle": [{ "handler": "reverse_proxy", "upstreams": upstreams }] })
}

/// How exactly a name says what it is for: one without `*` does so more than one with it, a longer of these more than a shorter one,
/// and all of them more than none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Names {
    Exact,
    Wild(Reverse<usize>),
    All,
}

impl Names {
    fn of(host: &str) -> Self {
        if host.starts_with("*.") { Self::Wild(Reverse(host.len())) } else { Self::Exact }
    }
}

/// The names of each rule that are as exact as each other, the more exact before the others, and then the longer path
/// before the shorter one: a rule's `*` takes nothing of what another one names.
fn in_order(pieces: &[Piece]) -> Vec<(Vec<&str>, &Piece, &Rule)> {
    let mut all: BTreeMap<_, (Vec<&str>, &Piece, &Rule)> = BTreeMap::new();
    for (piece, rule) in pieces.iter().filter_map(|piece| Some((piece, piece.rule.as_deref()?))) {
        let mut hosts: Vec<_> =
            rule.hosts.iter().map(|host| (Names::of(host), Some(host.as_str()))).collect();
        if hosts.is_empty() {
            hosts.push((Names::All, None));
        }
        for (names, host) in hosts {
            let place = (names, Reverse(path(rule).len()), piece.file());
            all.entry(place).or_insert_with(|| (Vec::new(), piece, rule)).0.extend(host);
        }
    }
    all.into_values().collect()
}

/// The path of a rule, which is empty for all.
fn path(rule: &Rule) -> &str {
    rule.path.as_deref().unwrap_or_default().trim_end_matches('/')
}

fn route(hosts: &[&str], piece: &Piece, rule: &Rule) -> Value {
    let mut handle = Vec::new();
    if rule.redirect && rule.tls.is_some() {
        handle.push(redirect());
    }
    if !rule.headers.is_empty() {
        let set: Map<String, Value> =
            rule.headers.iter().map(|(name, value)| (literal(name), json!([literal(value)]))).collect();
        handle.push(json!({ "handler": "headers", "response": { "set": set, "deferred": true } }));
    }
    match &rule.maintenance {
        Some(page) => handle.extend(answer(json!({
            "status_code": 503,
            "headers": { "Content-Type": ["text/html; charset=utf-8"], "Retry-After": ["60"], "Cache-Control": ["no-store"] },
            "body": literal(page),
        }))),
        None => {
            if let Some(most) = rule.max_body {
                handle.push(json!({ "handler": "request_body", "max_size": most }));
            }
            handle.push(to_containers(piece, rule));
        }
    }
    let mut route = json!({ "handle": handle, "terminal": true });
    let mut ask = json!({});
    if !hosts.is_empty() {
        ask["host"] = json!(hosts);
    }
    let path = path(rule);
    if !path.is_empty() {
        ask["path"] = json!([path, format!("{path}/*")]);
    }
    if ask != json!({}) {
        route["match"] = json!([ask]);
    }
    route
}

/// To HTTPS, of what has come to the front by HTTP.
fn redirect() -> Value {
    json!({ "handler": "subroute", "routes": [{
        "match": [{ "header": { "X-Forwarded-Proto": ["http"] } }],
        "terminal": true,
        "handle": answer(json!({
            "status_code": 308,
            "headers": { "Location": ["https://{http.request.host}{http.request.uri}"] },
        })),
    }] })
}

fn to_containers(piece: &Piece, rule: &Rule) -> Value {
    let upstreams = piece.containers.iter().map(|(name, port)| json!({ "dial": address(name, *port) }));
    // In turn, and not those with the fewest requests: these would be the ones that are gone, at each try again.
    // A name may lead to several services, and a client has a cookie of each.
    let cookie = format!("cloudpad-{}-{}", piece.project.prefix(), piece.service);
    let policy = match rule.sticky {
        true => json!({ "policy": "cookie", "name": cookie, "fallback": { "policy": "round_robin" } }),
        false => json!({ "policy": "round_robin" }),
    };
    // Less than servers keep a connection that nobody uses: they close it just when it is used again.
    let mut transport = json!({ "protocol": "http", "keep_alive": { "idle_timeout": "4s" } });
    if let Some(ms) = rule.timeout_ms {
        transport["response_header_timeout"] = json!(millis(ms));
    }
    // What becomes of requests tells nothing of a container: to Caddy a client that goes away while it sends, and one that sends too
    // much, are failures of the container too, and one client would keep all others from it. Who is gone is found by asking.
    let mut health = json!({});
    if let Some(asked) = &rule.health {
        health["active"] = json!({
            "uri": asked.path,
            "interval": millis(asked.interval_ms.min(ASKED)),
            "timeout": millis(asked.timeout_ms),
            // Frameworks refuse names that they do not know; all of them know this one.
            "headers": { "Host": [format!("localhost:{}", rule.port)] },
        });
    }
    json!({
        "handler": "reverse_proxy",
        "upstreams": upstreams.collect::<Vec<_>>(),
        "load_balancing": { "selection_policy": policy, "try_duration": "5s", "try_interval": "100ms" },
        "health_checks": health,
        "transport": transport,
        "stream_close_delay": STREAMS,
    })
}
