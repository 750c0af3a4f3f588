//! With which credentials a registry is asked. Reads Docker's configuration.

use std::path::PathBuf;

use bollard::auth::DockerCredentials;
use cloudpad_plugin_api::Failure;
use serde_json::Value;

use crate::{Reference, credentials};

/// The user's credentials for a registry.
pub struct Access {
    /// As the engine takes them; empty where there are none.
    pub credentials: DockerCredentials,
    /// Whose they are and where they are kept, in words that follow "was asked".
    pub who: String,
}

impl Access {
    /// What Docker's configuration has for the registry of `reference`.
    ///
    /// # Errors
    /// `failed` when the configuration or a credential helper is broken.
    pub async fn to(reference: &Reference) -> Result<Self, Failure> {
        let credentials = credentials::for_engine(reference).await?;
        let Some(credentials) = credentials else {
            let who = "without credentials: Docker's configuration has none for it".to_owned();
            return Ok(Self { credentials: DockerCredentials::default(), who });
        };
        let store = read().and_then(|config| store(&config, &reference.registry));
        let from = store.map_or(String::new(), |store| format!(", from {store}"));
        let who = match &credentials.username {
            Some(user) => format!("as user `{user}`{from}"),
            None => format!("with an identity token{from}"),
        };
        Ok(Self { credentials, who })
    }
}

fn read() -> Option<Value> {
    let folder = match std::env::var_os("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".docker"),
    };
    serde_json::from_slice(&std::fs::read(folder.join("config.json")).ok()?).ok()
}

/// Where `config.json` keeps the credentials for `registry`: a helper for this registry comes first, then
/// the file itself, then the store for all.
fn store(config: &Value, registry: &str) -> Option<String> {
    let helper = |name: &Value| name.as_str().map(|name| format!("`docker-credential-{name}`"));
    let in_file = ["auth", "identitytoken", "username"].map(|key| &config["auths"][registry][key]);
    helper(&config["credHelpers"][registry])
        .or_else(|| in_file.iter().any(|value| value.is_string()).then(|| "`config.json`".to_owned()))
        .or_else(|| helper(&config["credsStore"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_nearest_store_is_named() {
        let all = json!({
            "credHelpers": { "a.io": "one" },
            "auths": { "a.io": { "auth": "x" }, "b.io": { "auth": "x" }, "c.io": {} },
            "credsStore": "all",
        });
        let named = |registry| store(&all, registry).unwrap();
        assert_eq!(named("a.io"), "`docker-credential-one`");
        assert_eq!(named("b.io"), "`config.json`");
        assert_eq!(named("c.io"), "`docker-credential-all`");
        assert_eq!(store(&json!({}), "a.io"), None);
    }
}
