//! One engine: its client, its version, and how often it was asked. I/O.

use std::sync::Arc;
use std::time::Duration;

use bollard::query_parameters::TagImageOptionsBuilder;
use bollard::{API_DEFAULT_VERSION, ClientVersion, Docker};
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::{Cancel, Failure};
use cloudpad_transport::{Options, Stream, Transport};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::connector::Connector;
use crate::sender::Sender;
use crate::{Endpoint, Reference, failure};

/// How long an engine may take to begin its answer to a request that needs no work. One that is hung
/// altogether is found out by [`Engine::silent_for`].
const QUICK: Duration = Duration::from_secs(60);

/// Pulls, loads and waits answer when they are done, however long that takes.
const PATIENT: Duration = Duration::from_secs(24 * 3600);

/// A connection to an engine. Its HTTP connections are kept and used again, since each new one costs
/// a round trip; it lives as long as its transport does.
pub struct Engine {
    connector: Connector,
    sender: Sender,
    negotiated: OnceCell<(Docker, Version)>,
}

/// What an engine says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Such as `20.10.24`.
    pub engine: String,
    /// Such as `1.41`.
    pub api: String,
    /// Such as `linux/amd64`.
    pub platform: String,
}

impl Engine {
    /// This machine's engine: that of `DOCKER_HOST` where it is set, else the one at the default socket.
    ///
    /// # Errors
    /// `invalid` when `DOCKER_HOST` names no engine of this machine.
    pub async fn local() -> Result<Self, Failure> {
        let endpoint = match std::env::var("DOCKER_HOST") {
            Ok(host) if !host.is_empty() => Endpoint::parse(&host)?,
            _ => Endpoint::default(),
        };
        let here = Host::new(Host::LOCAL, Host::LOCAL);
        let transport = cloudpad_transport::connect(&here, &Options::default(), &Cancel::new()).await?;
        Ok(Self::over(transport, endpoint))
    }

    /// The engine at `endpoint` of the machine that `transport` leads to. Connects when first asked.
    pub fn over(transport: Arc<dyn Transport>, endpoint: Endpoint) -> Self {
        let connector = Connector::new(transport, endpoint);
        Self { sender: Sender::new(connector.clone()), connector, negotiated: OnceCell::new() }
    }

    /// The same engine over HTTP connections of its own. Those belong to the runtime in which they are made.
    pub fn apart(&self) -> Self {
        let connector = self.connector.clone();
        Self { sender: Sender::new(connector.clone()), connector, negotiated: OnceCell::new() }
    }

    /// The client, for requests that answer within a minute. Asks the engine for its version once.
    ///
    /// # Errors
    /// `unreachable` when the engine does not answer.
    pub async fn docker(&self) -> Result<Docker, Failure> {
        Ok(self.negotiate().await?.0.clone())
    }

    /// The client, for requests that answer only when long work is done.
    ///
    /// # Errors
    /// `unreachable` when the engine does not answer.
    pub async fn patient(&self) -> Result<Docker, Failure> {
        Ok(self.docker().await?.with_timeout(PATIENT))
    }

    /// The client, for requests that answer when work of a known length is done.
    ///
    /// # Errors
    /// `unreachable` when the engine does not answer.
    pub async fn within(&self, work: Duration) -> Result<Docker, Failure> {
        Ok(self.docker().await?.with_timeout(work.saturating_add(QUICK)))
    }

    /// What the engine says of itself.
    ///
    /// # Errors
    /// `unreachable` when the engine does not answer.
    pub async fn version(&self) -> Result<Version, Failure> {
        Ok(self.negotiate().await?.1.clone())
    }

    /// Gives the image with this id, or of this name, the name `tag` too.
    ///
    /// # Errors
    /// `unreachable` when the engine does not answer, `failed` when it has no such image.
    pub async fn name(&self, image: &str, tag: &str) -> Result<(), Failure> {
        let reference = Reference::parse(tag);
        let tag_part = reference.tag_or_latest().unwrap_or_default();
        let options = TagImageOptionsBuilder::new().repo(&reference.name()).tag(tag_part).build();
        let tagged = self.docker().await?.tag_image(image, Some(options)).await;
        tagged.map_err(|error| failure(&format!("could not name the image `{tag}`"), &error))
    }

    /// The transport below.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        self.connector.transport()
    }

    /// A new connection to the engine, for protocols that its client does not speak.
    ///
    /// # Errors
    /// `unreachable` when the engine does not answer.
    pub async fn stream(&self) -> Result<Stream, Failure> {
        self.connector.clone().open().await
    }

    /// Comes back when the engine has neither answered a request nor taken a piece of one for `limit`,
    /// though it was asked for a sign of life. So a hung engine whose host is well is told from one that
    /// has long work to do; the limits on single requests cannot do that.
    pub async fn silent_for(&self, limit: Duration) {
        let mut since = Instant::now();
        loop {
            since = since.max(self.sender.heard());
            sleep_until(since + limit / 4).await;
            if self.sender.heard() > since {
                continue;
            }
            match timeout_at(since + limit, self.ping()).await {
                Ok(Ok(())) => {}
                // It cannot be reached, which whoever has sent a request is told.
                Ok(Err(_)) => since = Instant::now(),
                Err(_) if self.sender.heard() > since => {}
                Err(_) => return,
            }
        }
    }

    async fn ping(&self) -> Result<(), Failure> {
        let ping = self.client(API_DEFAULT_VERSION)?.with_timeout(PATIENT);
        ping.ping().await.map(drop).map_err(|error| failure("could not ping the engine", &error))
    }

    /// How many requests were sent so far.
    pub fn requests(&self) -> u64 {
        self.sender.requests()
    }

    async fn negotiate(&self) -> Result<&(Docker, Version), Failure> {
        self.negotiated.get_or_try_init(|| self.ask_version()).await
    }

    // The client's own `negotiate_version` asks the same, but keeps to itself what it is told.
    async fn ask_version(&self) -> Result<(Docker, Version), Failure> {
        let said = self.client(API_DEFAULT_VERSION)?.version().await.map_err(|error| asked(&error))?;
        let api = said.api_version.unwrap_or_default();
        let platform = format!("{}/{}", said.os.unwrap_or_default(), said.arch.unwrap_or_default());
        let docker = self.client(&spoken_with(&api))?;
        Ok((docker, Version { engine: said.version.unwrap_or_default(), api, platform }))
    }

    fn client(&self, version: &ClientVersion) -> Result<Docker, Failure> {
        let sender = self.sender.clone();
        let send = move |request| sender.clone().send(request);
        Docker::connect_with_custom_transport(send, Some("http://docker"), QUICK.as_secs(), version)
            .map_err(|error| asked(&error))
    }
}

fn asked(error: &bollard::errors::Error) -> Failure {
    failure("could not ask the engine for its version", error)
}

/// The version to speak with an engine that speaks at most `api`.
fn spoken_with(api: &str) -> ClientVersion {
    let theirs = api.split_once('.').and_then(|(major, minor)| {
        Some(ClientVersion { major_version: major.parse().ok()?, minor_version: minor.parse().ok()? })
    });
    match theirs {
        Some(theirs) if theirs < *API_DEFAULT_VERSION => theirs,
        _ => *API_DEFAULT_VERSION,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_side_decides_the_version() {
        assert_eq!(spoken_with("1.41").to_string(), "1.41");
        assert_eq!(spoken_with("1.999").to_string(), API_DEFAULT_VERSION.to_string());
        assert_eq!(spoken_with("?").to_string(), API_DEFAULT_VERSION.to_string());
    }
}
