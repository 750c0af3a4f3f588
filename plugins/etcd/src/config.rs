//! The table `[stages.inventory.config]`. Pure.

use std::time::Duration;

use cloudpad_plugin_api::{Context, Failure};
use serde::Deserialize;

/// Where keys begin when nobody says it.
const PREFIX: &str = "/cloudpad/hosts/";
/// How long each request may take, in seconds, when nobody says it.
const TIMEOUT: u32 = 5;
/// Where the password is when nobody says it: where `etcdctl` looks.
const PASSWORD: &str = "ETCDCTL_PASSWORD";

/// What the table may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// `http[s]://HOST:PORT` of each member.
    pub endpoints: Vec<String>,
    prefix: Option<String>,
    publish: Option<String>,
    /// Files, in PEM: who signs the members' certificates, our own certificate and its key.
    pub ca: Option<String>,
    pub cert: Option<String>,
    pub key: Option<String>,
    pub user: Option<String>,
    password_env: Option<String>,
    timeout: Option<u32>,
}

impl Config {
    /// The configuration of a call.
    ///
    /// # Errors
    /// `invalid`, saying what is wrong with it.
    pub fn of(cx: &Context) -> Result<Self, Failure> {
        let config: Self = cx.config()?;
        config.check().map(|()| config)
    }

    fn check(&self) -> Result<(), Failure> {
        if self.endpoints.is_empty() {
            return Err(Failure::invalid("`endpoints` is missing: where the members of the cluster are")
                .hint("for one, `config = { endpoints = [\"https://etcd-1.example.com:2379\"] }`"));
        }
        self.endpoints.iter().try_for_each(|endpoint| check_endpoint(endpoint))?;
        if self.cert.is_some() != self.key.is_some() {
            return Err(Failure::invalid("`cert` and `key` belong together: one of them is missing"));
        }
        let has_tls = self.ca.is_some() || self.cert.is_some();
        if let Some(plain) = self.endpoints.iter().find(|e| has_tls && e.starts_with("http:")) {
            return Err(Failure::invalid(format!(
                "`ca`, `cert` and `key` are for TLS, and `{plain}` is without"
            ))
            .hint("write `https://`"));
        }
        if self.password_env.is_some() && self.user.is_none() {
            return Err(Failure::invalid("`password_env` is there, and no `user`"));
        }
        if let Some(publish) = self
            .publish()
            .filter(|publish| self.prefix().starts_with(publish) || publish.starts_with(&self.prefix()))
        {
            let hosts = self.prefix();
            return Err(Failure::invalid(format!(
                "`publish` is `{publish}`, and hosts are below `{hosts}`: one is within the other"
            ))
            .hint("what is told of instances would be taken for hosts; write another prefix"));
        }
        if self.timeout == Some(0) {
            return Err(Failure::invalid("`timeout` is 0: it is the seconds that each request may take"));
        }
        Ok(())
    }

    /// What all keys begin with; it ends with `/`.
    pub fn prefix(&self) -> String {
        folder(self.prefix.as_deref().unwrap_or(PREFIX))
    }

    /// What the keys begin with that tell where instances are, if that is told; it ends with `/`.
    pub fn publish(&self) -> Option<String> {
        self.publish.as_deref().map(folder)
    }

    /// How long each request may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.unwrap_or(TIMEOUT).into())
    }

    /// The name of the variable with the password.
    pub fn password_env(&self) -> &str {
        self.password_env.as_deref().unwrap_or(PASSWORD)
    }
}

/// A prefix that ends with `/`.
fn folder(prefix: &str) -> String {
    if prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") }
}

fn check_endpoint(endpoint: &str) -> Result<(), Failure> {
    let rest = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
    let invalid = |why: &str| {
        Err(Failure::invalid(format!("endpoint `{endpoint}` {why}"))
            .hint("an endpoint is `http://HOST:PORT` or `https://HOST:PORT`"))
    };
    match rest {
        None => invalid("does not begin with `http://` or `https://`"),
        Some(rest) if rest.contains('@') => {
            invalid("has a user: that is `user`, and its password a variable")
        }
        Some(rest) if rest.trim_end_matches('/').contains(['/', '?', '#']) => {
            invalid("has more than a host and a port")
        }
        Some(rest) if rest.trim_end_matches('/').is_empty() || rest.contains(char::is_whitespace) => {
            invalid("has no host")
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(config: Value) -> Result<Config, String> {
        let config: Config = serde_json::from_value(config).map_err(|error| error.to_string())?;
        config.check().map(|()| config).map_err(|failure| failure.message)
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let end = json!(["https://e:2379"]);
        for (config, words) in [
            (json!({}), "`endpoints` is missing"),
            (json!({ "endpoints": ["e:2379"] }), "does not begin with"),
            (json!({ "endpoints": ["http://"] }), "has no host"),
            (json!({ "endpoints": ["http://a b"] }), "has no host"),
            (json!({ "endpoints": ["http://me:pw@e"] }), "has a user"),
            (json!({ "endpoints": ["http://e:1/v3"] }), "has more than"),
            (json!({ "endpoints": end, "cert": "c" }), "belong together"),
            (json!({ "endpoints": ["https://e", "http://f"], "ca": "c" }), "`http://f` is without"),
            (json!({ "endpoints": end, "password_env": "P" }), "no `user`"),
            (json!({ "endpoints": end, "timeout": 0 }), "`timeout` is 0"),
            (json!({ "endpoints": end, "publish": "/cloudpad" }), "one is within the other"),
            (json!({ "endpoints": end, "publish": "/a/b", "prefix": "/a" }), "one is within the other"),
            (json!({ "endpoints": end, "password": "x" }), "unknown field `password`"),
        ] {
            let why = read(config.clone()).unwrap_err();
            assert!(why.contains(words), "{config}: {why}");
        }
    }

    #[test]
    fn a_prefix_ends_with_a_slash() {
        for (prefix, read_as) in [(json!(null), PREFIX), (json!("/a"), "/a/"), (json!("a/"), "a/")] {
            let config = read(json!({ "endpoints": ["http://e:2379/"], "prefix": prefix })).unwrap();
            assert_eq!(config.prefix(), read_as);
        }
    }
}
