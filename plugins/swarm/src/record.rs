//! `cluster.record`: a swarm remembers a release as a config object that nothing uses. I/O.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::models::ConfigSpec;
use bollard::query_parameters::ListConfigsOptionsBuilder;
use cloudpad_engine::{Engine, failure, status};
use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::{Project, label};
use cloudpad_plugin_api::stage::cluster::{Record, Release};

use crate::{names, remove};

pub(crate) async fn record(engine: &Engine, request: &Record) -> Result<(), Failure> {
    let docker = engine.docker().await?;
    if let Some(release) = &request.release {
        forget(engine, &request.project, &release.id).await?;
        let json = serde_json::to_vec(&**release);
        let json =
            json.map_err(|error| Failure::invalid(format!("cannot write the release down: {error}")))?;
        let mut labels = HashMap::from(names::labels(&request.project));
        labels.insert(label::RELEASE.to_owned(), release.id.clone());
        let spec = ConfigSpec {
            name: Some(names::record(&request.project, &release.id)),
            labels: Some(labels),
            data: Some(STANDARD.encode(json)),
            ..Default::default()
        };
        let made = docker.create_config(spec).await;
        made.map_err(|error| {
            failure(&format!("could not note release `{}` in the swarm", release.id), &error)
        })?;
    }
    for id in &request.forget {
        forget(engine, &request.project, id).await?;
    }
    // What was changed before needs some secrets no more.
    remove::clear(engine, &request.project).await
}

async fn forget(engine: &Engine, project: &Project, release: &str) -> Result<(), Failure> {
    let name = names::record(project, release);
    match engine.docker().await?.delete_config(&name).await {
        Ok(()) => Ok(()),
        Err(error) if status(&error) == Some(404) => Ok(()),
        Err(error) => Err(failure(&format!("could not forget release `{release}`"), &error)),
    }
}

/// The releases that the swarm remembers, by id.
pub(crate) async fn known(engine: &Engine, project: &Project) -> Result<Vec<Release>, Failure> {
    let docker = engine.docker().await?;
    let options = ListConfigsOptionsBuilder::new().filters(&names::filter(project)).build();
    let listed = docker.list_configs(Some(options)).await;
    let mut releases = Vec::new();
    for config in listed.map_err(|error| failure("could not list the swarm's configs", &error))? {
        let Some(spec) = config.spec else { continue };
        let is_record = names::is_ours(spec.labels.as_ref(), project)
            && spec.labels.as_ref().is_some_and(|labels| labels.contains_key(label::RELEASE));
        let data = spec.data.and_then(|data| STANDARD.decode(data).ok());
        let release =
            data.filter(|_| is_record).and_then(|json| serde_json::from_slice::<Release>(&json).ok());
        releases.extend(release);
    }
    releases.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(releases)
}
