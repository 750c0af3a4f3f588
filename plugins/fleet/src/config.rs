//! The table `[stages.deploy.config]`: where fleet answers. Pure.

use std::path::PathBuf;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Context, Failure};
use cloudpad_transport::Options;
use serde::Deserialize;

use crate::observe;
use crate::wire::Machine;

/// Where fleet listens when nobody says it.
const ENDPOINT: &str = "unix:///var/run/fleet.sock";

/// What the table may say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `http://HOST:PORT` or `unix:///PATH`, as seen from the end of the tunnel where there is one.
    endpoint: Option<String>,
    /// `[user@]host[:port]` of an SSH server through which fleet and its machines are reached.
    tunnel: Option<String>,
    /// Read in place of `~/.ssh/config` and the system's.
    ssh_config: Option<PathBuf>,
    /// Seconds for each step of connecting by SSH.
    connect_timeout: Option<u32>,
    /// Whether no two instances of a service may be on one machine.
    pub spread: bool,
}

/// Where fleet's API is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// A TCP port.
    Tcp(String, u16),
    /// A unix socket.
    Unix(String),
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Endpoint::Tcp(host, port) if host.contains(':') => write!(f, "http://[{host}]:{port}"),
            Endpoint::Tcp(host, port) => write!(f, "http://{host}:{port}"),
            Endpoint::Unix(path) => write!(f, "unix://{path}"),
        }
    }
}

impl Config {
    /// The configuration of a call.
    ///
    /// # Errors
    /// `invalid`, saying what is wrong with it.
    pub fn of(cx: &Context) -> Result<Self, Failure> {
        let config: Self = cx.config()?;
        config.endpoint()?;
        if config.tunnel.as_deref().is_some_and(|host| host.is_empty() || host == Host::LOCAL) {
            return Err(Failure::invalid("`tunnel` is no SSH server").hint("it is `[user@]host[:port]`"));
        }
        Ok(Self { ssh_config: config.ssh_config.map(|path| cx.path(path)), ..config })
    }

    /// Where fleet's API is.
    ///
    /// # Errors
    /// `invalid` when it is no such address.
    pub fn endpoint(&self) -> Result<Endpoint, Failure> {
        let endpoint = self.endpoint.as_deref().unwrap_or(ENDPOINT);
        let tcp = |rest: &str| {
            let (host, port) = rest.trim_end_matches('/').rsplit_once(':')?;
            let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let host = bare.unwrap_or(host);
            let is_host = !host.is_empty() && !host.contains(['/', '@', '?', '#', '[', ']']);
            let is_host =
                is_host && !host.contains(char::is_whitespace) && (bare.is_some() || !host.contains(':'));
            Some(Endpoint::Tcp(host.to_owned(), port.parse().ok()?)).filter(|_| is_host)
        };
        let unix = |path: &str| path.starts_with('/').then(|| Endpoint::Unix(path.to_owned()));
        let read = match (endpoint.strip_prefix("http://"), endpoint.strip_prefix("unix://")) {
            (Some(rest), _) => tcp(rest),
            (_, Some(path)) => unix(path),
            _ => None,
        };
        read.ok_or_else(|| {
            Failure::invalid(format!("endpoint `{endpoint}` is none of fleet's"))
                .hint("it is `http://HOST:PORT` or `unix:///PATH`; fleet itself speaks no TLS, a `tunnel` is as safe")
        })
    }

    /// The host on which the endpoint is: this machine, or the one at the tunnel's other end.
    pub fn host(&self) -> Host {
        Host::new("fleet", self.tunnel.as_deref().unwrap_or(Host::LOCAL))
    }

    /// A machine as an SSH server: at the address that fleet tells of it, as the user of the tunnel where that says one.
    pub fn machine(&self, machine: &Machine) -> Host {
        let user = self.tunnel.as_deref().and_then(|tunnel| tunnel.rsplit_once('@'));
        let user = user.map(|(user, _)| format!("{user}@")).unwrap_or_default();
        Host::new(observe::name(machine), format!("{user}{}", machine.primary_ip))
    }

    /// The server through which machines are reached; none where they are reached from here.
    pub fn jump(&self) -> Option<Host> {
        Some(self.host()).filter(|host| !host.is_local())
    }

    /// How to connect by SSH.
    pub fn options(&self) -> Options {
        let (ssh_config, connect_timeout) = (self.ssh_config.clone(), self.connect_timeout);
        Options { ssh_config, connect_timeout, unlisted: true }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloudpad_plugin_api::Cancel;
    use serde_json::{Value, json};

    use super::*;

    fn read(config: Value) -> Result<Config, String> {
        let cx = Context::new(config, Arc::new(|_| {}), Cancel::new());
        Config::of(&cx).map_err(|failure| failure.message)
    }

    #[test]
    fn an_endpoint_is_a_port_or_a_socket() {
        for (given, endpoint) in [
            (json!({}), ENDPOINT),
            (json!({ "endpoint": "http://10.0.0.1:49153/" }), "http://10.0.0.1:49153"),
            (json!({ "endpoint": "http://[::1]:1", "tunnel": "core@h" }), "http://[::1]:1"),
            (json!({ "endpoint": "unix:///run/f.sock" }), "unix:///run/f.sock"),
        ] {
            assert_eq!(read(given).unwrap().endpoint().unwrap().to_string(), endpoint);
        }
    }

    #[test]
    fn machines_are_reached_as_fleet_is() {
        let machine =
            Machine { id: "1a".to_owned(), primary_ip: "10.0.0.5".to_owned(), ..Machine::default() };
        for (given, address, jump) in [
            (json!({ "ssh_config": "f" }), "10.0.0.5", None),
            (json!({ "tunnel": "bastion:2222" }), "10.0.0.5", Some("bastion:2222")),
            (json!({ "tunnel": "core@bastion" }), "core@10.0.0.5", Some("core@bastion")),
        ] {
            let config = read(given).unwrap();
            assert_eq!(config.machine(&machine), Host::new("1a", address));
            assert_eq!(config.jump().map(|host| host.address).as_deref(), jump);
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (given, words) in [
            (json!({ "endpoint": "10.0.0.1:49153" }), "none of fleet's"),
            (json!({ "endpoint": "https://h:1" }), "none of fleet's"),
            (json!({ "endpoint": "http://h" }), "none of fleet's"),
            (json!({ "endpoint": "http://me@h:1" }), "none of fleet's"),
            (json!({ "endpoint": "http://h:1/v1" }), "none of fleet's"),
            (json!({ "endpoint": "http://::1:1" }), "none of fleet's"),
            (json!({ "endpoint": "unix://run/f" }), "none of fleet's"),
            (json!({ "tunnel": "local" }), "no SSH server"),
            (json!({ "host": "h" }), "unknown field `host`"),
        ] {
            let why = read(given.clone()).unwrap_err();
            assert!(why.contains(words), "{given}: {why}");
        }
    }
}
