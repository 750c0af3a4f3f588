//! Takes images out of a registry. Talks to the registry.

use cloudpad_engine::Reference;
use cloudpad_plugin_api::stage::push::Remove;
use cloudpad_plugin_api::{Context, Failure, Outcome};
use ureq::http::{Method, StatusCode};

use crate::client::{Ask, Client};
use crate::target::Target;

/// Takes images out by their digests, with all tags that they have. One that is gone already is fine.
///
/// # Errors
/// `unreachable` when the registry does not answer or does not let us in; `failed` when it does not remove.
pub async fn remove(cx: &Context, target: &Target, request: &Remove) -> Result<(), Failure> {
    let reference = Reference::parse(&target.name);
    let client = Client::of(&reference).await?;
    let mut outcome = Outcome::None;
    for image in &request.images {
        let path = format!("/v2/{}/manifests/{}", reference.repository, image.digest);
        let tried = format!("could not remove `{}`", target.by_digest(&image.digest));
        let (method, doing) = (Method::DELETE, "remove images");
        let ask = Ask { method, path, accept: "application/json", tried: tried.clone(), doing };
        let answer = client.ask(cx, ask).await.map_err(|failure| failure.outcome(outcome))?;
        if answer.status == StatusCode::METHOD_NOT_ALLOWED {
            return Err(never(&tried, &answer.said()).outcome(outcome));
        }
        outcome = Outcome::Partial;
    }
    Ok(())
}

fn never(tried: &str, said: &str) -> Failure {
    let failure = Failure::failed(format!("{tried}: the registry lets nobody remove images")).cause(said);
    failure.hint(
        "`docker-registry` does with `storage.delete.enabled` (`REGISTRY_STORAGE_DELETE_ENABLED=true`); others have a tool of their own",
    )
}
