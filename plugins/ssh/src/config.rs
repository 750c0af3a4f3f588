//! The provider's own table in `Cloudpad.toml`. Pure.

use std::path::PathBuf;

use cloudpad_engine::Endpoint;
use cloudpad_plugin_api::{Context, Failure};
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
    /// That of a call.
    ///
    /// # Errors
    /// `invalid` when the table has another shape.
    pub fn of(cx: &Context) -> Result<Self, Failure> {
        let config: Self = cx.config()?;
        Ok(Self { ssh_config: config.ssh_config.map(|path| cx.path(path)), ..config })
    }

    /// How to connect to a host.
    pub fn options(&self) -> Options {
        let (ssh_config, connect_timeout) = (self.ssh_config.clone(), self.connect_timeout);
        Options { ssh_config, connect_timeout, unlisted: false }
    }

    /// Where the engine listens on a host that is not this machine.
    pub fn endpoint(&self) -> Endpoint {
        self.socket.clone().map_or_else(Endpoint::default, Endpoint::Unix)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use cloudpad_plugin_api::Cancel;

    use super::*;

    #[test]
    fn a_relative_path_is_the_projects() {
        let read = |path: &str| {
            let cx = Context::new(serde_json::json!({ "ssh_config": path }), Arc::new(|_| {}), Cancel::new());
            Config::of(&cx.within(Arc::from(Path::new("/srv/shop")))).unwrap().ssh_config.unwrap()
        };
        assert_eq!(read("ssh_config"), Path::new("/srv/shop/ssh_config"));
        assert_eq!(read("/etc/other"), Path::new("/etc/other"));
    }
}
