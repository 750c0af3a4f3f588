//! From a spec to the engine's own description of a container. Pure, with the maps of the engine's client.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, Mount, MountType, NetworkingConfig,
    PortBinding, PortMap, RestartPolicy, RestartPolicyNameEnum,
};
use cloudpad_plugin_api::model::{Check, ContainerSpec, Health, Port, Restart, Volume};
use cloudpad_plugin_api::stage::deploy::{Run, Start};
use cloudpad_plugin_api::{Context, Failure};

use super::{exec, files, labels};

/// What the engine is asked to make for an instance.
pub(super) fn create_body(cx: &Context, request: &Start) -> Result<ContainerCreateBody, Failure> {
    let labels = labels::of_instance(request)?;
    body(cx, (&request.container, &request.spec), labels, &aliases(request))
}

/// What the engine is asked to make for a one-off container. What its networks know a service by leads to instances only.
pub(super) fn run_body(cx: &Context, request: &Run) -> Result<ContainerCreateBody, Failure> {
    let spec = ContainerSpec { restart: Restart::No, ..ContainerSpec::clone(&request.spec) };
    let mut body = body(cx, (&request.container, &spec), labels::of_one_off(request)?, &[])?;
    if request.stream.is_some() {
        let yes = Some(true);
        (body.open_stdin, body.stdin_once, body.attach_stdin) = (yes, yes, yes);
    }
    body.tty = Some(request.tty.is_some());
    if let Some(host) = &mut body.host_config {
        host.console_size = exec::size(request.tty);
    }
    Ok(body)
}

fn body(
    cx: &Context,
    (container, spec): (&str, &ContainerSpec),
    labels: HashMap<String, String>,
    aliases: &[&str],
) -> Result<ContainerCreateBody, Failure> {
    Ok(ContainerCreateBody {
        image: Some(spec.image.clone()),
        cmd: spec.command.clone(),
        env: Some(env(cx, spec)?),
        exposed_ports: Some(spec.ports.iter().map(container_port).collect()),
        labels: Some(labels),
        stop_signal: spec.stop_signal.clone(),
        stop_timeout: Some(i64::from(spec.stop_timeout)),
        healthcheck: spec.health.as_ref().and_then(health),
        networking_config: main_network(spec).map(|network| NetworkingConfig {
            endpoints_config: Some(HashMap::from([(network.to_owned(), endpoint(aliases))])),
        }),
        host_config: Some(HostConfig {
            port_bindings: Some(bindings(&spec.ports)),
            binds: Some(spec.volumes.iter().map(bind).collect()),
            mounts: Some(secret_files(container, spec)),
            restart_policy: Some(RestartPolicy {
                name: Some(restart(spec.restart)),
                maximum_retry_count: None,
            }),
            nano_cpus: spec.cpu_millis.map(|millis| clamped(millis.saturating_mul(1_000_000))),
            memory: spec.memory.map(clamped),
            network_mode: spec.networks.first().cloned(),
            ..Default::default()
        }),
        ..Default::default()
    })
}

/// Whether the values of all secrets are known.
pub(super) fn has_secrets(cx: &Context, spec: &ContainerSpec) -> bool {
    spec.secrets.values().all(|secret| cx.secret(&secret.name).is_ok())
}

/// Variables, with those that are secret.
fn env(cx: &Context, spec: &ContainerSpec) -> Result<Vec<String>, Failure> {
    let mut env: Vec<_> = spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for (target, secret) in &spec.secrets {
        if files::is_file(target) {
            continue;
        }
        env.push(format!("{target}={}", cx.secret(&secret.name)?.expose()));
    }
    Ok(env)
}

/// The files of secrets. The engine starts no container whose files are gone, which with binds it would: with empty
/// folders in their places.
fn secret_files(container: &str, spec: &ContainerSpec) -> Vec<Mount> {
    let mount = |(number, (target, _)): (usize, (&String, _))| Mount {
        target: Some(target.clone()),
        source: Some(files::path(container, number)),
        typ: Some(MountType::BIND),
        read_only: Some(true),
        ..Default::default()
    };
    files::of(spec).enumerate().map(mount).collect()
}

/// Networks that are made for the project, as opposed to those that every engine has.
pub(super) fn own_networks(spec: &ContainerSpec) -> impl Iterator<Item = &str> {
    let built_in = |name: &str| matches!(name, "host" | "none" | "bridge");
    spec.networks.iter().map(String::as_str).filter(move |name| !built_in(name))
}

/// The own network that the container is made in, if it is made in one.
fn main_network(spec: &ContainerSpec) -> Option<&str> {
    own_networks(spec).next()
}

/// The networks that the container joins once it is made.
pub(super) fn further_networks(spec: &ContainerSpec) -> impl Iterator<Item = &str> {
    own_networks(spec).skip(1)
}

/// What an instance is known by in its networks: by its service's name, and by its own. Engines do the latter anyway; but on a node of a
/// swarm they forget it where a container gets another name while it runs, as one does that has proved to serve.
pub(super) fn aliases(request: &Start) -> [&str; 2] {
    [&request.instance.service, &request.container]
}

/// How a container is known in a network: by these names beside its own.
pub(super) fn endpoint(aliases: &[&str]) -> EndpointSettings {
    let aliases: Vec<_> = aliases.iter().map(|&alias| alias.to_owned()).collect();
    EndpointSettings { aliases: Some(aliases).filter(|aliases| !aliases.is_empty()), ..Default::default() }
}

fn container_port(port: &Port) -> String {
    let protocol = match port.protocol {
        cloudpad_plugin_api::model::Protocol::Tcp => "tcp",
        cloudpad_plugin_api::model::Protocol::Udp => "udp",
    };
    format!("{}/{protocol}", port.target)
}

fn bindings(ports: &[Port]) -> PortMap {
    let mut map = PortMap::new();
    for port in ports {
        let binding =
            PortBinding { host_ip: port.host_ip.clone(), host_port: Some(port.published.to_string()) };
        map.entry(container_port(port)).or_default().get_or_insert_default().push(binding);
    }
    map
}

fn bind(volume: &Volume) -> String {
    let mode = if volume.read_only { ":ro" } else { "" };
    format!("{}:{}{mode}", volume.source, volume.target)
}

/// With the engine's own `always`, its next start would bring back every container that was stopped
/// because a newer one took its place; that is all in which the two differ.
fn restart(restart: Restart) -> RestartPolicyNameEnum {
    match restart {
        Restart::No => RestartPolicyNameEnum::NO,
        Restart::UnlessStopped | Restart::Always => RestartPolicyNameEnum::UNLESS_STOPPED,
        Restart::OnFailure => RestartPolicyNameEnum::ON_FAILURE,
    }
}

/// Only a command is the engine's business; for every other check the image's own is left as it is.
fn health(health: &Health) -> Option<HealthConfig> {
    let Check::Command { command } = &health.check else { return None };
    let test = std::iter::once("CMD".to_owned()).chain(command.iter().cloned());
    Some(HealthConfig {
        test: Some(test.collect()),
        interval: Some(nanoseconds(health.interval_ms)),
        timeout: Some(nanoseconds(health.timeout_ms)),
        retries: Some(i64::from(health.retries)),
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
mod tests {
    use std::sync::Arc;

    use cloudpad_plugin_api::model::{Host, Instance, Project, Protocol, SecretRef, label};
    use cloudpad_plugin_api::stage::secrets::Values;
    use cloudpad_plugin_api::{Cancel, Secret};

    use super::*;

    fn request(spec: ContainerSpec) -> Start {
        Start {
            host: Host::new("h", Host::LOCAL).into(),
            project: Project { name: "shop".into(), environment: Some("staging".into()) }.into(),
            instance: Instance { service: "web".into(), number: 2 },
            release: "r1".into(),
            container: "shop-staging-web-2-abc".into(),
            spec_id: "abc".into(),
            spec: spec.into(),
        }
    }

    fn context(secrets: &[(&str, &str)]) -> Context {
        let secret = |(name, value): &(&str, &str)| (name.to_string(), Secret::from(value.to_string()));
        let cx = Context::new(serde_json::Value::Null, Arc::new(|_| {}), Cancel::new());
        cx.with_secrets(Values(secrets.iter().map(secret).collect()))
    }

    fn body(spec: ContainerSpec) -> ContainerCreateBody {
        create_body(&context(&[]), &request(spec)).unwrap()
    }

    #[test]
    fn labels_say_whose_it_is_and_cannot_be_overridden() {
        let spec = ContainerSpec {
            labels: [(label::PROJECT.to_owned(), "evil".to_owned()), ("a".to_owned(), "b".to_owned())].into(),
            ..Default::default()
        };
        let labels = body(spec.clone()).labels.unwrap();
        let expected = [
            ("a", "b"),
            (label::PROJECT, "shop"),
            (label::ENVIRONMENT, "staging"),
            (label::SERVICE, "web"),
            (label::INSTANCE, "2"),
            (label::RELEASE, "r1"),
            (label::SPEC_ID, "abc"),
        ];
        for (key, value) in expected {
            assert_eq!(labels[key], value, "{key}");
        }
        assert_eq!(serde_json::from_str::<ContainerSpec>(&labels[label::SPEC]).unwrap(), spec);
    }

    #[test]
    fn a_one_off_container_is_no_instance_of_the_service() {
        let spec = ContainerSpec {
            restart: Restart::Always,
            networks: vec!["shop".into()],
            labels: [(label::SERVICE.to_owned(), "web".to_owned()), ("a".to_owned(), "b".to_owned())].into(),
            ..Default::default()
        };
        let start = request(spec);
        let labels = [("cloudpad.job", "migrate"), (label::INSTANCE, "1"), (label::PROJECT, "evil")];
        let run = Run {
            host: start.host,
            project: start.project,
            release: "r1".into(),
            container: "shop.staging-migrate".into(),
            labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            spec: start.spec.clone(),
            timeout_ms: None,
            keep: false,
            tty: None,
            stream: None,
        };
        let made = run_body(&context(&[]), &run).unwrap();
        let host = made.host_config.unwrap();
        assert_eq!(host.restart_policy.unwrap().name, Some(RestartPolicyNameEnum::NO));
        let endpoints = made.networking_config.unwrap().endpoints_config.unwrap();
        assert_eq!(endpoints["shop"].aliases, None, "its requests are not this container's");
        let labels = made.labels.unwrap();
        assert_eq!(serde_json::from_str::<ContainerSpec>(&labels[label::SPEC]).unwrap(), *start.spec);
        let mut told: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        told.retain(|label| !label.starts_with("cloudpad.spec="));
        told.sort();
        let expected = [
            "a=b",
            "cloudpad.environment=staging",
            "cloudpad.job=migrate",
            "cloudpad.one-off=true",
            "cloudpad.project=shop",
            "cloudpad.release=r1",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn one_container_port_may_have_several_of_the_host() {
        let port = |ip: Option<&str>, published, protocol| Port {
            host_ip: ip.map(Into::into),
            published,
            target: 80,
            protocol,
        };
        let ports = vec![
            port(None, 8080, Protocol::Tcp),
            port(Some("127.0.0.1"), 8081, Protocol::Tcp),
            port(None, 53, Protocol::Udp),
        ];
        let map =
            body(ContainerSpec { ports, ..Default::default() }).host_config.unwrap().port_bindings.unwrap();
        let hosts = |key: &str| {
            let bindings = map[key].as_ref().unwrap().iter();
            bindings.map(|b| (b.host_ip.clone(), b.host_port.clone().unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(hosts("80/tcp"), [(None, "8080".into()), (Some("127.0.0.1".into()), "8081".into())]);
        assert_eq!(hosts("80/udp"), [(None, "53".into())]);
    }

    #[test]
    fn limits_volumes_and_policy_are_passed_on() {
        let volume =
            |source: &str, read_only| Volume { source: source.into(), target: "/d".into(), read_only };
        let spec = ContainerSpec {
            volumes: vec![volume("data", false), volume("/srv", true)],
            cpu_millis: Some(1500),
            memory: Some(1 << 20),
            restart: Restart::OnFailure,
            ..Default::default()
        };
        let host = body(spec).host_config.unwrap();
        assert_eq!(host.binds.unwrap(), ["data:/d", "/srv:/d:ro"]);
        assert_eq!((host.nano_cpus, host.memory), (Some(1_500_000_000), Some(1 << 20)));
        assert_eq!(host.restart_policy.unwrap().name, Some(RestartPolicyNameEnum::ON_FAILURE));
    }

    #[test]
    fn only_a_command_becomes_the_engines_healthcheck() {
        let with = |check| ContainerSpec {
            health: Some(Health { check, interval_ms: 500, timeout_ms: 250, retries: 3 }),
            ..Default::default()
        };
        assert_eq!(body(with(Check::Tcp { port: 80 })).healthcheck, None);
        assert_eq!(body(with(Check::Image)).healthcheck, None);
        let check = body(with(Check::Command { command: vec!["true".into()] })).healthcheck.unwrap();
        assert_eq!(check.test.unwrap(), ["CMD", "true"]);
        assert_eq!(
            (check.interval, check.timeout, check.retries),
            (Some(500_000_000), Some(250_000_000), Some(3))
        );
    }

    #[test]
    fn service_and_name_are_aliases_in_own_networks_only() {
        let with = |networks: &[&str]| ContainerSpec {
            networks: networks.iter().map(|n| (*n).to_owned()).collect(),
            ..Default::default()
        };
        let own = body(with(&["shop", "back"]));
        let endpoints = own.networking_config.unwrap().endpoints_config.unwrap();
        let aliases = endpoints["shop"].aliases.clone().unwrap();
        assert_eq!(aliases, ["web", &request(ContainerSpec::default()).container]);
        assert_eq!(endpoints.len(), 1, "the engine takes one network; the others are joined later");
        assert_eq!(further_networks(&with(&["shop", "back"])).collect::<Vec<_>>(), ["back"]);
        let host = body(with(&["host"]));
        assert_eq!(host.networking_config, None);
        assert_eq!(host.host_config.unwrap().network_mode.as_deref(), Some("host"));
    }

    #[test]
    fn values_of_secrets_are_variables_and_in_no_label() {
        let secret = SecretRef { name: "db".into(), mark: "0a1b2c3d".into(), ..Default::default() };
        let with = |target: &str| {
            let secrets = [(target.to_owned(), secret.clone())].into();
            request(ContainerSpec { secrets, env: [("A".into(), "1".into())].into(), ..Default::default() })
        };
        let made = create_body(&context(&[("db", "s3cr3t")]), &with("DB")).unwrap();
        assert_eq!(made.env.unwrap(), ["A=1", "DB=s3cr3t"]);
        let labels = made.labels.unwrap();
        assert!(labels[label::SPEC].contains("0a1b2c3d"), "{labels:?}");
        assert!(!format!("{labels:?}").contains("s3cr3t"), "{labels:?}");
        let lacking = create_body(&context(&[]), &with("DB")).unwrap_err();
        assert_eq!(lacking.message, "the value of secret `db` was not sent");
        let as_file = create_body(&context(&[("db", "s3cr3t")]), &with("/run/db")).unwrap();
        assert!(!format!("{as_file:?}").contains("s3cr3t"), "{as_file:?}");
        let mounts = as_file.host_config.unwrap().mounts.unwrap();
        let source = "/run/cloudpad/secrets/shop-staging-web-2-abc/0";
        assert_eq!((mounts[0].source.as_deref(), mounts[0].read_only), (Some(source), Some(true)));
    }
}
