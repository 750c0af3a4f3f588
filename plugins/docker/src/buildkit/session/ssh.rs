//! Joins a build step's SSH agent socket to the user's agent. Connects to `SSH_AUTH_SOCK`.

use std::path::PathBuf;
use std::pin::Pin;

use bollard_buildkit_proto::moby::sshforward::v1::ssh_server::Ssh;
use bollard_buildkit_proto::moby::sshforward::v1::{BytesMessage, CheckAgentRequest, CheckAgentResponse};
use cloudpad_plugin_api::Failure;
use futures_util::{Stream, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio_util::io::ReaderStream;
use tonic::{Request, Response, Status, Streaming};

/// The only agent that there is; a Dockerfile that names no id means this one.
const DEFAULT: &str = "default";

/// The user's SSH agent.
pub struct Agent {
    socket: PathBuf,
}

impl Agent {
    /// The agent of the environment, which image `image` wants.
    ///
    /// # Errors
    /// `invalid`, when there is none.
    pub fn find(image: &str) -> Result<Self, Failure> {
        match std::env::var_os("SSH_AUTH_SOCK") {
            Some(socket) if !socket.is_empty() => Ok(Self { socket: socket.into() }),
            _ => Err(Failure::invalid(format!(
                "image `{image}` wants the SSH agent, and `SSH_AUTH_SOCK` is not set"
            ))
            .hint("start one with `eval $(ssh-agent)` and add a key with `ssh-add`")),
        }
    }

    fn check(id: &str) -> Result<(), Status> {
        if id.is_empty() || id == DEFAULT {
            return Ok(());
        }
        Err(Status::not_found(format!("there is no SSH agent `{id}`, only `{DEFAULT}`")))
    }
}

#[tonic::async_trait]
impl Ssh for Agent {
    type ForwardAgentStream = Pin<Box<dyn Stream<Item = Result<BytesMessage, Status>> + Send>>;

    async fn check_agent(
        &self,
        request: Request<CheckAgentRequest>,
    ) -> Result<Response<CheckAgentResponse>, Status> {
        Self::check(&request.get_ref().id)?;
        Ok(Response::new(CheckAgentResponse {}))
    }

    async fn forward_agent(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::ForwardAgentStream>, Status> {
        let id = request.metadata().get("buildkit.ssh.id").and_then(|id| id.to_str().ok());
        Self::check(id.unwrap_or_default())?;
        let socket = UnixStream::connect(&self.socket).await.map_err(|error| {
            Status::unavailable(format!(
                "the SSH agent at `{}` does not answer: {error}",
                self.socket.display()
            ))
        })?;
        let (from_agent, to_agent) = socket.into_split();
        tokio::spawn(forward(request.into_inner(), to_agent));
        let answers = ReaderStream::new(from_agent).map(|bytes| Ok(BytesMessage { data: bytes?.to_vec() }));
        Ok(Response::new(Box::pin(answers)))
    }
}

/// Brings what the step asks to the agent, until either is gone.
async fn forward(mut questions: Streaming<BytesMessage>, mut agent: OwnedWriteHalf) {
    while let Ok(Some(message)) = questions.message().await {
        if agent.write_all(&message.data).await.is_err() {
            return;
        }
    }
    let _ = agent.shutdown().await;
}
