//! The session: BuildKit's way to ask its client for files, secrets, the SSH agent and credentials.
//! A gRPC server on a connection that we have opened; over it BuildKit is the client.

mod auth;
mod files;
mod secrets;
mod ssh;

use std::sync::{Arc, Mutex, PoisonError};

use bollard_buildkit_proto::health;
use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::SecretsServer;
use bollard_buildkit_proto::moby::filesync::packet::file_sync_server::FileSyncServer;
use bollard_buildkit_proto::moby::filesync::v1::auth_server::AuthServer;
use bollard_buildkit_proto::moby::sshforward::v1::ssh_server::SshServer;
use cloudpad_engine::Engine;
use cloudpad_plugin_api::Failure;
use futures_util::{Stream, StreamExt, stream};
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status};

use crate::context::Context;
use crate::run::Job;
use crate::{hex, wire};

/// Calls that BuildKit may make. It compares them without regard to case.
const METHODS: [&str; 5] = [
    "/grpc.health.v1.Health/Check",
    "/moby.filesync.v1.FileSync/DiffCopy",
    "/moby.filesync.v1.Auth/Credentials",
    "/moby.buildkit.secrets.v1.Secrets/GetSecret",
    "/moby.sshforward.v1.SSH/CheckAgent",
];

/// With the one above; only where there is an agent.
const FORWARD_AGENT: &str = "/moby.sshforward.v1.SSH/ForwardAgent";

/// How much BuildKit may send on one call before we have read it, and how much in all, in bytes.
///
/// For each file of a context BuildKit sends a request of some ten bytes, as fast as it can. The HTTP/2 library
/// takes more than a few unread small frames for an attack and ends the connection: it counts each as 256
/// bytes, and allows half of the second window. What the first lets through stays well below that.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// An open session. It is served until it is dropped.
pub struct Session {
    id: String,
    server: tokio::task::JoinHandle<()>,
    broken: Broken,
}

/// The first thing that went wrong on this side.
#[derive(Clone, Default)]
pub struct Broken(Arc<Mutex<Option<Failure>>>);

impl Broken {
    fn set(&self, failure: Failure) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
    }
}

impl Session {
    /// The name by which a build refers to it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What went wrong on this side, if anything did.
    pub fn broken(&self) -> Option<Failure> {
        self.broken.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Opens a session that serves what `job` needs.
///
/// # Errors
/// `invalid`, when there is no SSH agent and the build wants one; `unreachable`, when the engine does
/// not answer.
pub async fn open(engine: &Engine, job: &Job) -> Result<Session, Failure> {
    let agent = if job.request.recipe.ssh { Some(ssh::Agent::find(job.name())?) } else { None };
    let id = unique_id();
    let connection = wire::upgrade(engine, "/session", &headers(&id, job, agent.is_some())).await?;
    let connection =
        connection.ok_or_else(|| Failure::failed("the engine has BuildKit and refuses a session"))?;
    let broken = Broken::default();
    let files = files::Files::new(&job.context, job.entries.clone(), broken.clone());
    let router = tonic::transport::Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .add_service(health::health_server::HealthServer::new(Healthy))
        .add_service(FileSyncServer::new(files))
        .add_service(AuthServer::new(auth::Credentials { broken: broken.clone() }))
        .add_service(SecretsServer::new(secrets::Answers(job.secrets.clone())))
        .add_optional_service(agent.map(SshServer::new));
    // A listener that has one connection to give and never closes.
    let incoming = stream::once(async { Ok::<_, std::io::Error>(wire::Accepted::new(connection)) });
    let server = tokio::spawn(async move {
        let _ = router.serve_with_incoming(incoming.chain(stream::pending())).await;
    });
    Ok(Session { id, server, broken })
}

fn headers(id: &str, job: &Job, agent: bool) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("X-Docker-Expose-Session-Uuid", id.to_owned()),
        ("X-Docker-Expose-Session-Name", job.name().to_owned()),
        ("X-Docker-Expose-Session-Sharedkey", shared_key(&job.context)),
    ];
    let methods = METHODS.into_iter().chain(agent.then_some(FORWARD_AGENT));
    headers.extend(methods.map(|method| ("X-Docker-Expose-Session-Grpc-Method", method.to_owned())));
    headers
}

/// Builds with the same key send only what has changed between them.
fn shared_key(context: &Context) -> String {
    hex(&Sha256::digest(context.root.as_os_str().as_encoded_bytes()))
}

/// Anything that no other build has. It is no secret.
fn unique_id() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// BuildKit asks every second, and takes silence for the client's death.
struct Healthy;

#[tonic::async_trait]
impl health::health_server::Health for Healthy {
    type WatchStream =
        std::pin::Pin<Box<dyn Stream<Item = Result<health::HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        _: Request<health::HealthCheckRequest>,
    ) -> Result<Response<health::HealthCheckResponse>, Status> {
        let status = health::health_check_response::ServingStatus::Serving.into();
        Ok(Response::new(health::HealthCheckResponse { status }))
    }

    async fn list(
        &self,
        _: Request<health::HealthListRequest>,
    ) -> Result<Response<health::HealthListResponse>, Status> {
        Err(Status::unimplemented("list"))
    }

    async fn watch(
        &self,
        _: Request<health::HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("watch"))
    }
}
