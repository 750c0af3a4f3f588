//! Builds with the classic builder, for an engine without BuildKit. Speaks to the engine.

use std::collections::HashMap;
use std::io::Write;

use bollard::auth::DockerCredentials;
use bollard::models::BuildInfo;
use bollard::query_parameters::BuildImageOptions;
use bytes::Bytes;
use cloudpad_engine::{Engine, Reference, credentials, failure};
use cloudpad_plugin_api::stage::build::Recipe;
use cloudpad_plugin_api::{Context as Call, Failure};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use crate::buildkit::labels;
use crate::dockerfile::outline::Outline;
use crate::log::StepLog;
use crate::run::Job;
use crate::{dockerfile, identity};

/// How much of the archive one piece holds, in bytes.
const PIECE: usize = 128 * 1024;

/// How many pieces wait to be sent.
const WAITING: usize = 8;

/// Builds and tags the image.
///
/// # Errors
/// `invalid`, when the image needs what only BuildKit can; `failed`, with the failing step and its last
/// lines.
pub async fn build(cx: &Call, engine: &Engine, job: Job) -> Result<(), Failure> {
    check(&job.request.recipe)?;
    let options = options(&job);
    let credentials = all_credentials(&job).await?;
    let docker = engine.patient().await?;
    let mut steps = Steps { cx, image: job.name().to_owned(), step: String::new(), log: StepLog::default() };
    let (pieces, archive) = mpsc::channel(WAITING);
    let packing = tokio::task::spawn_blocking(move || pack(&job, pieces));
    let archive =
        stream::unfold(archive, |mut archive| async { archive.recv().await.map(|piece| (piece, archive)) });
    let mut news = docker.build_image(options, Some(credentials), Some(bollard::body_try_stream(archive)));
    let mut result = Ok(());
    while let Some(item) = news.next().await {
        result = match item {
            Ok(info) => steps.update(info),
            Err(error) => Err(steps.failure(failure("the classic builder", &error))),
        };
        if result.is_err() {
            break;
        }
    }
    drop(news);
    // A file that could not be read is why the engine did not get its archive.
    packing.await.map_err(|error| Failure::failed(error.to_string()))??;
    result
}

fn check(recipe: &Recipe) -> Result<(), Failure> {
    let wanted = [
        ("`secrets`", !recipe.secrets.is_empty()),
        ("`ssh`", recipe.ssh),
        ("`platforms`", !recipe.platforms.is_empty()),
        ("`cache_to`", recipe.cache_to.is_some()),
    ];
    let wanted: Vec<&str> = wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(name, _)| name).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "image `{}` has {}, which needs BuildKit, and the engine has none",
        recipe.name,
        wanted.join(" and ")
    ))
    .hint("use an engine of version 18.09 or newer"))
}

fn options(job: &Job) -> BuildImageOptions {
    let run = &job.request;
    let value = |(name, arg)| (String::clone(name), identity::value(arg, &run.bases).to_owned());
    BuildImageOptions {
        dockerfile: job.context.archived_dockerfile(),
        t: Some(run.reference.clone()),
        target: dockerfile::target(&run.recipe).unwrap_or_default().to_owned(),
        buildargs: Some(run.recipe.args.iter().map(value).collect()),
        labels: Some(labels(run).into_iter().collect()),
        cachefrom: Some(run.recipe.cache_from.clone()).filter(|from| !from.is_empty()),
        rm: true,
        forcerm: true,
        ..BuildImageOptions::default()
    }
}

/// Credentials for the registries that the Dockerfile's `FROM` lines name.
async fn all_credentials(job: &Job) -> Result<HashMap<String, DockerCredentials>, Failure> {
    let mut found = HashMap::new();
    for reference in bases(&String::from_utf8_lossy(&job.context.dockerfile)) {
        if let Some(credential) = credentials::for_engine(&reference).await? {
            found.insert(reference.registry, credential);
        }
    }
    Ok(found)
}

/// The images of `FROM` lines, as far as they stand there without a variable.
fn bases(dockerfile: &str) -> Vec<Reference> {
    let stages = Outline::of(dockerfile).stages.into_iter();
    stages.filter(|stage| !stage.from.contains('$')).map(|stage| Reference::parse(&stage.from)).collect()
}

fn pack(job: &Job, pieces: mpsc::Sender<Result<Bytes, std::io::Error>>) -> Result<(), Failure> {
    let mut out = std::io::BufWriter::with_capacity(PIECE, Pieces(pieces.clone()));
    let result = job.context.archive(&job.entries, &mut out);
    if result.is_err() {
        // An archive that merely ends would be built from.
        let _ = out.into_parts();
        let _ = pieces.blocking_send(Err(std::io::Error::other("a file could not be read")));
        return result;
    }
    let _ = out.flush();
    Ok(())
}

/// Writes into the channel.
struct Pieces(mpsc::Sender<Result<Bytes, std::io::Error>>);

impl Write for Pieces {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        let gone = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        self.0.blocking_send(Ok(Bytes::copy_from_slice(piece))).map_err(gone)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What the builder tells, step by step.
struct Steps<'a> {
    cx: &'a Call,
    image: String,
    step: String,
    log: StepLog,
}

impl Steps<'_> {
    fn update(&mut self, info: BuildInfo) -> Result<(), Failure> {
        let lines = self.log.push(info.stream.unwrap_or_default().as_bytes());
        lines.iter().for_each(|line| self.line(line));
        match info.error_detail.and_then(|detail| detail.message) {
            Some(error) => Err(self.failure(Failure::failed(error))),
            None => Ok(()),
        }
    }

    fn line(&mut self, line: &str) {
        if line.starts_with("Step ") {
            self.step = line.to_owned();
            self.log = StepLog::default();
            self.cx.output("", line);
        } else if !is_builders_own(line) {
            self.cx.output(&self.step, line);
        }
    }

    fn failure(&self, said: Failure) -> Failure {
        let step = if self.step.is_empty() { String::new() } else { format!(": `{}`", self.step) };
        let message = format!("image `{}` could not be built{step}: {}", self.image, said.message);
        let failure = Failure { message, ..said };
        self.log.last().filter(|line| !is_builders_own(line)).fold(failure, Failure::cause)
    }
}

/// Whether the builder says it of itself, and not the step.
fn is_builders_own(line: &str) -> bool {
    line.trim().is_empty()
        || line.starts_with(" ---> ")
        || line.starts_with("Removing intermediate container")
}
