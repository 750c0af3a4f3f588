//! Gives BuildKit the value of a build secret. It goes into the memory of one step and nowhere else.

use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server;
use bollard_buildkit_proto::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use tonic::{Request, Response, Status};

use crate::secret::Secrets;

/// Answers with these values.
pub struct Answers(pub Secrets);

#[tonic::async_trait]
impl secrets_server::Secrets for Answers {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = &request.get_ref().id;
        match self.0.expose(id) {
            Some(value) => Ok(Response::new(GetSecretResponse { data: value.to_vec() })),
            // By this code BuildKit tells a secret that is not there from one that it cannot get.
            None => Err(Status::not_found(format!("secret `{id}` is not among the image's `secrets`"))),
        }
    }
}
