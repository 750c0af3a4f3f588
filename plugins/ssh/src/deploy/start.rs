//! `deploy.start`: makes a container and starts it, or starts the one that is there; and `deploy.create`, which does all of it but
//! the start. I/O.

mod refused;

use std::sync::Arc;
use std::time::Duration;

use bollard::models::ContainerInspectResponse as Inspected;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptions, StartContainerOptions,
};
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::deploy::{Start, Started};
use cloudpad_plugin_api::{Context, Failure, Outcome};

use super::{container, files, networks, proof, seen, spec};
use crate::pool::{Connection, Made};

/// How long an engine may take to set a container up on a busy host: its mounts, networks and ports.
pub(super) const STARTING: Duration = Duration::from_secs(60);

pub(super) async fn start(cx: &Context, host: &Arc<Connection>, request: &Start) -> Result<Started, Failure> {
    if let Some(made) = host.take_made(&request.container) {
        return begin(cx, host, request, made).await;
    }
    let made = make(cx, host, request).await?;
    begin(cx, host, request, made).await
}

/// Makes what `start` is to start, and remembers it.
pub(super) async fn create(
    cx: &Context,
    host: &Arc<Connection>,
    request: &Start,
) -> Result<Started, Failure> {
    let mut made = make(cx, host, request).await?;
    let started = Started { id: made.id.clone(), created: made.is_new };
    if made.found.as_deref().is_some_and(container::is_running) {
        return Ok(started);
    }
    // Nearly always they are those of the container that is to go.
    let networks = spec::own_networks(&request.spec);
    host.networks.ensure_unused(&host.engine, networks, &request.project).await?;
    if spec::further_networks(&request.spec).next().is_some() {
        join(host, request, &made.id, made.found.as_deref()).await?;
        made.found = container::inspect(&host.engine, &made.id).await?.map(Box::new);
    }
    host.note_made(&request.container, made);
    Ok(started)
}

/// Makes the container, or makes the one that is there ready to be started.
async fn make(cx: &Context, host: &Arc<Connection>, request: &Start) -> Result<Made, Failure> {
    // Where a new container has another name, a kept one is not in its way, and has to be looked for. And where one
    // cannot be made, since its secrets are others by now, there may be one that has them. The files of one that runs
    // are not made again.
    if (proof::is_needed(request.spec.health.as_ref())
        || !spec::has_secrets(cx, &request.spec)
        || files::are_needed(&request.spec))
        && may_be_there(host, &request.container)
        && let Some(found) = container::find(&host.engine, &request.container).await?
    {
        return prepare(cx, host, request, found).await;
    }
    files::put(cx, host, (&request.container, &request.spec), &request.project).await?;
    let made = match create_container(cx, &host.engine, request).await {
        Err(failure) if networks::is_lacking(&failure) => {
            make_networks(host, request).await?;
            create_container(cx, &host.engine, request).await?
        }
        made => made?,
    };
    if let Some(id) = made {
        return Ok(Made { id, is_new: true, found: None });
    }
    let gone = || Failure::stale(format!("container `{}` was there and is gone", request.container));
    let found = container::find(&host.engine, &request.container).await?;
    prepare(cx, host, request, found.ok_or_else(|| gone().retryable())?).await
}

/// Whether there may be a container of that name, be it the provisional one.
fn may_be_there(host: &Connection, name: &str) -> bool {
    !(host.had_no_container(name) && host.had_no_container(&proof::provisional(name)))
}

/// Makes a container that has the wanted name ready to be started, if it is the wanted one.
async fn prepare(
    cx: &Context,
    host: &Connection,
    request: &Start,
    found: Inspected,
) -> Result<Made, Failure> {
    check_same(&found, request)?;
    if !container::is_running(&found) {
        if proof::is_needed(request.spec.health.as_ref()) {
            proof::doubt(&host.engine.docker().await?, &found, &request.container).await?;
        }
        if spec::has_secrets(cx, &request.spec) {
            files::put(cx, host, (&request.container, &request.spec), &request.project).await?;
        }
    }
    Ok(Made { id: found.id.clone().unwrap_or_default(), is_new: false, found: Some(Box::new(found)) })
}

/// Starts what was made, unless it runs.
async fn begin(cx: &Context, host: &Connection, request: &Start, made: Made) -> Result<Started, Failure> {
    if made.is_new {
        return start_new(cx, host, request, made).await;
    }
    let Made { id, found, .. } = made;
    if !found.as_deref().is_some_and(container::is_running) {
        match run(host, request, &id, found.as_deref()).await {
            Err(failure) if networks::is_lacking(&failure) => {
                return make_again(cx, host, request, &id).await;
            }
            done => done?,
        }
    }
    Ok(Started { id, created: false })
}

async fn make_networks(host: &Connection, request: &Start) -> Result<(), Failure> {
    let names = spec::own_networks(&request.spec);
    host.networks.ensure(&host.engine, names, &request.project).await
}

/// Makes the container; none when its name is taken.
async fn create_container(cx: &Context, engine: &Engine, request: &Start) -> Result<Option<String>, Failure> {
    let (name, image) = (&request.container, &request.spec.image);
    let made = match proof::is_needed(request.spec.health.as_ref()) {
        true => proof::provisional(name),
        false => name.clone(),
    };
    let options = CreateContainerOptionsBuilder::new().name(&made).build();
    match engine.docker().await?.create_container(Some(options), spec::create_body(cx, request)?).await {
        Ok(created) => Ok(Some(created.id)),
        Err(error) if status(&error) == Some(409) => Ok(None),
        Err(error) if status(&error) == Some(404) && error.to_string().contains("image") => {
            let message = format!("could not create container `{name}`: image `{image}` is not on the host");
            Err(Failure::failed(message).cause(error).hint("push the image first, or let the host pull it"))
        }
        Err(error) => Err(failure(&format!("could not create container `{name}`"), &error)),
    }
}

/// Starts a container that was just made.
async fn start_new(cx: &Context, host: &Connection, request: &Start, made: Made) -> Result<Started, Failure> {
    match run_new(cx, host, request, made).await {
        // Somebody else may have made the very same one meanwhile, and got the port.
        Err(failure) => match container::inspect(&host.engine, &request.container).await {
            Ok(Some(found)) => {
                let found = prepare(cx, host, request, found).await?;
                Box::pin(begin(cx, host, request, found)).await
            }
            _ => Err(failure),
        },
        started => started,
    }
}

/// Starts a container that was just made, or removes it again: what is left behind would look like a
/// container that once ran.
async fn run_new(cx: &Context, host: &Connection, request: &Start, made: Made) -> Result<Started, Failure> {
    let Made { id, found, .. } = made;
    match run(host, request, &id, found.as_deref()).await {
        Ok(()) => Ok(Started { id, created: true }),
        Err(failure) => Err(undo(cx, host, request, &id, failure).await),
    }
}

async fn undo(cx: &Context, host: &Connection, request: &Start, id: &str, failure: Failure) -> Failure {
    let name = &request.container;
    let removed = match host.engine.docker().await {
        Ok(docker) => docker.remove_container(id, None::<RemoveContainerOptions>).await.is_ok(),
        Err(_) => false,
    };
    if removed {
        files::forget(cx, host, name, &request.project).await;
        return failure;
    }
    failure
        .outcome(Outcome::Partial)
        .cause(format!("container `{name}` was made and could not be removed again"))
}

/// Makes a stopped container anew in its networks, which are there, but not as those that it was made in: an
/// engine knows a container's networks by ids, and theirs have gone with the old ones. Volumes stay.
async fn make_again(cx: &Context, host: &Connection, request: &Start, old: &str) -> Result<Started, Failure> {
    let name = &request.container;
    // Without force: should it run by now, somebody else has mended it.
    let removed = host.engine.docker().await?.remove_container(old, None::<RemoveContainerOptions>).await;
    removed.map_err(|error| {
        failure(&format!("could not remove container `{name}`, whose networks are gone"), &error)
    })?;
    match create_container(cx, &host.engine, request)
        .await
        .map_err(|failure| failure.outcome(Outcome::Partial))?
    {
        Some(id) => run_new(cx, host, request, Made { id, is_new: true, found: None }).await,
        None => Err(Failure::stale(format!("the name `{name}` was taken meanwhile")).retryable()),
    }
}

fn check_same(found: &Inspected, request: &Start) -> Result<(), Failure> {
    let labels = container::labels(found);
    let name = &request.container;
    if !labels.is_some_and(|labels| seen::belongs_to(labels, &request.project)) {
        let message = format!(
            "the name `{name}` is taken by a container that is not one of `{}`",
            request.project.prefix()
        );
        return Err(Failure::stale(message).hint("rename or remove that container"));
    }
    if labels.and_then(|labels| labels.get(label::SPEC_ID)) != Some(&request.spec_id) {
        return Err(Failure::stale(format!("container `{name}` was made from another spec")));
    }
    Ok(())
}

/// Starts the container, which is as `found` says, or new.
async fn run(host: &Connection, request: &Start, id: &str, found: Option<&Inspected>) -> Result<(), Failure> {
    match try_run(host, request, id, found).await {
        Err(failure) if networks::is_lacking(&failure) => {
            make_networks(host, request).await?;
            let found = container::inspect(&host.engine, id).await?;
            try_run(host, request, id, found.as_ref()).await
        }
        done => done,
    }
}

async fn try_run(
    host: &Connection,
    request: &Start,
    id: &str,
    found: Option<&Inspected>,
) -> Result<(), Failure> {
    join(host, request, id, found).await?;
    match host.engine.within(STARTING).await?.start_container(id, None::<StartContainerOptions>).await {
        Ok(()) => Ok(()),
        Err(error) => Err(refused::explain(&host.engine, request, &error).await),
    }
}

async fn join(
    host: &Connection,
    request: &Start,
    id: &str,
    found: Option<&Inspected>,
) -> Result<(), Failure> {
    networks::join_further(&host.engine, &request.spec, &spec::aliases(request), id, found).await
}
