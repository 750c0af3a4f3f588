//! The provider's own table in `Cloudpad.toml`. Pure.

use std::path::PathBuf;

use cloudpad_engine::Endpoint;
use cloudpad_transport::Options;
use serde::Deserialize;

/// `[stages.deploy.config]` and `[stages.push.config]` of provider `ssh`. Both are best left out; where
/// they are equal, both stages share one connection per host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Read in place of `~/.ssh/config` and the system's.
    pub ssh_config: Option<PathBuf>,
    /// Seconds for each step of connecting.
    pub connect_timeout: Option<u32>,
    /// The engine's socket on the hosts, where it is not `/var/run/docker.sock`.
    pub socket: Option<String>,
}

impl Config {
    /// How to connect to a host.
    pub fn options(&self) -> Options {
        Options { ssh_config: self.ssh_config.clone(), connect_timeout: self.connect_timeout }
    }

    /// Where the engine listens on a host that is not this machine.
    pub fn endpoint(&self) -> Endpoint {
        self.socket.clone().map_or_else(Endpoint::default, Endpoint::Unix)
    }
}
