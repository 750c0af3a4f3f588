//! Where an engine listens, seen from its own machine. Pure.

use cloudpad_plugin_api::Failure;

/// Where every engine listens unless it was told otherwise.
pub const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// Where an engine listens, seen from its own machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A unix socket, by its absolute path.
    Unix(String),
    /// A TCP port without TLS.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
    },
}

impl Default for Endpoint {
    fn default() -> Self {
        Endpoint::Unix(DEFAULT_SOCKET.to_owned())
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Endpoint::Unix(path) => f.write_str(path),
            Endpoint::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

impl Endpoint {
    /// What `DOCKER_HOST` says: `unix://PATH` or `tcp://HOST[:PORT]`.
    ///
    /// # Errors
    /// `invalid` for anything else.
    pub fn parse(docker_host: &str) -> Result<Self, Failure> {
        let refuse = || {
            Failure::invalid(format!("`DOCKER_HOST={docker_host}` does not name an engine of this machine"))
                .hint("set it to `unix://PATH`, or unset it; an engine elsewhere is a host in Cloudpad.toml")
        };
        if let Some(path) = docker_host.strip_prefix("unix://") {
            return path.starts_with('/').then(|| Endpoint::Unix(path.to_owned())).ok_or_else(refuse);
        }
        let address = docker_host.strip_prefix("tcp://").ok_or_else(refuse)?.trim_end_matches('/');
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "2375"));
        let port = port.parse().map_err(|_| refuse())?;
        (!host.is_empty()).then(|| Endpoint::Tcp { host: host.to_owned(), port }).ok_or_else(refuse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_host_names_a_socket_or_a_port() {
        assert_eq!(Endpoint::parse("unix:///run/x.sock").unwrap(), Endpoint::Unix("/run/x.sock".into()));
        let tcp = |port| Endpoint::Tcp { host: "localhost".into(), port };
        assert_eq!(Endpoint::parse("tcp://localhost:2376").unwrap(), tcp(2376));
        assert_eq!(Endpoint::parse("tcp://localhost").unwrap(), tcp(2375));
    }

    #[test]
    fn what_is_not_an_engine_here_is_refused_by_name() {
        for bad in ["ssh://h1", "unix://relative", "tcp://", "tcp://h:port", "/run/x.sock"] {
            let failure = Endpoint::parse(bad).unwrap_err();
            assert!(failure.message.contains(bad), "{failure}");
        }
    }
}
