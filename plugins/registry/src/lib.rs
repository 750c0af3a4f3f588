//! Push provider `registry`: any OCI registry, through this machine's engine.
//!
//! The engine does all that a push needs, looking included, so that only one thing has to
//! be set up to reach a registry: certificates in `/etc/docker/certs.d`, `insecure-registries` and proxies are
//! the engine's, and a registry to which `docker push` works by hand works from here. No engine lists or removes what a registry has, so
//! for that there is a client, which goes by the same rules. Credentials are the user's, from Docker's
//! configuration and its credential helpers.
//!
//! Read in this order: `target` (which reference, pure), `push` (the one request that matters), `progress` (what
//! the engine says meanwhile, pure), `patience` (what is tried again). As whom a registry is asked, and what its no means, `cloudpad_engine` knows.
//! Then `list` and `remove`, and what they stand on: `client`, `reach` (by which way), `challenge` and `token` (as whom, pure),
//! `paging` and `manifest` (pure).

use std::future::Future;

use cloudpad_engine::bollard::errors::Error;
use cloudpad_engine::bollard::query_parameters::RemoveImageOptions;
use cloudpad_engine::{Access, Engine, Reference, failure, refusal, release_names};
use cloudpad_plugin_api::stage::push::{List, Listed, Push, Pushed, Remove, Run};
use cloudpad_plugin_api::{Context, Failure, Handler, Level, Outcome, Provider, PushScope, register};

mod challenge;
mod client;
mod list;
mod manifest;
mod paging;
mod patience;
mod progress;
mod push;
mod reach;
mod remove;
mod target;
mod token;

use patience::Refused;
use push::Done;
use target::{Config, Target};

register! {
    Provider {
        name: "registry",
        about: "any OCI registry, with the user's Docker credentials; hosts pull by digest",
        handler: Handler::Push(&Registry),
    },
}

/// The provider.
pub struct Registry;

impl Push for Registry {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<Config>()?.check()
    }

    fn scope(&self) -> PushScope {
        PushScope::Shared
    }

    fn run(&self, cx: &Context, request: &Run) -> Result<Pushed, Failure> {
        let target = Target::of(&cx.config::<Config>()?, &request.reference)?;
        work(bring(cx, &request.reference, &target))
    }

    fn is_kept(&self) -> bool {
        true
    }

    fn list(&self, cx: &Context, request: &List) -> Result<Listed, Failure> {
        let target = Target::repository(&cx.config::<Config>()?, &request.repository)?;
        work(or_cancelled(cx, Outcome::None, list::list(cx, &target, &request.repository)))
    }

    fn remove(&self, cx: &Context, request: &Remove) -> Result<(), Failure> {
        let target = Target::repository(&cx.config::<Config>()?, &request.repository)?;
        work(or_cancelled(cx, Outcome::Partial, remove::remove(cx, &target, request)))
    }
}

/// Does what is asked, to its end. A request that nobody waits for any more does not hold it up.
fn work<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("could not begin: {error}")))?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

async fn bring(cx: &Context, local: &str, target: &Target) -> Result<Pushed, Failure> {
    let engine = Engine::local().await?;
    let access = Access::to(&Reference::parse(&target.name)).await?;
    if let Some(digest) = find(cx, &engine, target, &access).await? {
        return Ok(Pushed { reference: target.by_digest(&digest), sent: Some(0) });
    }
    let done = push(cx, &engine, local, target, &access).await?;
    for name in names_for_people(&engine, local).await {
        let target = target.tagged(&name);
        // Nothing relies on such a name, and what has to be there is there by now.
        if let Err(failure) = push(cx, &engine, local, &target, &access).await {
            cx.check_cancelled()?;
            cx.log(Level::Warn, failure.to_string());
        }
    }
    Ok(Pushed { reference: target.by_digest(&done.digest), sent: Some(done.sent) })
}

/// The names that an image of this machine has for people to read.
async fn names_for_people(engine: &Engine, local: &str) -> Vec<String> {
    let Ok(docker) = engine.docker().await else { return Vec::new() };
    let tags = docker.inspect_image(local).await.ok().and_then(|image| image.repo_tags);
    release_names(local, tags.iter().flatten())
}

async fn push(
    cx: &Context,
    engine: &Engine,
    local: &str,
    target: &Target,
    access: &Access,
) -> Result<Done, Failure> {
    let ours = tag(engine, local, target).await?;
    let work = patience::again(cx, async || push::run(cx, engine, target, access).await);
    let pushed = or_cancelled(cx, Outcome::Partial, work).await;
    if ours {
        untag(cx, engine, target).await;
    }
    pushed
}

/// The image's digest, when the registry has it.
async fn find(
    cx: &Context,
    engine: &Engine,
    target: &Target,
    access: &Access,
) -> Result<Option<String>, Failure> {
    let asked = patience::again(cx, async || look(engine, target, access).await);
    or_cancelled(cx, Outcome::None, asked).await
}

async fn look(engine: &Engine, target: &Target, access: &Access) -> Result<Option<String>, Refused> {
    let docker = engine.docker().await?;
    let credentials = Some(access.credentials.clone());
    match docker.inspect_registry_image(&target.reference(), credentials).await {
        Ok(found) => Ok(found.descriptor.digest),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(Error::DockerResponseServerError { message, .. }) => {
            let tried = format!("could not look for `{}`", target.reference());
            let refused = refusal::explain(&tried, &message, "push", &target.registry, access);
            // Many registries say so of a repository that the first push will make.
            if refused.denied { Ok(None) } else { Err(refused.into()) }
        }
        Err(error) => Err(failure(&format!("could not look for `{}`", target.reference()), &error).into()),
    }
}

/// Gives the image the name by which the engine pushes it; whether it did not have that name before.
async fn tag(engine: &Engine, local: &str, target: &Target) -> Result<bool, Failure> {
    let had = engine.docker().await?.inspect_image(&target.reference()).await.is_ok();
    let tried = |failure: Failure| Failure {
        message: format!("could not push `{local}`: {}", failure.message),
        ..failure
    };
    engine.name(local, &target.reference()).await.map_err(tried)?;
    Ok(!had)
}

/// Takes the name away again: the image keeps its own.
async fn untag(cx: &Context, engine: &Engine, target: &Target) {
    let Ok(docker) = engine.docker().await else { return };
    if let Err(error) = docker.remove_image(&target.reference(), None::<RemoveImageOptions>, None).await {
        let left = failure(&format!("could not remove the tag `{}`", target.reference()), &error);
        cx.log(Level::Warn, left.to_string());
    }
}

/// Does `work`, unless the caller asks to stop, which then leaves `behind` behind.
async fn or_cancelled<T>(
    cx: &Context,
    behind: Outcome,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        () = cloudpad_engine::cancelled(cx.cancel()) => Err(Failure::cancelled().outcome(behind)),
    }
}
