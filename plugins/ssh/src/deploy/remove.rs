//! `deploy.remove`: stopped containers, and images that nothing uses. I/O.

use bollard::query_parameters::{RemoveContainerOptions, RemoveImageOptions};
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::deploy::{Named, Remove};
use cloudpad_plugin_api::{Context, Failure};

use super::{container, files, unlisted};
use crate::pool::Connection;

pub(super) async fn remove(cx: &Context, host: &Connection, request: &Remove) -> Result<(), Failure> {
    if !request.containers.is_empty() {
        host.know_containers().await?;
    }
    for container in &request.containers {
        remove_container(&host.engine, container, &request.project).await?;
        files::forget(cx, host, &container.name, &request.project).await;
    }
    for image in &request.images {
        remove_image(host, image).await?;
    }
    Ok(())
}

/// Without force, so that the engine itself refuses when the container runs.
async fn remove_container(engine: &Engine, container: &Named, project: &Project) -> Result<(), Failure> {
    let name = &container.name;
    let Some(id) = container::id_of(engine, container, project).await? else { return Ok(()) };
    match engine.docker().await?.remove_container(&id, None::<RemoveContainerOptions>).await {
        Ok(()) => Ok(()),
        Err(error) if status(&error) == Some(404) => Ok(()),
        Err(error) if status(&error) == Some(409) => match container::inspect(engine, &id).await? {
            Some(found) if container::is_running(&found) => {
                Err(Failure::stale(format!("container `{name}` runs, and is left alone")))
            }
            // Somebody else is removing it.
            _ => Ok(()),
        },
        Err(error) => Err(failure(&format!("could not remove container `{name}`"), &error)),
    }
}

/// An image that was pulled by digest is known by that digest too, and would stay when only its tag went.
async fn remove_image(host: &Connection, image: &str) -> Result<(), Failure> {
    let digests = if has_no_digest(host, image) { Vec::new() } else { digests(&host.engine, image).await? };
    untag(&host.engine, image).await?;
    for digest in digests {
        untag(&host.engine, &digest).await?;
    }
    Ok(())
}

/// Whether an image was listed, and with no name by digest. One with names may have more than the list tells.
fn has_no_digest(host: &Connection, image: &str) -> bool {
    let listed = host.images_then().unwrap_or_default();
    // What was only noted as sent has no id.
    let tagged =
        listed.iter().find(|seen| !seen.id.is_empty() && seen.repo_tags.iter().any(|tag| tag == image));
    tagged.is_some_and(|seen| seen.repo_digests.is_empty())
}

/// The names by digest of an image that has no other tag.
async fn digests(engine: &Engine, image: &str) -> Result<Vec<String>, Failure> {
    let found = unlisted::inspect(engine, image).await?;
    let found = found.filter(|found| found.repo_tags.as_ref().is_none_or(|tags| tags.len() == 1));
    Ok(found.and_then(|found| found.repo_digests).unwrap_or_default())
}

/// Takes one name from an image. Without any, the engine removes it, unless a container uses it.
async fn untag(engine: &Engine, name: &str) -> Result<(), Failure> {
    match engine.docker().await?.remove_image(name, None::<RemoveImageOptions>, None).await {
        Ok(_) => Ok(()),
        // Gone already, or used by a container.
        Err(error) if matches!(status(&error), Some(404 | 409)) => Ok(()),
        Err(error) => Err(failure(&format!("could not remove image `{name}`"), &error)),
    }
}
