//! Caddy: what its two containers are, and their configuration from all pieces. Pure.
//!
//! Caddy takes a new configuration by starting new servers and stopping the old ones, which closes idle connections and
//! drops what has just been accepted: measured under load, each change lost several requests. So there are two
//! of it. The front takes the world's connections, and its configuration changes only with certificates. It hands every
//! request to the router, in a network of their own. The router listens on one port in turn of two: with a new configuration
//! on the other one, while the servers of the old one go on for [`OVERLAP`] and meanwhile say of themselves that they are not
//! well. The front sees that, and asks the others. What they are still answering by then, they may finish.

mod front;
mod router;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::piece::Piece;
use super::proxy::{Kind, Part};
pub(super) use front::{OWN, own_files};

/// For how long the servers of an old configuration go on taking requests.
const OVERLAP: &str = "1s";
/// How often the front looks which servers are well; many times within [`OVERLAP`].
const WATCH: &str = "100ms";

/// The proxy.
pub(super) struct Caddy;

/// The parts share the folder. Their administration listens on sockets in it, which only root can open.
const PARTS: [Part; 2] = [
    Part {
        container: "cloudpad-router",
        is_front: false,
        command: &["caddy", "run", "--resume", "--config", "/cloudpad/router.json"],
        env: &[
            "XDG_CONFIG_HOME=/cloudpad/router",
            "XDG_DATA_HOME=/cloudpad/router",
            "CADDY_ADMIN=unix//cloudpad/router-admin.sock",
        ],
        first: "router.json",
        next: "router.next.json",
        load: &[
            "caddy",
            "reload",
            "--config",
            "/cloudpad/router.next.json",
            "--address",
            "unix//cloudpad/router-admin.sock",
        ],
        in_effect: "router/caddy/autosave.json",
    },
    Part {
        container: "cloudpad-proxy",
        is_front: true,
        command: &["caddy", "run", "--resume", "--config", "/cloudpad/front.json"],
        env: &[
            "XDG_CONFIG_HOME=/cloudpad/front",
            "XDG_DATA_HOME=/data",
            "CADDY_ADMIN=unix//cloudpad/front-admin.sock",
        ],
        first: "front.json",
        next: "front.next.json",
        load: &[
            "caddy",
            "reload",
            "--config",
            "/cloudpad/front.next.json",
            "--address",
            "unix//cloudpad/front-admin.sock",
        ],
        in_effect: "front/caddy/autosave.json",
    },
];

impl Kind for Caddy {
    fn parts(&self) -> &'static [Part] {
        &PARTS
    }

    fn config(&self, part: &Part, pieces: &[Piece], in_effect: Option<&Value>) -> Value {
        match part.is_front {
            true => front::config(pieces),
            false => router::config(pieces, in_effect),
        }
    }

    fn refusal<'a>(&self, output: &'a str) -> &'a str {
        let mut lines = output.lines().rev().map(str::trim).filter(|line| !line.is_empty());
        let last = lines.next().unwrap_or_default();
        last.strip_prefix("Error: ").unwrap_or(last)
    }

    fn status(&self) -> (u16, &'static str) {
        (front::STATUS_PORT, front::STATUS_PATH)
    }

    fn requests(&self, status: &[u8]) -> Option<BTreeMap<String, u64>> {
        let all: Vec<Value> = serde_json::from_slice(status).ok()?;
        let one = |told: &Value| Some((told["address"].as_str()?.to_owned(), told["num_requests"].as_u64()?));
        all.iter().map(one).collect()
    }
}

/// The words of a user, in a place where Caddy would replace `{…}`.
fn literal(text: &str) -> String {
    text.replace('{', "\\{").replace('}', "\\}")
}

fn millis(ms: u64) -> String {
    format!("{ms}ms")
}

/// What is logged: not that a port is not well, which one of them never is, several times a second.
fn logging() -> Value {
    json!({ "logs": { "default": { "exclude": ["http.handlers.reverse_proxy.health_checker.active"] } } })
}

/// What is answered when something is wrong.
fn plain_errors() -> Value {
    json!({ "routes": [{ "handle": answer(json!({
        "status_code": "{http.error.status_code}",
        "headers": { "Content-Type": ["text/plain; charset=utf-8"] },
        "body": "{http.error.status_code} {http.error.status_text}\n",
    })) }] })
}

/// An answer of Caddy's own, which is not about the body of the request. Where that is left for the server to clear away after the
/// answer, as with full duplex it is, the server now and then breaks the connection (Go's `invalid concurrent Body.Read call`), over which the
/// front has sent another request by then. So the body is closed before, by giving the request another one, and
/// the connection is not used again, since what is left of a large one is still to come.
fn answer(mut said: Value) -> [Value; 2] {
    said["handler"] = json!("static_response");
    said["close"] = json!(true);
    [json!({ "handler": "request_body", "set": "-" }), said]
}

#[cfg(test)]
#[path = "caddy/tests.rs"]
mod tests;
