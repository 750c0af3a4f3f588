//! Whether a service is still what it was applied as, by all that the manager has of it. Pure, with the maps of the engine's client.
//!
//! What was applied is written on the service, so what the engine was asked for then can be made again. Values of secrets are not
//! known here, and networks and secrets have ids that only the engine knows: of secrets the names are compared, of networks how many
//! there are. What an engine fills in by itself is nothing that somebody has changed.

use std::collections::HashMap;

use bollard::models::{EndpointSpec, ServiceSpec, TaskSpec};
use cloudpad_plugin_api::model::Project;
use cloudpad_plugin_api::stage::cluster::{Scale, Service};
use serde_json::{Value, json};

use crate::spec;

/// Whether nobody has changed what instances are, and how many.
pub(crate) fn is_as_applied(spec: &ServiceSpec, project: &Project, service: &Service, image: &str) -> bool {
    let asked = spec::task(&|_| Ok(String::new()), project, service, image, &HashMap::new());
    let (Ok(asked), Some(task), Some(endpoint)) = (asked, &spec.task_template, &spec.endpoint_spec) else {
        return false;
    };
    let endpoint_asked = spec::endpoint(service);
    has(spec, service.scale) && shape(&asked, &endpoint_asked, service) == shape(task, endpoint, service)
}

fn has(spec: &ServiceSpec, scale: Scale) -> bool {
    let replicas = spec.mode.as_ref().and_then(|mode| mode.replicated.as_ref()?.replicas);
    match scale {
        Scale::Replicas(count) => replicas == Some(i64::from(count)),
        Scale::PerNode(_) => replicas.is_none(),
    }
}

/// What is compared.
fn shape(task: &TaskSpec, endpoint: &EndpointSpec, service: &Service) -> Value {
    let mut container = json!(task.container_spec);
    if let Some(env) = container["Env"].as_array_mut() {
        env.iter_mut().for_each(|line| without_value(line, service));
        env.sort_by_key(Value::to_string);
    }
    for secret in container["Secrets"].as_array_mut().into_iter().flatten() {
        secret["SecretID"] = Value::Null;
    }
    // On Linux there is no other, and managers say so or not.
    container["Isolation"] = Value::Null;
    // Managers write this in another way than the API's description, so the client does not read it.
    container["HealthCheck"] = Value::Null;
    let networks = task.networks.as_ref().map_or(0, Vec::len);
    let whole = json!({
        "container": container,
        "limits": task.resources.as_ref().map(|resources| &resources.limits),
        "constraints": task.placement.as_ref().map(|placement| &placement.constraints),
        "restart": task.restart_policy.as_ref().map(|policy| policy.condition),
        "networks": networks,
        "ports": endpoint.ports,
    });
    filled(whole)
}

/// A variable that is a secret by its name alone.
fn without_value(line: &mut Value, service: &Service) {
    let name = line.as_str().and_then(|line| line.split_once('=')).map(|(name, _)| name.to_owned());
    if let Some(name) = name.filter(|name| service.spec.secrets.contains_key(name)) {
        *line = Value::String(name);
    }
}

/// What says something: to an engine, what is empty is as what is not there.
fn filled(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (key, filled(value)));
            Value::Object(fields.filter(|(_, value)| !is_empty(value)).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(filled).collect()),
        other => other,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_so) => !is_so,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloudpad_plugin_api::model::{Check, ContainerSpec, Health, Port, Protocol, SecretRef};
    use cloudpad_plugin_api::stage::cluster::{Order, Place, Update};

    use super::*;

    fn service() -> Service {
        let secret = |name: &str| SecretRef { name: name.to_owned(), ..SecretRef::default() };
        let spec = ContainerSpec {
            command: Some(vec!["serve".to_owned()]),
            env: [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "0".to_owned())].into(),
            secrets: [("TOKEN", "token"), ("/run/key", "key")]
                .map(|(at, name)| (at.to_owned(), secret(name)))
                .into(),
            networks: vec!["shop.default".to_owned()],
            ports: vec![Port { host_ip: None, published: 80, target: 8080, protocol: Protocol::Tcp }],
            memory: Some(1 << 20),
            health: Some(Health {
                check: Check::Command { command: vec!["true".to_owned()] },
                interval_ms: 500,
                timeout_ms: 500,
                retries: 3,
            }),
            stop_timeout: 10,
            ..ContainerSpec::default()
        };
        Service {
            name: "web".to_owned(),
            spec: Arc::new(spec),
            scale: Scale::Replicas(2),
            place: Place { roles: vec!["web".to_owned()], nodes: Vec::new() },
            update: Update {
                batch: 1,
                order: Order::StartFirst,
                settle_ms: 0,
                ready_within_ms: 1000,
                rollback: true,
            },
        }
    }

    #[test]
    fn a_variables_value_is_the_services_own_while_the_secret_is_the_same() {
        let told = json!({
            "Labels": { "cloudpad.service-spec": json!(service()).to_string() },
            "TaskTemplate": { "ContainerSpec": { "Env": ["TOKENS=no", "TOKEN=a=b", "B=0"] } },
        });
        let spec: ServiceSpec = serde_json::from_value(told).unwrap();
        let there = bollard::models::Service { spec: Some(spec), ..Default::default() };
        let value = |name: &str, mark: &str| {
            let secret = SecretRef { name: name.into(), mark: mark.into(), ..SecretRef::default() };
            crate::seen::value(&there, &secret)
        };
        assert_eq!(value("token", "").as_deref(), Some("a=b"));
        assert_eq!(value("token", "another"), None);
        assert_eq!(value("key", ""), None, "it is a file");
    }

    /// The service as a manager tells it.
    fn told() -> Value {
        json!({
            "Mode": { "Replicated": { "Replicas": 2 } },
            "EndpointSpec": { "Mode": "dnsrr", "Ports": [
                { "Protocol": "tcp", "TargetPort": 8080, "PublishedPort": 80, "PublishMode": "host" }
            ] },
            "TaskTemplate": {
                "ContainerSpec": {
                    "Image": "r/web@sha256:1",
                    "Labels": { "cloudpad.project": "shop", "cloudpad.environment": "", "cloudpad.service": "web" },
                    "Args": ["serve"], "Env": ["TOKEN=hush", "B=0", "A=1"],
                    "Healthcheck": { "Test": ["CMD", "true"], "Interval": 500_000_000 },
                    "StopGracePeriod": 10_000_000_000_i64, "DNSConfig": {}, "Isolation": "default",
                    "Secrets": [{
                        "File": { "Name": "/run/key", "UID": "0", "GID": "0", "Mode": 256 },
                        "SecretID": "abc", "SecretName": "SECRET",
                    }],
                },
                "Resources": { "Limits": { "MemoryBytes": 1_048_576 } },
                "RestartPolicy": { "Condition": "any", "MaxAttempts": 0 },
                "Placement": { "Constraints": ["node.labels.cloudpad.role.web==true"], "Platforms": [{ "OS": "linux" }] },
                "Networks": [{ "Target": "xyz", "Aliases": ["web"] }],
                "ForceUpdate": 1, "Runtime": "container",
            },
        })
    }

    fn is_so(change: impl FnOnce(&mut Value)) -> bool {
        let project = Project { name: "shop".to_owned(), environment: None };
        let mut told = told();
        let name = crate::names::secret(&project, &service().spec.secrets["/run/key"]);
        told["TaskTemplate"]["ContainerSpec"]["Secrets"][0]["SecretName"] = json!(name);
        change(&mut told);
        is_as_applied(&serde_json::from_value(told).unwrap(), &project, &service(), "r/web@sha256:1")
    }

    #[test]
    fn what_the_engine_fills_in_is_no_change() {
        assert!(is_so(|_| {}));
        assert!(is_so(|told| told["TaskTemplate"]["ContainerSpec"]["Mounts"] = json!([])));
    }

    #[test]
    fn whatever_somebody_changes_is_one() {
        let changes: [fn(&mut Value); 14] = [
            |told| told["Mode"]["Replicated"]["Replicas"] = json!(3),
            |told| told["EndpointSpec"]["Ports"][0]["PublishedPort"] = json!(81),
            |told| told["EndpointSpec"]["Ports"] = json!([]),
            |told| told["TaskTemplate"]["ContainerSpec"]["Image"] = json!("r/web@sha256:2"),
            |told| told["TaskTemplate"]["ContainerSpec"]["Args"] = json!(["serve", "-v"]),
            |told| told["TaskTemplate"]["ContainerSpec"]["Command"] = json!(["sh"]),
            |told| told["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["TOKEN=hush", "A=1", "B=2"]),
            |told| told["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["A=1", "B=0"]),
            |told| {
                told["TaskTemplate"]["ContainerSpec"]["Mounts"] =
                    json!([{ "Target": "/data", "Type": "volume" }])
            },
            |told| told["TaskTemplate"]["ContainerSpec"]["Secrets"] = json!([]),
            |told| told["TaskTemplate"]["Resources"] = json!({}),
            |told| told["TaskTemplate"]["Placement"]["Constraints"] = json!([]),
            |told| told["TaskTemplate"]["RestartPolicy"]["Condition"] = json!("none"),
            |told| told["TaskTemplate"]["Networks"] = json!([]),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert!(!is_so(change), "{number}");
        }
    }
}
