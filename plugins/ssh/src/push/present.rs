//! What a host has of an image already. I/O, but for the comparison.

use std::sync::Arc;

use bollard::models::{ImageConfig, ImageInspect, ImageSummary};
use cloudpad_engine::{Engine, Reference, failure, status};
use cloudpad_plugin_api::Failure;

use super::lacking;
use crate::pool::Connection;

/// How many similar images are looked at until one shares layers: the first ones are the likeliest, and
/// each look is a round trip.
const LOOKS: usize = 4;

/// What a host has of an image.
pub(super) enum Present {
    /// All of it, under its name.
    Whole,
    /// All of it, but under another name: its id.
    Unnamed(String),
    /// The layers of images that may share some with it, each from the bottom up.
    Layers(Vec<Vec<String>>),
}

/// An image by its engine's description; none when there is no such image.
pub(super) async fn inspect(engine: &Engine, reference: &str) -> Result<Option<ImageInspect>, Failure> {
    match engine.docker().await?.inspect_image(reference).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(failure(&format!("could not inspect image `{reference}`"), &error)),
    }
}

/// The diff ids of an image's layers, from the bottom up.
pub(super) fn layers(image: &ImageInspect) -> Vec<String> {
    image.root_fs.as_ref().and_then(|fs| fs.layers.clone()).unwrap_or_default()
}

/// Looks for `image`, which this machine calls `reference`, on the host.
pub(super) async fn look(
    host: &Connection,
    reference: &str,
    image: &ImageInspect,
    similar: &[String],
) -> Result<Present, Failure> {
    let all = listed(host, reference, image).await?;
    let here = all.iter().find(|seen| Some(&seen.id) == image.id.as_ref());
    match here {
        Some(seen) if is_named(seen, reference) => return Ok(Present::Whole),
        Some(seen) => return Ok(Present::Unnamed(seen.id.clone())),
        None => {}
    }
    let there = |name: &&str| all.iter().any(|seen| is_named(seen, name));
    let likely = std::iter::once(reference).chain(similar.iter().map(String::as_str));
    let mut known = Vec::new();
    for name in likely.filter(there).take(LOOKS) {
        let Some(found) = inspect(&host.engine, name).await? else { continue };
        // The containerd store has ids of its own, so an image can be the same under another id.
        match found.id.clone() {
            Some(_) if same(&found, image) && name == reference => return Ok(Present::Whole),
            Some(id) if same(&found, image) => return Ok(Present::Unnamed(id)),
            _ => known.push(layers(&found)),
        }
        if lacking::shared(&layers(image), &known) > 0 {
            break;
        }
    }
    Ok(Present::Layers(known))
}

/// The host's images. A list from earlier will do if it does not have the image: should the host have
/// got it since, it is only sent once more.
async fn listed(
    host: &Connection,
    reference: &str,
    image: &ImageInspect,
) -> Result<Arc<[ImageSummary]>, Failure> {
    let has = |seen: &ImageSummary| Some(&seen.id) == image.id.as_ref() || is_named(seen, reference);
    match host.images_then() {
        Some(then) if !then.iter().any(has) => Ok(then),
        _ => host.images().await,
    }
}

/// Whether this is one of the image's names.
pub(super) fn is_named(image: &ImageSummary, reference: &str) -> bool {
    let full = |text: &str| {
        let parsed = Reference::parse(text);
        (parsed.name(), parsed.tag_or_latest().map(str::to_owned))
    };
    image.repo_tags.iter().any(|tag| full(tag) == full(reference))
}

/// Whether two descriptions, maybe by engines of different ages, are of the same image.
fn same(a: &ImageInspect, b: &ImageInspect) -> bool {
    let created = |image: &ImageInspect| image.created.as_ref().map(ToString::to_string);
    let runs = |image: &ImageInspect| image.config.clone().map(what_runs);
    layers(a) == layers(b) && created(a) == created(b) && runs(a) == runs(b)
}

/// What decides how an image runs, with nothing and empty being the same.
fn what_runs(config: ImageConfig) -> impl PartialEq {
    let list = |list: Option<Vec<String>>| list.unwrap_or_default();
    let text = |text: Option<String>| text.unwrap_or_default();
    (
        (list(config.env), list(config.entrypoint), list(config.cmd)),
        (text(config.user), text(config.working_dir), text(config.stop_signal)),
        config.labels.unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_in_short_and_in_full() {
        let seen = ImageSummary {
            repo_tags: vec!["shop/web:7".into(), "nginx:latest".into()],
            ..Default::default()
        };
        for name in ["shop/web:7", "docker.io/shop/web:7", "nginx"] {
            assert!(is_named(&seen, name), "{name}");
        }
        for name in ["shop/web:8", "web:7", "other.example/shop/web:7"] {
            assert!(!is_named(&seen, name), "{name}");
        }
    }

    #[test]
    fn nothing_and_empty_are_the_same_but_a_variable_is_not() {
        let with = |config| ImageInspect { config: Some(config), ..Default::default() };
        let bare = with(ImageConfig::default());
        assert!(same(&bare, &with(ImageConfig { env: Some(vec![]), ..Default::default() })));
        assert!(!same(&bare, &with(ImageConfig { env: Some(vec!["A=b".into()]), ..Default::default() })));
    }
}
