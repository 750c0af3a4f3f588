//! From a service to what the engine is asked for. Pure, with the maps of the engine's client.

use std::collections::HashMap;

use bollard::models::{
    EndpointPortConfig, EndpointPortConfigProtocolEnum, EndpointPortConfigPublishModeEnum, EndpointSpec,
    EndpointSpecModeEnum, HealthConfig, Limit, NetworkAttachmentConfig, Service as EngineService,
    ServiceSpec, ServiceSpecMode, ServiceSpecModeReplicated, ServiceSpecRollbackConfig,
    ServiceSpecRollbackConfigFailureActionEnum, ServiceSpecRollbackConfigOrderEnum, ServiceSpecUpdateConfig,
    ServiceSpecUpdateConfigFailureActionEnum, ServiceSpecUpdateConfigOrderEnum, TaskSpec,
    TaskSpecContainerSpec, TaskSpecContainerSpecFile, TaskSpecContainerSpecSecrets, TaskSpecPlacement,
    TaskSpecResources, TaskSpecRestartPolicy, TaskSpecRestartPolicyConditionEnum,
};
use cloudpad_plugin_api::model::{Check, ContainerSpec, Port, Project, Protocol, Restart, SecretRef, label};
use cloudpad_plugin_api::stage::cluster::{Apply, Order, Place, Scale, Service};
use cloudpad_plugin_api::{Context, Failure};

use crate::{names, seen};

/// The permissions of a secret's file, where nothing else is asked for.
const MODE: u32 = 0o400;

/// The service that the engine is asked for. `secrets` has the engine's id of each secret, by its name there; `had` is what is there now, with
/// the values of its variables: where none is sent, as the secret has another one by now, one that stays is there.
pub(crate) fn spec(
    cx: &Context,
    request: &Apply,
    secrets: &HashMap<String, String>,
    had: Option<&EngineService>,
) -> Result<ServiceSpec, Failure> {
    let (project, service) = (&request.project, &*request.service);
    let image = request.image.get()?;
    let value = |secret: &SecretRef| match cx.secret(&secret.name) {
        Ok(value) => Ok(value.expose().to_owned()),
        Err(missing) => had.and_then(|had| seen::value(had, secret)).ok_or(missing),
    };
    let json = serde_json::to_string(service)
        .map_err(|error| Failure::invalid(format!("cannot write the service down: {error}")))?;
    let mut labels = HashMap::from(names::labels(project));
    labels.extend([
        (label::SERVICE.to_owned(), service.name.clone()),
        (label::RELEASE.to_owned(), request.release.clone()),
        (label::SPEC_ID.to_owned(), request.id.clone()),
        (names::SERVICE.to_owned(), json),
        (names::IMAGE.to_owned(), image.to_owned()),
    ]);
    Ok(ServiceSpec {
        name: Some(names::service(project, &service.name)),
        labels: Some(labels),
        task_template: Some(task(&value, project, service, image, secrets)?),
        mode: Some(mode(service.scale)),
        update_config: Some(update(service)),
        rollback_config: Some(rollback(service)),
        networks: None,
        endpoint_spec: Some(endpoint(service)),
    })
}

/// Neither a service's own address nor the mesh: a port leads to the instance on that node, and names to all instances.
pub(crate) fn endpoint(service: &Service) -> EndpointSpec {
    EndpointSpec {
        mode: Some(EndpointSpecModeEnum::DNSRR),
        ports: Some(service.spec.ports.iter().map(port).collect()),
    }
}

fn mode(scale: Scale) -> ServiceSpecMode {
    match scale {
        Scale::Replicas(count) => ServiceSpecMode {
            replicated: Some(ServiceSpecModeReplicated { replicas: Some(i64::from(count)) }),
            ..Default::default()
        },
        Scale::PerNode(_) => ServiceSpecMode { global: Some(HashMap::new()), ..Default::default() },
    }
}

/// What each instance is; `value` tells those of secrets.
pub(crate) fn task(
    value: &dyn Fn(&SecretRef) -> Result<String, Failure>,
    project: &Project,
    service: &Service,
    image: &str,
    ids: &HashMap<String, String>,
) -> Result<TaskSpec, Failure> {
    let spec = &*service.spec;
    let mut labels: HashMap<String, String> = spec.labels.clone().into_iter().collect();
    labels.extend(names::labels(project));
    labels.insert(label::SERVICE.to_owned(), service.name.clone());
    Ok(TaskSpec {
        container_spec: Some(TaskSpecContainerSpec {
            image: Some(image.to_owned()),
            labels: Some(labels),
            args: spec.command.clone(),
            env: Some(env(value, spec)?),
            stop_signal: spec.stop_signal.clone(),
            stop_grace_period: Some(i64::from(spec.stop_timeout) * 1_000_000_000),
            health_check: health(service),
            secrets: Some(secrets(project, spec, ids)),
            ..Default::default()
        }),
        resources: Some(TaskSpecResources {
            limits: Some(Limit {
                nano_cpus: spec.cpu_millis.map(|millis| clamped(millis.saturating_mul(1_000_000))),
                memory_bytes: spec.memory.map(clamped),
                pids: None,
            }),
            ..Default::default()
        }),
        restart_policy: Some(TaskSpecRestartPolicy {
            condition: Some(match spec.restart {
                Restart::No => TaskSpecRestartPolicyConditionEnum::NONE,
                Restart::OnFailure => TaskSpecRestartPolicyConditionEnum::ON_FAILURE,
                Restart::UnlessStopped | Restart::Always => TaskSpecRestartPolicyConditionEnum::ANY,
            }),
            ..Default::default()
        }),
        placement: Some(TaskSpecPlacement {
            constraints: Some(constraints(&service.place)),
            ..Default::default()
        }),
        networks: Some(networks(spec, &service.name)),
        ..Default::default()
    })
}

/// Networks that are made for the project.
pub(crate) fn own_networks(spec: &ContainerSpec) -> impl Iterator<Item = String> {
    spec.networks.iter().filter(|network| *network != "host").map(|network| names::network(network))
}

fn networks(spec: &ContainerSpec, alias: &str) -> Vec<NetworkAttachmentConfig> {
    let host = spec.networks.iter().filter(|network| *network == "host").cloned();
    let host = host.map(|network| NetworkAttachmentConfig { target: Some(network), ..Default::default() });
    let own = own_networks(spec).map(|network| NetworkAttachmentConfig {
        target: Some(network),
        aliases: Some(vec![alias.to_owned()]),
        ..Default::default()
    });
    host.chain(own).collect()
}

fn constraints(place: &Place) -> Vec<String> {
    let role = |role: &String| match role.as_str() {
        "manager" | "worker" => format!("node.role=={role}"),
        role => format!("node.labels.{}{role}==true", names::ROLE),
    };
    let roles = place.roles.iter().map(role);
    roles.chain(place.nodes.iter().map(|node| format!("node.hostname=={node}"))).collect()
}

/// Variables, with those that are secret.
fn env(
    value: &dyn Fn(&SecretRef) -> Result<String, Failure>,
    spec: &ContainerSpec,
) -> Result<Vec<String>, Failure> {
    let mut env: Vec<_> = spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for (target, secret) in spec.secrets.iter().filter(|(target, _)| !is_file(target)) {
        env.push(format!("{target}={}", value(secret)?));
    }
    Ok(env)
}

/// Whether a container finds a secret in a file.
pub(crate) fn is_file(target: &str) -> bool {
    target.starts_with('/')
}

fn secrets(
    project: &Project,
    spec: &ContainerSpec,
    ids: &HashMap<String, String>,
) -> Vec<TaskSpecContainerSpecSecrets> {
    let files = spec.secrets.iter().filter(|(target, _)| is_file(target));
    let secret = |(target, secret): (&String, &SecretRef)| {
        let name = names::secret(project, secret);
        TaskSpecContainerSpecSecrets {
            file: Some(TaskSpecContainerSpecFile {
                name: Some(target.clone()),
                uid: Some(secret.uid.unwrap_or_default().to_string()),
                gid: Some(secret.gid.unwrap_or_default().to_string()),
                mode: Some(secret.mode.unwrap_or(MODE)),
            }),
            secret_id: ids.get(&name).cloned(),
            secret_name: Some(name),
        }
    };
    files.map(secret).collect()
}

/// For how long instances are watched, in milliseconds, of how long they are to settle: one that ends at once does run for a moment.
pub(crate) fn watched_ms(settle_ms: u64) -> u64 {
    settle_ms.max(1000)
}

fn update(service: &Service) -> ServiceSpecUpdateConfig {
    let update = &service.update;
    ServiceSpecUpdateConfig {
        parallelism: Some(i64::from(update.batch)),
        failure_action: Some(match update.rollback {
            true => ServiceSpecUpdateConfigFailureActionEnum::ROLLBACK,
            false => ServiceSpecUpdateConfigFailureActionEnum::PAUSE,
        }),
        monitor: Some(nanoseconds(watched_ms(update.settle_ms))),
        max_failure_ratio: Some(0.0),
        order: Some(match update.order {
            Order::StartFirst => ServiceSpecUpdateConfigOrderEnum::START_FIRST,
            Order::StopFirst => ServiceSpecUpdateConfigOrderEnum::STOP_FIRST,
        }),
        ..Default::default()
    }
}

/// Back it goes all at once: what is there does not serve.
fn rollback(service: &Service) -> ServiceSpecRollbackConfig {
    ServiceSpecRollbackConfig {
        parallelism: Some(0),
        failure_action: Some(ServiceSpecRollbackConfigFailureActionEnum::PAUSE),
        monitor: Some(nanoseconds(watched_ms(service.update.settle_ms))),
        max_failure_ratio: Some(0.0),
        order: Some(match service.update.order {
            Order::StartFirst => ServiceSpecRollbackConfigOrderEnum::START_FIRST,
            Order::StopFirst => ServiceSpecRollbackConfigOrderEnum::STOP_FIRST,
        }),
        ..Default::default()
    }
}

fn port(port: &Port) -> EndpointPortConfig {
    EndpointPortConfig {
        protocol: Some(match port.protocol {
            Protocol::Tcp => EndpointPortConfigProtocolEnum::TCP,
            Protocol::Udp => EndpointPortConfigProtocolEnum::UDP,
        }),
        target_port: Some(i64::from(port.target)),
        published_port: Some(i64::from(port.published)),
        publish_mode: Some(EndpointPortConfigPublishModeEnum::HOST),
        ..Default::default()
    }
}

/// A new instance may fail its checks for as long as it may take to serve.
fn health(service: &Service) -> Option<HealthConfig> {
    let health = service.spec.health.as_ref()?;
    let Check::Command { command } = &health.check else { return None };
    let test = std::iter::once("CMD".to_owned()).chain(command.iter().cloned());
    Some(HealthConfig {
        test: Some(test.collect()),
        interval: Some(nanoseconds(health.interval_ms)),
        timeout: Some(nanoseconds(health.timeout_ms)),
        retries: Some(i64::from(health.retries)),
        start_period: Some(nanoseconds(service.update.ready_within_ms)),
        ..Default::default()
    })
}

fn nanoseconds(milliseconds: u64) -> i64 {
    clamped(milliseconds.saturating_mul(1_000_000))
}

fn clamped(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
