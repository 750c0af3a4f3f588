//! `deploy.remove`: stopped containers, and images that nothing uses. I/O.

use bollard::models::ImageSummary;
use bollard::query_parameters::{RemoveContainerOptions, RemoveImageOptions};
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::deploy::{Named, Remove};

use super::container;
use crate::pool::Connection;

pub(super) async fn remove(host: &Connection, request: &Remove) -> Result<(), Failure> {
    for container in &request.containers {
        remove_container(&host.engine, container, &request.project).await?;
    }
    for image in &request.images {
        remove_image(host, image).await?;
    }
    Ok(())
}

/// Without force, so that the engine itself refuses when the container runs.
async fn remove_container(engine: &Engine, container: &Named, project: &Project) -> Result<(), Failure> {
    let name = &container.name;
    // An id was seen together with its labels; a name may be anyone's by now.
    let id = match &container.id {
        Some(id) => id.clone(),
        None => match container::find_own(engine, name, project).await? {
            Some(id) => id,
            None => return Ok(()),
        },
    };
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
    let digests = digests(host, image).await?;
    untag(&host.engine, image).await?;
    for digest in digests {
        untag(&host.engine, &digest).await?;
    }
    Ok(())
}

/// The names by digest of an image that has no other tag. What was listed earlier is good enough: a
/// digest stands for the same image for ever.
async fn digests(host: &Connection, image: &str) -> Result<Vec<String>, Failure> {
    // What was only noted as sent has no id, and is looked up.
    let tagged = |seen: &&ImageSummary| !seen.id.is_empty() && seen.repo_tags.iter().any(|tag| tag == image);
    let listed = match host.images_then() {
        Some(listed) if listed.iter().any(|seen| tagged(&seen)) => listed,
        _ => host.images().await?,
    };
    let found = listed.iter().find(tagged).filter(|seen| seen.repo_tags.len() == 1);
    Ok(found.map(|seen| seen.repo_digests.clone()).unwrap_or_default())
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
