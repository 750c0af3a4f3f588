//! `build.observe`: which tag each image has, and which of them are built. Reads the contexts of
//! sources that are not pinned, and asks the engine once.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use bollard::query_parameters::ListImagesOptions;
use cloudpad_engine::{Engine, failure};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::build::{ImageState, Images, Observe, Recipe};
use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::context::times::Times;
use crate::dockerfile;
use crate::identity::{self, Files};
use crate::secret::Secrets;

/// Answers the request.
pub async fn observe(engine: &Engine, request: &Observe) -> Result<Images, Failure> {
    let references = references(request)?;
    let built = built(engine, references.values().cloned().collect()).await?;
    let state = |recipe: &Recipe| {
        let reference = references.get(&recipe.name).cloned().unwrap_or_default();
        let size = built.get(&reference).copied();
        ImageState { name: recipe.name.clone(), built: size.is_some(), size, reference }
    };
    let images: Vec<ImageState> = request.recipes.iter().map(state).collect();
    // A secret that is not there is better told now than when half of the images are built.
    for (recipe, _) in request.recipes.iter().zip(&images).filter(|(_, image)| !image.built) {
        Secrets::read(recipe)?;
    }
    Ok(Images { images })
}

/// The reference of each image, by its name.
fn references(request: &Observe) -> Result<BTreeMap<String, String>, Failure> {
    let mut references = BTreeMap::new();
    for recipe in identity::order(&request.recipes)? {
        let files = files(recipe, &request.cache, &references)?;
        references.insert(recipe.name.clone(), identity::reference(recipe, &files, &references));
    }
    Ok(references)
}

/// What identifies the files of `recipe`; `cache` is the directory for file times, `bases` has the references of images
/// that it is built from. That its Dockerfile can be made is found out here, where nothing has been done yet.
fn files(recipe: &Recipe, cache: &Path, bases: &BTreeMap<String, String>) -> Result<Files, Failure> {
    dockerfile::check(recipe)?;
    if let Some(pinned) = Files::pinned(recipe) {
        return Ok(pinned);
    }
    let context = Context::open(recipe)?;
    dockerfile::made(recipe, &context.dockerfile, bases)?;
    let mut times = Times::open(cache, &context.root);
    let sum = context.digest(&context.walk()?, &mut times)?;
    times.save();
    Ok(Files::Read(sum, Sha256::digest(&context.dockerfile).into()))
}

/// Those of `references` that the engine has, with their sizes in bytes.
async fn built(engine: &Engine, references: Vec<String>) -> Result<HashMap<String, u64>, Failure> {
    if references.is_empty() {
        return Ok(HashMap::new());
    }
    let filters = HashMap::from([("reference".to_owned(), references)]);
    let options = ListImagesOptions { filters: Some(filters), ..Default::default() };
    let images = engine.docker().await?.list_images(Some(options)).await;
    let images = images.map_err(|error| failure("could not list the engine's images", &error))?;
    let built = images.into_iter().filter_map(|mut image| {
        let built_as = image.labels.remove(label::IMAGE)?;
        image.repo_tags.contains(&built_as).then(|| (built_as, u64::try_from(image.size).unwrap_or_default()))
    });
    Ok(built.collect())
}
