//! What things of a project are called in a swarm. Pure.
//!
//! Names of services and networks have no dots there, and those of a project no `_`, so that joins them.

use cloudpad_plugin_api::model::{Project, SecretRef, label};
use sha2::{Digest, Sha256};

/// On a service: what it was applied as, as JSON.
pub(crate) const SERVICE: &str = "cloudpad.service-spec";

/// On a service: from where nodes have its image.
pub(crate) const IMAGE: &str = "cloudpad.service-image";

/// The label that makes a node one of a role.
pub(crate) const ROLE: &str = "cloudpad.role.";

/// The longest name of a service.
pub(crate) const LONGEST: usize = 63;

/// The engine's name of a service.
pub(crate) fn service(project: &Project, name: &str) -> String {
    format!("{}_{name}", network(&project.prefix()))
}

/// The engine's name of a network.
pub(crate) fn network(name: &str) -> String {
    name.replace('.', "_")
}

/// The engine's name of a secret: another value has another one. What is too long for an engine is cut, as nobody reads it.
pub(crate) fn secret(project: &Project, secret: &SecretRef) -> String {
    let whole = format!("{}.{}", project.prefix(), secret.name);
    format!("cloudpad.{}.{}", digest(whole.as_bytes()), secret.mark)
}

/// The engine's name of a release's record.
pub(crate) fn record(project: &Project, release: &str) -> String {
    format!("{}..{release}", project.prefix())
}

/// What all that is the project's has as labels.
pub(crate) fn labels(project: &Project) -> [(String, String); 2] {
    let environment = project.environment.clone().unwrap_or_default();
    [(label::PROJECT.to_owned(), project.name.clone()), (label::ENVIRONMENT.to_owned(), environment)]
}

/// What finds all that is the project's.
pub(crate) fn filter(project: &Project) -> [(String, Vec<String>); 1] {
    let labels = labels(project);
    [("label".to_owned(), labels.iter().map(|(key, value)| format!("{key}={value}")).collect())]
}

/// The first 12 hex digits of the SHA-256.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
