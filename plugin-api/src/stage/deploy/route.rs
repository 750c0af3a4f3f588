//! Routes: which HTTP requests a host's proxy leads to which containers. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lenient::{if_understood, or_empty};
use crate::model::{Host, Project, SecretRef};

/// The request `deploy.route`.
///
/// It is about one service's containers on one host, and about no others: what it does not name stays as it is, so
/// that those which come at the same time do not undo each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRoute {
    /// Where.
    pub host: Arc<Host>,
    /// Whose.
    pub project: Arc<Project>,
    /// The proxy that serves it, which is made where it is not there.
    pub proxy: Arc<Proxy>,
    /// The service that answers.
    pub service: String,
    /// Which requests it answers, and how; none when no request leads to the service any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Arc<Rule>>,
    /// Containers, by name, that get requests from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Containers, by name, that get no new ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// Milliseconds that those which are removed have at the most for the requests that they are answering.
    #[serde(default)]
    pub drain_ms: u64,
}

/// The proxy of a host, which all projects on it share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxy {
    /// The image it is made from.
    pub image: String,
    /// The host's port for HTTP.
    pub http_port: u16,
    /// The host's port for HTTPS.
    pub https_port: u16,
}

/// Which requests lead to a service, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The host names that requests are for, such as `shop.example.com` or `*.example.com`; none for all.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Only requests for this path and what is below it; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The port of the containers.
    pub port: u16,
    /// The containers' network by its name on the host, in which the proxy reaches them.
    pub network: String,
    /// How the proxy tells whether a container serves; none for not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<RouteHealth>,
    /// Whether and how it is spoken to by HTTPS.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Whether requests by HTTP are sent to HTTPS.
    #[serde(default)]
    pub redirect: bool,
    /// Milliseconds within which a container has to begin its answer; none for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// The largest body of a request in bytes; none for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_body: Option<u64>,
    /// Whether a client is led to the same container again, by a cookie.
    #[serde(default)]
    pub sticky: bool,
    /// Headers that every answer gets.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The page that is shown with status 503 in place of the service; none while it is in service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<String>,
}

/// How the proxy tells whether a container serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteHealth {
    /// `GET` of this path answers 2xx or 3xx.
    pub path: String,
    /// Milliseconds between two tries.
    pub interval_ms: u64,
    /// Milliseconds until a try counts as failed.
    pub timeout_ms: u64,
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Tls {
    /// The proxy gets it, by ACME.
    Auto,
    /// It is the project's own. The values of both come with the call.
    Own {
        /// The certificate with those that it depends on, in PEM.
        certificate: SecretRef,
        /// Its private key, in PEM.
        key: SecretRef,
    },
}

/// A host's proxy as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxySeen {
    /// What it was made as; none where there is none.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub made: Option<Proxy>,
    /// Whether it runs, and does what it was last asked.
    #[serde(default)]
    pub settled: bool,
    /// Whether it is there and does not run, or not all of it, so that nobody answers requests.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "std::ops::Not::not")]
    pub down: bool,
    /// The project's routes, by service.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteSeen>,
    /// What other projects have taken.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
}

impl ProxySeen {
    /// The route of a service.
    pub fn route(&self, service: &str) -> Option<&RouteSeen> {
        self.routes.iter().find(|route| route.service == service)
    }
}

/// A route of the project as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteSeen {
    /// The service.
    pub service: String,
    /// Its rule.
    pub rule: Arc<Rule>,
    /// The containers that get requests, by name, sorted.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<String>,
}

impl RouteSeen {
    /// The requests that lead to it.
    pub fn claim(&self) -> Claim {
        let (hosts, path) = (self.rule.hosts.clone(), self.rule.path.clone());
        Claim { project: String::new(), service: self.service.clone(), hosts, path }
    }
}

/// Requests that lead to a service of another project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Whose they are: [`Project::prefix`].
    pub project: String,
    /// The service.
    pub service: String,
    /// As in [`Rule::hosts`].
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// As in [`Rule::path`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Claim {
    /// A name and path that both this and a rule take; of names with `*` the very same. Capitals make no difference: to
    /// names they never do, and proxies do not tell paths by them.
    pub fn clashes(&self, rule: &Rule) -> Option<String> {
        fn path(path: Option<&String>) -> &str {
            path.map_or("", |path| path.trim_end_matches('/'))
        }
        let (own, others) = (path(rule.path.as_ref()), path(self.path.as_ref()));
        if own.to_lowercase() != others.to_lowercase() {
            return None;
        }
        let is_taken = |host: &&String| self.hosts.iter().any(|other| other.eq_ignore_ascii_case(host));
        let name = match (rule.hosts.is_empty(), self.hosts.is_empty()) {
            (true, true) => "every host name",
            _ => rule.hosts.iter().find(is_taken)?,
        };
        Some(format!("{name}{own}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(hosts: &[&str], path: Option<&str>) -> Rule {
        Rule {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            path: path.map(str::to_owned),
            port: 80,
            network: "shop".into(),
            health: None,
            tls: None,
            redirect: false,
            timeout_ms: None,
            max_body: None,
            sticky: false,
            headers: BTreeMap::new(),
            maintenance: None,
        }
    }

    #[test]
    fn what_two_rules_take_is_found() {
        let clash = |theirs: (&[&str], Option<&str>), own: (&[&str], Option<&str>)| {
            let Rule { hosts, path, .. } = rule(theirs.0, theirs.1);
            Claim { project: "a".into(), service: "web".into(), hosts, path }.clashes(&rule(own.0, own.1))
        };
        assert_eq!(clash((&["a.de", "b.de"], None), (&["b.de"], None)), Some("b.de".into()));
        assert_eq!(clash((&["a.de"], Some("/x/")), (&["a.de"], Some("/x"))), Some("a.de/x".into()));
        assert_eq!(clash((&["a.de"], Some("/Api")), (&["A.de"], Some("/api"))), Some("A.de/api".into()));
        assert_eq!(clash((&[], None), (&[], Some("/"))), Some("every host name".into()));
        assert_eq!(clash((&[], None), (&["a.de"], None)), None, "the name goes first");
        assert_eq!(clash((&["a.de"], None), (&["a.de"], Some("/x"))), None, "the longer path goes first");
        assert_eq!(clash((&["a.de"], None), (&["b.de"], None)), None);
    }
}
