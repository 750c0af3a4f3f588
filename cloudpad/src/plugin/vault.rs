//! The values of secrets while a run needs them. Pure.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use cloudpad_plugin_api::model::{Project, SecretRef};
use cloudpad_plugin_api::stage::deploy::Tls;
use cloudpad_plugin_api::stage::secrets::Values;
use cloudpad_plugin_api::{Request, Secret};
use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;

/// How often a mark is hashed, so that trying all likely values takes long.
const ROUNDS: u32 = 20_000;

/// Keeps values, and gives each to those requests only that name it.
pub struct Vault {
    salt: String,
    kept: RwLock<BTreeMap<String, Kept>>,
}

struct Kept {
    value: Secret,
    mark: String,
}

impl Vault {
    /// For the secrets of this project.
    pub fn new(project: &Project) -> Self {
        Self { salt: project.prefix(), kept: RwLock::default() }
    }

    /// Keeps these values.
    pub fn keep(&self, values: &Values) {
        let kept = values.0.iter().map(|(name, value)| {
            let mark = mark(&self.salt, name, value);
            (name.clone(), Kept { value: value.clone(), mark })
        });
        let kept: Vec<_> = kept.collect();
        self.kept.write().unwrap_or_else(PoisonError::into_inner).extend(kept);
    }

    /// What tells each value from others, by name.
    pub fn marks(&self) -> BTreeMap<String, String> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|(name, kept)| (name.clone(), kept.mark.clone())).collect()
    }

    /// The values that a request names, of those that are still what it was made for: an undo that makes a
    /// container again does not give it a value that it never had.
    pub fn values_for(&self, request: &Request) -> Values {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let named = secrets(request).into_iter().filter_map(|secret| {
            let kept = kept.get(&secret.name).filter(|kept| kept.mark == secret.mark)?;
            Some((secret.name.clone(), kept.value.clone()))
        });
        Values(named.collect())
    }
}

/// The secrets that a request names.
fn secrets(request: &Request) -> Vec<&SecretRef> {
    match request {
        Request::DeployStart(start) | Request::DeployCreate(start) => start.spec.secrets.values().collect(),
        Request::ClusterApply(apply) => apply.service.spec.secrets.values().collect(),
        Request::DeployRun(run) => run.spec.secrets.values().collect(),
        Request::DeployRoute(route) => match route.rule.as_ref().and_then(|rule| rule.tls.as_ref()) {
            Some(Tls::Own { certificate, key }) => vec![certificate, key],
            Some(Tls::Auto) | None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Eight hexadecimal digits: enough to tell that a value has changed, and too few to tell which of many likely values
/// it is. It is in plans, logs and the labels of containers.
fn mark(salt: &str, name: &str, value: &Secret) -> String {
    let mut digest = [0; 4];
    pbkdf2_hmac::<Sha256>(
        value.expose().as_bytes(),
        format!("{salt}\0{name}").as_bytes(),
        ROUNDS,
        &mut digest,
    );
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudpad_plugin_api::model::{ContainerSpec, Host, Instance, SecretRef};
    use cloudpad_plugin_api::stage::deploy::{Run, Start};

    fn vault(values: &[(&str, &str)]) -> Vault {
        let vault = Vault::new(&Project { name: "shop".into(), environment: None });
        let secret = |(name, value): &(&str, &str)| (name.to_string(), Secret::from(value.to_string()));
        vault.keep(&Values(values.iter().map(secret).collect()));
        vault
    }

    fn start(secrets: &[(&str, &str, &str)]) -> Request {
        let secret = |(target, name, mark): &(&str, &str, &str)| {
            (
                target.to_string(),
                SecretRef { name: name.to_string(), mark: mark.to_string(), ..Default::default() },
            )
        };
        let spec = ContainerSpec { secrets: secrets.iter().map(secret).collect(), ..Default::default() };
        Request::DeployStart(Start {
            host: Host::new("h1", Host::LOCAL).into(),
            project: Project { name: "shop".into(), environment: None }.into(),
            instance: Instance { service: "web".into(), number: 1 },
            release: "r1".into(),
            container: "c".into(),
            spec_id: "1".into(),
            spec: spec.into(),
        })
    }

    #[test]
    fn marks_tell_values_names_and_projects_apart() {
        let marks = vault(&[("a", "one"), ("b", "one"), ("c", "two")]).marks();
        assert!(marks["a"] != marks["b"] && marks["b"] != marks["c"], "{marks:?}");
        assert_eq!(marks["a"].len(), 8);
        assert_eq!(marks, vault(&[("a", "one"), ("b", "one"), ("c", "two")]).marks());
        let staging = Vault::new(&Project { name: "shop".into(), environment: Some("staging".into()) });
        staging.keep(&Values(BTreeMap::from([("a".into(), Secret::from("one".to_owned()))])));
        assert_ne!(staging.marks()["a"], marks["a"]);
    }

    #[test]
    fn a_request_gets_what_it_names_and_was_made_for() {
        let vault = vault(&[("a", "one"), ("b", "two"), ("c", "three")]);
        let marks = vault.marks();
        let request = start(&[("A", "a", &marks["a"]), ("B", "b", "another"), ("D", "d", "")]);
        let values = vault.values_for(&request);
        let values: Vec<_> = values.0.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(values, [("a", "one")]);
        let Request::DeployStart(Start { host, project, spec, .. }) = request else { panic!() };
        let (release, container) = (String::new(), "c".to_owned());
        let labels = BTreeMap::new();
        let run = Run {
            host,
            project,
            release,
            container,
            labels,
            spec,
            timeout_ms: None,
            keep: false,
            tty: None,
            stream: None,
        };
        assert_eq!(vault.values_for(&Request::DeployRun(run)).0.len(), 1, "a one-off container too");
    }
}
