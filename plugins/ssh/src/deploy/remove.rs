//! `deploy.remove`: stopped containers, and images that nothing uses. I/O.

use bollard::query_parameters::{RemoveContainerOptions, RemoveImageOptions};
use cloudpad_engine::{Engine, failure, release_names, status};
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
        host.take_made(&container.name);
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

/// An image that has other names, by its digest or for people to read, would stay when only one of them went. The one that is looked
/// for goes last: where a container still needs the image, the engine refuses the last name, and the image can be found again.
async fn remove_image(host: &Connection, image: &str) -> Result<(), Failure> {
    let others = match other_listed(host, image) {
        Some(others) => others,
        None => others(&host.engine, image).await?,
    };
    for other in others {
        untag(&host.engine, &other).await?;
    }
    untag(&host.engine, image).await
}

/// The other names that go with an image which was listed without a digest. One that has a digest may have more names
/// than the list tells.
fn other_listed(host: &Connection, image: &str) -> Option<Vec<String>> {
    let listed = host.images_then()?;
    // What was only noted as sent has no id.
    let tagged =
        listed.iter().find(|seen| !seen.id.is_empty() && seen.repo_tags.iter().any(|tag| tag == image));
    let tagged = tagged.filter(|seen| seen.repo_digests.is_empty())?;
    Some(release_names(image, &tagged.repo_tags))
}

/// The other names that go with an image: those for people, and, where it has no further tag, those by digest.
async fn others(engine: &Engine, image: &str) -> Result<Vec<String>, Failure> {
    let Some(found) = unlisted::inspect(engine, image).await? else { return Ok(Vec::new()) };
    let tags = found.repo_tags.unwrap_or_default();
    let mut others = release_names(image, &tags);
    if tags.len() <= 1 + others.len() {
        others.extend(found.repo_digests.unwrap_or_default());
    }
    Ok(others)
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
