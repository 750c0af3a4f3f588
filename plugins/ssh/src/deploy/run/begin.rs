//! Makes and starts a one-off container, or finds the one that an earlier request has begun. I/O.

use bollard::models::ContainerInspectResponse as Inspected;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
};
use cloudpad_engine::{failure, status};
use cloudpad_plugin_api::model::label;
use cloudpad_plugin_api::stage::deploy::Run;
use cloudpad_plugin_api::{Context, Failure, Outcome};

use super::super::attached::Attached;
use super::super::exec::DETACH_KEYS;
use super::super::start::STARTING;
use super::super::{container, files, networks, seen, spec};
use crate::pool::Connection;

/// A container that was started, by this request or by an earlier one.
pub(super) struct Begun {
    pub(super) id: String,
    pub(super) found: bool,
    /// Since when one that was found runs, as the engine writes it.
    pub(super) since: Option<String>,
    /// Its streams, where the request has asked for them.
    pub(super) attached: Option<Attached>,
}

pub(super) async fn begin(cx: &Context, host: &Connection, request: &Run) -> Result<Begun, Failure> {
    match try_begin(cx, host, request).await {
        // Some engines say so when the container is made, others when it is started.
        Err(failure) if networks::is_lacking(&failure) => {
            let names = spec::own_networks(&request.spec);
            host.networks.ensure(&host.engine, names, &request.project).await?;
            try_begin(cx, host, request).await
        }
        begun => begun,
    }
}

async fn try_begin(cx: &Context, host: &Connection, request: &Run) -> Result<Begun, Failure> {
    files::put(cx, host, (&request.container, &request.spec), &request.project).await?;
    match create(cx, host, request).await? {
        Some(id) => start_new(cx, host, request, id).await,
        None => find(host, request).await,
    }
}

/// Makes the container; none when its name is taken.
async fn create(cx: &Context, host: &Connection, request: &Run) -> Result<Option<String>, Failure> {
    let (name, image) = (&request.container, &request.spec.image);
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    let body = spec::run_body(cx, request)?;
    match host.engine.docker().await?.create_container(Some(options), body).await {
        Ok(created) => Ok(Some(created.id)),
        Err(error) if status(&error) == Some(409) => Ok(None),
        Err(error) if status(&error) == Some(404) && error.to_string().contains("image") => {
            let message = format!("could not create container `{name}`: image `{image}` is not on the host");
            Err(Failure::failed(message).cause(error).hint("push the image first, or let the host pull it"))
        }
        Err(error) => Err(failure(&format!("could not create container `{name}`"), &error)),
    }
}

/// Starts a container that was just made, or removes it again: it would look like one that is about to run.
async fn start_new(cx: &Context, host: &Connection, request: &Run, id: String) -> Result<Begun, Failure> {
    let refused = match start(host, request, &id, None).await {
        Ok(attached) => return Ok(Begun { id, found: false, since: None, attached }),
        Err(refused) => refused,
    };
    let options = RemoveContainerOptionsBuilder::new().v(true).build();
    match host.engine.docker().await?.remove_container(&id, Some(options)).await {
        Ok(()) => {
            files::forget(cx, host, &request.container, &request.project).await;
            Err(refused)
        }
        Err(_) => Err(refused
            .outcome(Outcome::Partial)
            .cause(format!("container `{}` was made and could not be removed again", request.container))),
    }
}

async fn start(
    host: &Connection,
    request: &Run,
    id: &str,
    found: Option<&Inspected>,
) -> Result<Option<Attached>, Failure> {
    networks::join_further(&host.engine, &request.spec, &[], id, found).await?;
    // Before it is started, lest something that it prints is lost.
    let attached = match &request.stream {
        Some(_) => Some(attach(host, request, id).await?),
        None => None,
    };
    let started =
        host.engine.within(STARTING).await?.start_container(id, None::<StartContainerOptions>).await;
    started
        .map_err(|error| failure(&format!("could not start container `{}`", request.container), &error))?;
    Ok(attached)
}

async fn attach(host: &Connection, request: &Run, id: &str) -> Result<Attached, Failure> {
    let keys = DETACH_KEYS.replace(',', "%2C").replace('@', "%40");
    let path = format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1&stderr=1&detachKeys={keys}");
    let tried = format!("could not attach to container `{}`", request.container);
    Attached::open(&host.engine, &path, None, request.tty.is_some(), &tried).await
}

/// The container that has the name, if it is the one that is meant. One that was made and never started was left by a
/// request that was broken off in between.
async fn find(host: &Connection, request: &Run) -> Result<Begun, Failure> {
    let name = &request.container;
    let gone = || Failure::stale(format!("container `{name}` was there and is gone")).retryable();
    let found = container::inspect(&host.engine, name).await?.ok_or_else(gone)?;
    let is_ours = container::labels(&found).is_some_and(|labels| {
        seen::belongs_to(labels, &request.project) && labels.contains_key(label::ONE_OFF)
    });
    if !is_ours {
        let whose = request.project.prefix();
        let message =
            format!("the name `{name}` is taken by a container that is not a one-off one of `{whose}`");
        return Err(Failure::stale(message).hint("rename or remove that container"));
    }
    if request.stream.is_some() {
        let message = format!("container `{name}` was begun by somebody else, who has its streams");
        return Err(Failure::stale(message));
    }
    let id = found.id.clone().unwrap_or_default();
    let created = bollard::models::ContainerStateStatusEnum::CREATED;
    let has_begun = found.state.as_ref().and_then(|state| state.status) != Some(created);
    if !has_begun {
        start(host, request, &id, Some(&found)).await?;
    }
    let state = found.state.filter(|state| has_begun && state.running == Some(true));
    Ok(Begun { id, found: has_begun, since: state.and_then(|state| state.started_at), attached: None })
}
