//! Images that an engine has and does not list. I/O.
//!
//! An engine with containerd's store does not fetch a layer that it has unpacked already, and lists no image of which it lacks
//! a blob. So what it has pulled after other images with the same base came straight to it can be run and removed, and
//! is in no list.

use std::collections::BTreeSet;

use bollard::models::ImageInspect;
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::deploy::Observation;

/// Adds to what was seen the images of containers that were not listed, and are there.
pub(super) async fn add(engine: &Engine, seen: &mut Observation) -> Result<(), Failure> {
    let used = seen.containers.iter().filter_map(|container| Some(container.spec.as_ref()?.image.clone()));
    // Only tags are listed, with either store.
    let tags = used.filter(|image| !image.contains('@'));
    let unlisted: BTreeSet<String> = tags.filter(|image| !seen.images.contains(image)).collect();
    for image in unlisted {
        let Some(found) = inspect(engine, &image).await? else { continue };
        // Else it is there under another name.
        if !found.repo_tags.iter().flatten().any(|tag| *tag == image) {
            continue;
        }
        let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
        if labels.get(label::IMAGE) == Some(&image) {
            seen.built.get_or_insert_default().push(image.clone());
        }
        seen.images.push(image);
    }
    Ok(())
}

/// What the engine knows of an image; none when it is not there.
pub(super) async fn inspect(engine: &Engine, image: &str) -> Result<Option<ImageInspect>, Failure> {
    match engine.docker().await?.inspect_image(image).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(failure(&format!("could not inspect image `{image}`"), &error)),
    }
}
