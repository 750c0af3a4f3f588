//! From what an engine says of a service and its tasks to what was seen. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use bollard::models::{
    Node as EngineNode, NodeSpecAvailabilityEnum, NodeState, Service as EngineService, ServiceSpec,
    ServiceUpdateStatusStateEnum as Update, Task, TaskState,
};
use chrono::{DateTime, Utc};
use cloudpad_plugin_api::model::{Check, Project, SecretRef, label};
use cloudpad_plugin_api::stage::cluster::{Instance, Node, Rollout, Seen, Service};
use cloudpad_plugin_api::stage::deploy::State;

use crate::{drift, lasting, names, spec};

/// What tells a service from itself at other times: the engine's own version changes with each step of an update too.
pub(crate) fn revision(service: &EngineService) -> String {
    let spec = serde_json::to_value(&service.spec).map(|spec| spec.to_string()).unwrap_or_default();
    let id = service.id.clone().unwrap_or_default();
    format!("{}.{}", id.get(..12).unwrap_or(&id), names::digest(spec.as_bytes()))
}

/// A label of a service.
pub(crate) fn labelled(service: &EngineService, name: &str) -> String {
    let labels = service.spec.as_ref().and_then(|spec| spec.labels.as_ref());
    labels.and_then(|labels| labels.get(name)).cloned().unwrap_or_default()
}

/// The identity that a service was applied with; empty when others have changed it since. One of which is not understood what it was applied
/// as is taken for that.
pub(crate) fn id(service: &EngineService) -> String {
    let environment = labelled(service, label::ENVIRONMENT);
    let project = Project {
        name: labelled(service, label::PROJECT),
        environment: Some(environment).filter(|environment| !environment.is_empty()),
    };
    let image = labelled(service, names::IMAGE);
    let is_so = |spec: &ServiceSpec| {
        applied(service).is_none_or(|applied| drift::is_as_applied(spec, &project, &applied, &image))
    };
    if service.spec.as_ref().is_some_and(is_so) { labelled(service, label::SPEC_ID) } else { String::new() }
}

/// What a service was applied as.
pub(crate) fn applied(service: &EngineService) -> Option<Service> {
    serde_json::from_str(&labelled(service, names::SERVICE)).ok()
}

/// The value of a secret that a service has as a variable, where it is the one that is meant.
pub(crate) fn value(service: &EngineService, secret: &SecretRef) -> Option<String> {
    let applied = applied(service)?;
    let is_it = |has: &SecretRef| has.name == secret.name && has.mark == secret.mark;
    let variables = applied.spec.secrets.iter().filter(|(target, has)| !spec::is_file(target) && is_it(has));
    let container = service.spec.as_ref()?.task_template.as_ref()?.container_spec.as_ref()?;
    let lines = container.env.iter().flatten();
    let of = |name: &str| {
        lines.clone().find_map(|line| line.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    };
    variables.into_iter().find_map(|(name, _)| of(name))
}

/// How far an engine is with an update.
pub(crate) fn rollout(service: &EngineService) -> Rollout {
    match service.update_status.as_ref().and_then(|status| status.state) {
        Some(Update::UPDATING | Update::ROLLBACK_STARTED) => Rollout::Updating,
        Some(Update::PAUSED | Update::ROLLBACK_PAUSED) => Rollout::Paused,
        Some(Update::ROLLBACK_COMPLETED) => Rollout::RolledBack,
        _ => Rollout::Settled,
    }
}

/// Whether a task is made from what the service is to be now.
pub(crate) fn is_current(service: &EngineService, task: &Task) -> bool {
    let template = service.spec.as_ref().and_then(|spec| spec.task_template.as_ref());
    let wanted = template.and_then(|task| task.container_spec.as_ref());
    task.spec.as_ref().and_then(|spec| spec.container_spec.as_ref()) == wanted
}

pub(crate) fn state_of(task: &Task) -> TaskState {
    task.status.as_ref().and_then(|status| status.state).unwrap_or(TaskState::NEW)
}

/// Why a task is not well, in the engine's words.
pub(crate) fn why(task: &Task) -> String {
    let status = task.status.clone().unwrap_or_default();
    let text = status.err.filter(|err| !err.is_empty()).or(status.message).unwrap_or_default();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether a task's process may be there.
fn is_up(task: &Task) -> bool {
    matches!(state_of(task), TaskState::STARTING | TaskState::RUNNING)
}

/// Whether a task's process may be there, and would be told of if it were not: what was on a node that is lost is said to run for a day.
pub(crate) fn is_up_on(task: &Task, nodes: &[EngineNode]) -> bool {
    let ready = |id: &String| {
        let mut nodes = nodes.iter().filter(|node| node.id.as_ref() == Some(id));
        nodes.any(|node| node.status.as_ref().and_then(|status| status.state) == Some(NodeState::READY))
    };
    is_up(task) && task.node_id.as_ref().is_some_and(ready)
}

/// Which of its service's instances a task is; of those that are on each node none has a number.
pub(crate) fn number(task: &Task) -> Option<u32> {
    task.slot.and_then(|slot| u32::try_from(slot).ok()).filter(|slot| *slot > 0)
}

/// What nodes are called, by their ids.
pub(crate) fn hostnames(nodes: &[EngineNode]) -> BTreeMap<String, String> {
    nodes.iter().filter_map(|one| Some((one.id.clone()?, node(one).name))).collect()
}

/// The node that a task is on.
pub(crate) fn on_node<'a>(task: &Task, nodes: &'a BTreeMap<String, String>) -> Option<&'a String> {
    nodes.get(task.node_id.as_ref()?)
}

/// Whether an engine wants a task to run.
pub(crate) fn is_wanted(task: &Task) -> bool {
    task.desired_state == Some(TaskState::RUNNING)
}

/// What is so at the time `now`.
pub(crate) fn seen(
    service: &EngineService,
    tasks: &[Task],
    nodes: &BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> Seen {
    let id = id(service);
    let own = tasks.iter().filter(|task| task.service_id == service.id && is_wanted(task));
    let mut instances: Vec<_> = own.map(|task| instance(service, &id, task, nodes, now)).collect();
    instances.sort_by(|a, b| (a.number, &a.node).cmp(&(b.number, &b.node)));
    let image = service
        .spec
        .as_ref()
        .and_then(|spec| spec.task_template.as_ref()?.container_spec.as_ref()?.image.clone());
    let status = service.update_status.as_ref();
    let wanted = service.service_status.as_ref().and_then(|status| status.desired_tasks).unwrap_or_default();
    Seen {
        name: labelled(service, label::SERVICE),
        revision: revision(service),
        release: labelled(service, label::RELEASE),
        id,
        service: applied(service).map(Arc::new),
        image: image.unwrap_or_default(),
        wanted: u32::try_from(wanted).unwrap_or_default(),
        instances,
        rollout: rollout(service),
        message: status.and_then(|status| status.message.clone()).unwrap_or_default(),
    }
}

fn instance(
    service: &EngineService,
    id: &str,
    task: &Task,
    nodes: &BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> Instance {
    let node = on_node(task, nodes).cloned().unwrap_or_default();
    let state = match state_of(task) {
        TaskState::RUNNING => State::Running,
        TaskState::COMPLETE
        | TaskState::SHUTDOWN
        | TaskState::FAILED
        | TaskState::REJECTED
        | TaskState::REMOVE
        | TaskState::ORPHANED => State::Stopped,
        _ => State::Starting,
    };
    let is_current = is_current(service, task);
    Instance {
        number: number(task),
        node,
        state,
        id: if is_current { id.to_owned() } else { "another".to_owned() },
        healthy: state == State::Running && is_current && is_asked(service),
        status: match state {
            State::Running => since(task).map(|since| lasting::words(now - since)).unwrap_or_default(),
            _ => why(task),
        },
    }
}

/// Whether the engines ask instances for their health, for certain. A swarm has a task that is asked start until it serves, and ends one
/// that does so no more; so one that runs is healthy. Tasks say nothing else of it.
fn is_asked(service: &EngineService) -> bool {
    let health = |applied: Service| applied.spec.health.clone();
    let check = applied(service).and_then(health).map(|health| health.check);
    matches!(check, Some(Check::Command { .. }))
}

/// When a task has come to what it does.
fn since(task: &Task) -> Option<DateTime<Utc>> {
    task.status.as_ref()?.timestamp.as_ref()?.parse().ok()
}

pub(crate) fn node(node: &EngineNode) -> Node {
    let spec = node.spec.clone().unwrap_or_default();
    let (mut roles, mut labels) = (Vec::new(), std::collections::BTreeMap::new());
    for (key, value) in spec.labels.unwrap_or_default() {
        match key.strip_prefix(names::ROLE) {
            Some(role) if value == "true" => roles.push(role.to_owned()),
            _ => _ = labels.insert(key, value),
        }
    }
    roles.extend(spec.role.map(|role| role.to_string()).filter(|role| !role.is_empty()));
    roles.sort();
    let status = node.status.clone().unwrap_or_default();
    let closed = match (status.state, spec.availability) {
        (Some(NodeState::READY), Some(NodeSpecAvailabilityEnum::ACTIVE) | None) => String::new(),
        (Some(NodeState::READY), Some(availability)) => availability.to_string(),
        (Some(state), _) => state.to_string(),
        (None, _) => "unknown".to_owned(),
    };
    let name = node.description.as_ref().and_then(|description| description.hostname.clone());
    Node { name: name.unwrap_or_default(), address: status.addr.unwrap_or_default(), roles, labels, closed }
}

#[cfg(test)]
mod tests;
