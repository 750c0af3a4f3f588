//! Looks whether the Dockerfiles that the config names are there, as far as that can be told without fetching
//! anything. I/O: files.

use std::path::{Path, PathBuf};

use cloudpad_plugin_api::Stage;
use cloudpad_plugin_api::stage::source::Location;

use crate::config::{BuildImage, Config, Image, Problem};

/// The build provider of whose rules this is.
const PROVIDER: &str = "docker";

/// One problem for each image whose build context or Dockerfile is missing from a directory of this machine. What
/// commands of its source may make is not missed.
pub fn missing(config: &Config) -> Vec<Problem> {
    let provider = config.stages.get(&Stage::Build).and_then(|choice| choice.provider.as_deref());
    if provider != Some(PROVIDER) {
        return Vec::new();
    }
    let built = config.images.iter().filter_map(|(name, image)| match image {
        Image::Built(image) => Some((name, image)),
        Image::Ready { .. } => None,
    });
    built.filter_map(|(name, image)| missing_of(config, name, image)).collect()
}

fn missing_of(config: &Config, name: &str, image: &BuildImage) -> Option<Problem> {
    let source = config.sources.get(&image.source)?;
    let Location::Directory { path } = &source.location else { return None };
    if !source.prepare.is_empty() {
        return None;
    }
    // As a user would write it, without `.`.
    let below = |dir: &Path, path: &str| -> PathBuf { dir.join(path).components().collect() };
    let context = below(path, &image.context);
    if !context.is_dir() {
        let message =
            format!("the build context of image `{name}` is not a directory: `{}`", context.display());
        let problem = Problem::at_key(format!("images.{name}.context"), message);
        return Some(problem.hint("name it with `context`, relative to the source"));
    }
    let file = below(&context, &image.dockerfile);
    if file.is_file() {
        return None;
    }
    let message = format!("image `{name}` has no Dockerfile at `{}`", file.display());
    let problem = Problem::at_key(format!("images.{name}.dockerfile"), message);
    Some(problem.hint("name it with `dockerfile`, relative to `context`"))
}
