//! Gives BuildKit the user's credentials for a registry, from Docker's own configuration. Runs the
//! user's credential helpers.

use bollard_buildkit_proto::moby::filesync::v1::auth_server::Auth;
use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest,
    GetTokenAuthorityResponse, VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse,
};
use cloudpad_engine::{Reference, credentials};
use docker_credential::DockerCredential;
use tonic::{Request, Response, Status};

use super::Broken;

/// The host by which BuildKit knows Docker Hub.
const HUB_HOST: &str = "registry-1.docker.io";

/// Looks up credentials.
pub struct Credentials {
    /// Where a broken configuration is told.
    pub broken: Broken,
}

#[tonic::async_trait]
impl Auth for Credentials {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let host = &request.get_ref().host;
        let registry = if host == HUB_HOST { Reference::HUB } else { host };
        match credentials::lookup(registry).await {
            Ok(found) => Ok(Response::new(found.map(response).unwrap_or_default())),
            Err(failure) => {
                let status = Status::internal(failure.message.clone());
                self.broken.set(failure);
                Err(status)
            }
        }
    }

    // BuildKit asks the registry for a token itself when its client does not offer to.
    async fn fetch_token(
        &self,
        _: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("fetch_token"))
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("get_token_authority"))
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("verify_token_authority"))
    }
}

/// A token that stands for the user goes without a name.
fn response(credential: DockerCredential) -> CredentialsResponse {
    match credential {
        DockerCredential::IdentityToken(secret) => CredentialsResponse { username: String::new(), secret },
        DockerCredential::UsernamePassword(username, secret) => CredentialsResponse { username, secret },
    }
}
