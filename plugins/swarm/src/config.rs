//! The provider's own table in `Cloudpad.toml`. Pure.

use std::path::PathBuf;

use cloudpad_engine::Endpoint;
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Context, Failure};
use cloudpad_transport::Options;
use serde::Deserialize;

/// `[stages.deploy.config]` of provider `swarm`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Managers of the swarm, as the addresses of hosts, tried in turn; the engine of this machine where none is named.
    pub(crate) managers: Vec<String>,
    /// Read in place of `~/.ssh/config` and the system's.
    ssh_config: Option<PathBuf>,
    /// Seconds for each step of connecting.
    connect_timeout: Option<u32>,
    /// The engine's socket on the managers, where it is not `/var/run/docker.sock`.
    socket: Option<String>,
}

impl Config {
    /// That of a call.
    ///
    /// # Errors
    /// `invalid` when the table has another shape, or a manager has an empty address.
    pub(crate) fn of(cx: &Context) -> Result<Self, Failure> {
        let mut config: Self = cx.config()?;
        if config.managers.iter().any(|manager| manager.trim().is_empty()) {
            return Err(Failure::invalid("`managers` has an address that is empty"));
        }
        if config.managers.is_empty() {
            config.managers.push(Host::LOCAL.to_owned());
        }
        Ok(Self { ssh_config: config.ssh_config.map(|path| cx.path(path)), ..config })
    }

    pub(crate) fn options(&self) -> Options {
        let (ssh_config, connect_timeout) = (self.ssh_config.clone(), self.connect_timeout);
        Options { ssh_config, connect_timeout, unlisted: true }
    }

    /// Where a manager's engine listens; none for what this machine's environment says.
    pub(crate) fn endpoint(&self) -> Option<Endpoint> {
        self.socket.clone().map(Endpoint::Unix)
    }
}
