//! `cluster.apply`: has a swarm run a service as it is to be, with the networks and secrets that it needs. I/O.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::errors::Error;
use bollard::models::{NetworkCreateRequest, SecretSpec};
use bollard::query_parameters::{
    ListNetworksOptionsBuilder, ListSecretsOptionsBuilder, UpdateServiceOptionsBuilder,
};
use cloudpad_engine::{Access, Engine, Reference, failure, said, status};
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::cluster::{Applied, Apply};
use cloudpad_plugin_api::{Context, Failure, Outcome};

use crate::{names, observe, seen, spec};

/// How often the service is looked at anew, where an update takes a step meanwhile.
const TRIES: u32 = 10;

pub(crate) async fn apply(cx: &Context, engine: &Engine, request: &Apply) -> Result<Applied, Failure> {
    let name = names::service(&request.project, &request.service.name);
    let access = Access::to(&Reference::parse(request.image.get()?)).await?;
    for _ in 0..TRIES {
        let found = observe::inspect(engine, &name).await?;
        let labels = found.as_ref().and_then(|found| found.spec.as_ref()?.labels.as_ref());
        if let Some(owner) = found.as_ref().and_then(|_| names::owner(labels, &request.project)) {
            return Err(names::taken("service", &name, &owner));
        }
        if found.as_ref().is_some_and(|found| is_so(found, request)) {
            return Ok(Applied { changed: false });
        }
        if found.as_ref().map(seen::revision) != request.replaces {
            return Err(other(&name, found.is_some()));
        }
        networks(engine, request).await?;
        all_ours(engine, request).await?;
        let secrets = secrets(cx, engine, request).await?;
        let spec = spec::spec(cx, request, &secrets, found.as_ref())?;
        let (docker, credentials) = (engine.docker().await?, Some(access.credentials.clone()));
        let done = match &found {
            None => docker.create_service(spec, credentials).await.map(drop),
            Some(found) => {
                let version = found.version.as_ref().and_then(|version| version.index).unwrap_or_default();
                let version = i32::try_from(version).unwrap_or_default();
                let options = UpdateServiceOptionsBuilder::new().version(version).build();
                docker.update_service(&name, spec, options, credentials).await.map(drop)
            }
        };
        match done {
            Ok(()) => return Ok(Applied { changed: true }),
            // Somebody was faster, if it is not the swarm itself.
            Err(error) if said(&error).is_some_and(|said| said.contains("out of sequence")) => {}
            Err(error) if found.is_none() && status(&error) == Some(409) => {}
            Err(error) => return Err(failure(&format!("could not apply service `{name}`"), &error)),
        }
    }
    Err(other(&name, true))
}

/// Whether the service is what is asked for, and the swarm has not given it up.
fn is_so(found: &bollard::models::Service, request: &Apply) -> bool {
    use cloudpad_plugin_api::stage::cluster::Rollout;
    seen::id(found) == request.id && seen::rollout(found) != Rollout::Paused
}

fn other(name: &str, is_there: bool) -> Failure {
    let what = if is_there { "is another one than was seen" } else { "is gone" };
    Failure::stale(format!("service `{name}` {what}"))
        .hint("somebody else has changed it: deploy again, from what is there now")
}

async fn networks(engine: &Engine, request: &Apply) -> Result<(), Failure> {
    for name in spec::own_networks(&request.service.spec) {
        let body = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("overlay".to_owned()),
            labels: Some(names::labels(&request.project).into()),
            ..Default::default()
        };
        match engine.docker().await?.create_network(body).await {
            Ok(_) => {}
            Err(error) if is_there(&error) => {}
            Err(error) => return Err(failure(&format!("could not make network `{name}`"), &error)),
        }
    }
    Ok(())
}

/// Fails where a network of that name is another project's.
async fn all_ours(engine: &Engine, request: &Apply) -> Result<(), Failure> {
    let wanted: Vec<_> = spec::own_networks(&request.service.spec).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let filters = HashMap::from([("name".to_owned(), wanted.clone())]);
    let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let listed = engine.docker().await?.list_networks(Some(options)).await;
    for network in listed.map_err(|error| failure("could not list the swarm's networks", &error))? {
        // What is asked for is found in longer names too.
        let Some(name) = network.name.filter(|name| wanted.contains(name)) else { continue };
        if let Some(owner) = names::of_other(network.labels.as_ref(), &request.project) {
            return Err(names::taken("network", &name, &owner));
        }
    }
    Ok(())
}

/// Whether what was to be made is there: services of one deploy make what they share at the same time. An engine looks before it asks the
/// swarm to make a network; where another was faster in between, it hands on the swarm's own words as an error of its own.
fn is_there(error: &Error) -> bool {
    let in_the_swarm = |said: &str| said.contains("name conflicts with an existing object");
    status(error) == Some(409) || said(error).is_some_and(in_the_swarm)
}

/// Makes those of the service's secrets that the swarm does not have, and tells the ids of all.
async fn secrets(cx: &Context, engine: &Engine, request: &Apply) -> Result<HashMap<String, String>, Failure> {
    let refs = request.service.spec.secrets.iter().filter(|(target, _)| spec::is_file(target));
    let mut ids = HashMap::new();
    let mut known = None;
    for (_, secret) in refs {
        if known.is_none() {
            known = Some(listed(engine, &request.project).await?);
        }
        let name = names::secret(&request.project, secret);
        if let Some(id) = known.as_ref().and_then(|known| known.get(&name)) {
            ids.insert(name, id.clone());
            continue;
        }
        let data = STANDARD.encode(cx.secret(&secret.name)?.expose());
        let labels = Some(names::labels(&request.project).into());
        let body = SecretSpec { name: Some(name.clone()), labels, data: Some(data), ..Default::default() };
        let failed = |error: &Error| {
            failure(&format!("could not keep secret `{}` in the swarm", secret.name), error)
                .outcome(Outcome::None)
        };
        let id = match engine.docker().await?.create_secret(body).await {
            Ok(made) => made.id,
            Err(error) if is_there(&error) => {
                let listed = listed(engine, &request.project).await?;
                listed.get(&name).cloned().ok_or_else(|| failed(&error))?
            }
            Err(error) => return Err(failed(&error)),
        };
        if let Some(known) = &mut known {
            known.insert(name.clone(), id.clone());
        }
        ids.insert(name, id);
    }
    Ok(ids)
}

/// The ids of the project's secrets, by their names there.
pub(crate) async fn listed(engine: &Engine, project: &Project) -> Result<HashMap<String, String>, Failure> {
    let options = ListSecretsOptionsBuilder::new().filters(&names::filter(project)).build();
    let listed = engine.docker().await?.list_secrets(Some(options)).await;
    let listed = listed.map_err(|error| failure("could not list the swarm's secrets", &error))?;
    let ours = listed.into_iter().filter_map(|secret| {
        let spec = secret.spec.filter(|spec| names::is_ours(spec.labels.as_ref(), project))?;
        Some((spec.name?, secret.id?))
    });
    Ok(ours.collect())
}
