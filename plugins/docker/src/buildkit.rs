//! Builds with the BuildKit in the engine, by the protocol of its own clients: one gRPC connection on
//! which we ask (`/grpc`), and one on which BuildKit asks us for files, secrets and keys (`/session`).
//!
//! The engine's `POST /build` would do for a build without secrets. It takes the context as an archive,
//! so all of it on each build, has the Dockerfile always among the files that `COPY .` sees, and knows no
//! cache export. Over its own protocol BuildKit asks only for files that it does not have from last time.

mod progress;
mod request;
mod session;

use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::moby::buildkit::v1::{SolveRequest, StatusRequest};
use cloudpad_engine::Engine;
use cloudpad_plugin_api::{Context as Call, Failure, FailureKind};
use hyper::upgrade::Upgraded;
use tonic::transport::{Channel, Endpoint};

use crate::run::Job;
use crate::wire;
use progress::Progress;
pub use request::labels;

/// The engine's BuildKit, which takes orders.
pub type Control = ControlClient<Channel>;

/// Connects to the engine's BuildKit; none where it has none.
///
/// # Errors
/// `unreachable`, when the engine does not answer.
pub async fn connect(engine: &Engine) -> Result<Option<Control>, Failure> {
    let Some(connection) = wire::upgrade(engine, "/grpc", &[]).await? else { return Ok(None) };
    let channel = Endpoint::from_static("http://buildkit")
        .connect_with_connector(Once(Some(connection)))
        .await
        .map_err(|error| unreachable(&error.to_string()))?;
    Ok(Some(ControlClient::new(channel)))
}

/// Builds and tags the image.
///
/// # Errors
/// `failed`, with the failing step and its last lines; `invalid`, when the user's SSH agent is asked
/// for and not there.
pub async fn build(cx: &Call, engine: &Engine, mut control: Control, job: Job) -> Result<(), Failure> {
    let session = session::open(engine, &job).await?;
    let request = request::solve(&job.request, &job.context.dockerfile_name, session.id());
    let mut progress = Progress::new(cx, &job);
    let result = follow(&mut control, request, &mut progress).await;
    match (session.broken(), result) {
        // What went wrong here is the cause of what BuildKit then says.
        (Some(failure), _) => Err(failure),
        (None, Ok(())) => Ok(()),
        (None, Err(status)) => Err(progress.failure(&status)),
    }
}

/// Sends the request, and tells what happens until it is answered.
async fn follow(
    control: &mut Control,
    request: SolveRequest,
    progress: &mut Progress<'_>,
) -> Result<(), tonic::Status> {
    let status = StatusRequest { r#ref: request.r#ref.clone() };
    let mut watcher = control.clone();
    let solve = control.solve(request);
    let watch = async {
        let mut stream = watcher.status(status).await?.into_inner();
        while let Some(message) = stream.message().await? {
            progress.update(message);
        }
        Ok::<_, tonic::Status>(())
    };
    // The stream ends by itself when the build has; what it tells last is needed for the error. When it
    // fails by itself, the answer to the request still counts.
    let (result, _) = tokio::join!(solve, watch);
    result.map(drop)
}

fn unreachable(error: &str) -> Failure {
    Failure::new(FailureKind::Unreachable, format!("the engine's BuildKit does not answer: {error}"))
        .retryable()
}

/// A connector for the one connection that there is.
struct Once(Option<Upgraded>);

impl tonic::codegen::Service<hyper::Uri> for Once {
    type Response = Upgraded;
    type Error = std::io::Error;
    type Future = std::future::Ready<Result<Upgraded, std::io::Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: hyper::Uri) -> Self::Future {
        let lost = || std::io::Error::new(std::io::ErrorKind::NotConnected, "the connection was lost");
        std::future::ready(self.0.take().ok_or_else(lost))
    }
}
