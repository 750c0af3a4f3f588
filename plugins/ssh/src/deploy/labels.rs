//! The labels by which a container is known again. Pure, with the maps of the engine's client.

use std::collections::HashMap;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::{ContainerSpec, Project, label};
use cloudpad_plugin_api::stage::deploy::{Run, Start};

/// Those of an instance: the user's, and ours, which win.
pub(super) fn of_instance(request: &Start) -> Result<HashMap<String, String>, Failure> {
    let mut labels: HashMap<_, _> = request.spec.labels.clone().into_iter().collect();
    labels.extend(of_project(&request.project));
    let ours = [
        (label::SERVICE, request.instance.service.clone()),
        (label::INSTANCE, request.instance.number.to_string()),
        (label::RELEASE, request.release.clone()),
        (label::SPEC, written(&request.spec)?),
        (label::SPEC_ID, request.spec_id.clone()),
    ];
    labels.extend(ours.map(|(key, value)| (key.to_owned(), value)));
    Ok(labels)
}

/// Those of a one-off container, which none makes an instance.
pub(super) fn of_one_off(request: &Run) -> Result<HashMap<String, String>, Failure> {
    let given = request.spec.labels.iter().chain(&request.labels);
    let mut labels: HashMap<_, _> = given.map(|(key, value)| (key.clone(), value.clone())).collect();
    labels.extend(of_project(&request.project));
    labels.retain(|key, _| ![label::SERVICE, label::INSTANCE, label::SPEC_ID].contains(&key.as_str()));
    let ours = [
        (label::ONE_OFF, "true".to_owned()),
        (label::RELEASE, request.release.clone()),
        (label::SPEC, written(&request.spec)?),
    ];
    labels.extend(ours.map(|(key, value)| (key.to_owned(), value)));
    Ok(labels)
}

fn written(spec: &ContainerSpec) -> Result<String, Failure> {
    serde_json::to_string(spec)
        .map_err(|error| Failure::invalid("the container's spec cannot be written down").cause(error))
}

/// Those of everything that belongs to a project.
pub(super) fn of_project(project: &Project) -> HashMap<String, String> {
    let environment = project.environment.clone().unwrap_or_default();
    let labels = [(label::PROJECT, project.name.clone()), (label::ENVIRONMENT, environment)];
    labels.map(|(key, value)| (key.to_owned(), value)).into()
}
