//! `build.run`: builds one image, unless its tag is there. Speaks to the engine.

use std::path::Path;
use std::sync::Arc;

use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::build::{Built, Recipe, Run};
use cloudpad_plugin_api::{Context as Call, Failure, Level};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::context::times::Times;
use crate::context::walk::Entry;
use crate::context::{Context, digest};
use crate::identity::{self, Files};
use crate::secret::Secrets;
use crate::{buildkit, classic, dockerfile};

/// What an engine says of its driver when containerd keeps its images.
const CONTAINERD_STORE: &str = "io.containerd.snapshotter.v1";

/// Answers the request. `cache` is the directory for file times, where it is known.
pub async fn run(cx: &Call, engine: &Engine, request: &Run, cache: Option<&Path>) -> Result<Built, Failure> {
    if let Some(id) = image_id(engine, &request.reference).await? {
        return Ok(Built { id, cached: true });
    }
    check_platforms(engine, &request.recipe).await?;
    let job = Job::new(request, cache)?;
    match buildkit::connect(engine).await? {
        Some(control) => buildkit::build(cx, engine, control, job).await?,
        None => {
            cx.log(
                Level::Warn,
                format!("the engine has no BuildKit: image `{}` is built by the classic builder", job.name()),
            );
            classic::build(cx, engine, job).await?;
        }
    }
    match image_id(engine, &request.reference).await? {
        Some(id) => {
            name(cx, engine, &id, &request.also).await;
            Ok(Built { id, cached: false })
        }
        None => Err(Failure::failed(format!(
            "the engine has built image `{}` and does not know `{}`",
            request.recipe.name, request.reference
        ))),
    }
}

/// Gives an image the names that people read. Nothing relies on them, so a name that cannot be given is only told.
async fn name(cx: &Call, engine: &Engine, id: &str, names: &[String]) {
    for name in names {
        if let Err(failure) = engine.name(id, name).await {
            cx.log(Level::Warn, failure.to_string());
        }
    }
}

/// All that a build needs, read and checked.
pub struct Job {
    /// What was asked.
    pub request: Run,
    /// The context.
    pub context: Context,
    /// What the context holds.
    pub entries: Arc<Vec<Entry>>,
    /// The values of the build secrets.
    pub secrets: Secrets,
    /// The Dockerfile that is built, where it is not the project's own.
    _made: Option<TempDir>,
}

impl Job {
    fn new(request: &Run, cache: Option<&Path>) -> Result<Self, Failure> {
        let recipe = &request.recipe;
        let secrets = Secrets::read(recipe)?;
        let context = Context::open(recipe)?;
        let entries = Arc::new(context.walk()?);
        let mut job = Self { request: request.clone(), context, entries, secrets, _made: None };
        job.check_identity(cache)?;
        job.make_dockerfile()?;
        Ok(job)
    }

    fn make_dockerfile(&mut self) -> Result<(), Failure> {
        let Run { recipe, bases, .. } = &self.request;
        let text = dockerfile::made(recipe, &self.context.dockerfile, bases)?;
        if dockerfile::is_made(recipe) {
            self._made = Some(self.context.build_instead(text)?);
        }
        Ok(())
    }

    /// The image's name in `Cloudpad.toml`.
    pub fn name(&self) -> &str {
        &self.request.recipe.name
    }

    /// A tag says what is in its image. Files that have changed since it was decided upon must not be
    /// found under it for ever after.
    fn check_identity(&self, cache: Option<&Path>) -> Result<(), Failure> {
        let Run { recipe, reference, bases, .. } = &self.request;
        if Files::pinned(recipe).is_some() {
            return Ok(());
        }
        let mut times = cache.map_or_else(Times::none, |dir| Times::open(dir, &self.context.root));
        let sum = self.context.digest(&self.entries, &mut times)?;
        times.save();
        let files = Files::Read(sum, Sha256::digest(&self.context.dockerfile).into());
        if identity::reference(recipe, &files, bases) == *reference {
            return Ok(());
        }
        let last = digest::changed_last(&self.entries);
        let last = last.map(|path| format!(", last of all `{path}`")).unwrap_or_default();
        Err(Failure::stale(format!(
            "the files of image `{}` have changed since `{reference}` was planned{last}",
            recipe.name
        ))
        .hint("plan again; what is no part of the image, such as a file into which this run writes, belongs into `.dockerignore`"))
    }
}

/// Only an engine that keeps its images in containerd can keep one for several platforms.
async fn check_platforms(engine: &Engine, recipe: &Recipe) -> Result<(), Failure> {
    if recipe.platforms.len() < 2 {
        return Ok(());
    }
    let info = engine.docker().await?.info().await;
    let info = info.map_err(|error| failure("could not ask the engine how it keeps its images", &error))?;
    let kept = info.driver_status.unwrap_or_default();
    if kept.iter().flatten().any(|status| status == CONTAINERD_STORE) {
        return Ok(());
    }
    let platforms = recipe.platforms.join("`, `");
    Err(Failure::invalid(format!(
        "image `{}` is for several platforms (`{platforms}`), and the engine keeps an image for one",
        recipe.name
    ))
    .hint("name one platform, or use an engine with the containerd image store"))
}

/// The engine's id of the image that was built as `reference`; none where there is no such image.
async fn image_id(engine: &Engine, reference: &str) -> Result<Option<String>, Failure> {
    match engine.docker().await?.inspect_image(reference).await {
        Ok(image) => {
            let labels = image.config.and_then(|config| config.labels).unwrap_or_default();
            let is_it = labels.get(label::IMAGE).is_some_and(|built_as| built_as == reference);
            Ok(image.id.filter(|_| is_it))
        }
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(failure(&format!("could not look for image `{reference}`"), &error)),
    }
}
