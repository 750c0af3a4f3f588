//! What a config needs of this machine, and of hosts. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Stage;
use cloudpad_plugin_api::model::{Health, Host};
use cloudpad_plugin_api::stage::source::Location;
use serde_json::Value;

use crate::config::{Config, Image};

/// What is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Programs, and for what.
    pub programs: BTreeMap<String, String>,
    /// Files of the project, and for what.
    pub files: BTreeMap<String, String>,
    /// Whether images are built by this machine's engine.
    pub builds: bool,
    /// Whether hosts are logged in to.
    pub ssh: bool,
    /// The registry to which images are pushed.
    pub registry: Option<String>,
    /// The ports of the proxy, where there are routes.
    pub ports: Vec<u16>,
    /// Whether containers are asked through the host whether they serve.
    pub connects: bool,
}

impl Needs {
    /// Those of a config with these hosts.
    pub fn of<'a>(config: &Config, hosts: impl IntoIterator<Item = &'a Host>) -> Self {
        let provider = |stage| config.stages.get(&stage).and_then(|choice| choice.provider.as_deref());
        let own = |stage| config.stages.get(&stage).map_or(&Value::Null, |choice| &choice.config);
        let is_built = |image: &Image| matches!(image, Image::Built(_));
        let ssh = hosts.into_iter().any(|host| !host.is_local());
        let has_route = config.services.values().any(|service| service.route.is_some());
        let proxy = &config.proxy.made;
        let registry =
            (provider(Stage::Push) == Some("registry")).then(|| own(Stage::Push)["registry"].as_str());
        let health = config.services.values().filter_map(|service| service.health.as_ref());
        let mut needs = Self {
            programs: BTreeMap::new(),
            files: BTreeMap::new(),
            builds: provider(Stage::Build) == Some("docker") && config.images.values().any(is_built),
            ssh,
            registry: registry.flatten().map(str::to_owned),
            ports: if has_route { vec![proxy.http_port, proxy.https_port] } else { Vec::new() },
            connects: health.into_iter().any(Health::needs_connection),
        };
        for (name, source) in &config.sources {
            if let Location::Git { url, .. } = &source.location {
                needs.add("git", &format!("source `{name}`"));
                if is_over_ssh(url) {
                    needs.add("ssh", &format!("source `{name}`"));
                }
            }
        }
        if provider(Stage::Secrets) == Some("age") {
            needs.add("age", "secrets");
            let all = own(Stage::Secrets)["recipients"].as_array().into_iter().flatten();
            let files = all.filter_map(Value::as_str).filter(|recipient| !is_key(recipient));
            needs.files.extend(files.map(|file| (file.to_owned(), "recipients of secrets".to_owned())));
        }
        for stage in [Stage::Inventory, Stage::Secrets] {
            let program = own(stage)["command"].get(0).and_then(Value::as_str);
            if let (Some("command"), Some(program)) = (provider(stage), program) {
                needs.add(program, &format!("stage `{stage}`"));
            }
        }
        needs
    }

    fn add(&mut self, program: &str, what: &str) {
        self.programs.entry(program.to_owned()).or_insert_with(|| what.to_owned());
    }
}

/// Whether one for whom secrets are encrypted is named by a key itself, and not by a file of such.
fn is_key(recipient: &str) -> bool {
    recipient.starts_with("age1") || recipient.starts_with("ssh-")
}

/// Whether git asks `ssh` for a repository, by the two forms that such an address has.
fn is_over_ssh(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) => scheme.ends_with("ssh"),
        None => url.split_once(':').is_some_and(|(host, _)| !host.contains('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::is_over_ssh;

    #[test]
    fn repositories_over_ssh_are_known_by_their_addresses() {
        for over in ["git@git.example.com:a/b.git", "ssh://git@git.example.com/a", "git+ssh://h/a", "h:a"] {
            assert!(is_over_ssh(over), "{over}");
        }
        for other in ["https://git.example.com/a.git", "file:///srv/a", "/srv/a:b", "../a"] {
            assert!(!is_over_ssh(other), "{other}");
        }
    }
}
