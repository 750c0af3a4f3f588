//! What things of a project are called in a swarm. Pure, with the maps of the engine's client.
//!
//! Names of services and networks have no dots there, so `_` joins them. Some of a project have `_` already, so two may come to the same;
//! whose something is tell its labels.

use std::collections::HashMap;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::{Project, SecretRef, label};
use sha2::{Digest, Sha256};

/// On a service: what it was applied as, as JSON.
pub(crate) const SERVICE: &str = "cloudpad.service-spec";

/// On a service: from where nodes have its image.
pub(crate) const IMAGE: &str = "cloudpad.service-image";

/// On what `docker stack deploy` makes: of which stack it is.
const STACK: &str = "com.docker.stack.namespace";

/// The label that makes a node one of a role.
pub(crate) const ROLE: &str = "cloudpad.role.";

/// The longest name of a service.
pub(crate) const LONGEST: usize = 63;

/// The engine's name of a service.
pub(crate) fn service(project: &Project, name: &str) -> String {
    format!("{}_{name}", network(&project.prefix()))
}

/// What a service of the project that the engine calls so would be called; none where none would.
pub(crate) fn of_service<'a>(project: &Project, name: &'a str) -> Option<&'a str> {
    name.strip_prefix(&network(&project.prefix()))?.strip_prefix('_')
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

/// Of which project something is by its labels, where that is another one; none where it is no project's.
pub(crate) fn of_other(labels: Option<&HashMap<String, String>>, project: &Project) -> Option<String> {
    let label = |name| labels?.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let (name, environment) = (label(label::PROJECT)?, label(label::ENVIRONMENT));
    if name == project.name && environment == project.environment.as_deref() {
        return None;
    }
    let environment = environment.map(|environment| format!(" in environment `{environment}`"));
    Some(format!("project `{name}`{}", environment.unwrap_or_default()))
}

/// Whose a service is by its labels, where that is not the project.
pub(crate) fn owner(labels: Option<&HashMap<String, String>>, project: &Project) -> Option<String> {
    let label = |name: &str| labels?.get(name).filter(|value| !value.is_empty());
    if label(label::PROJECT).is_some() {
        return of_other(labels, project);
    }
    let stack = label(STACK).map(|stack| format!("stack `{stack}`"));
    Some(stack.unwrap_or_else(|| "somebody who has made it without Cloudpad".to_owned()))
}

/// What is refused as it is another project's, by its name.
pub(crate) fn taken(what: &str, name: &str, owner: &str) -> Failure {
    Failure::failed(format!("the swarm has a {what} `{name}`, which is of {owner}"))
        .hint("give yours another name, or remove what is there; a swarm has `_` where names are joined, so two may come to the same")
}

/// What finds all that is the project's, and more: an engine takes a label without a value for one with any. [`is_ours`] tells them apart.
pub(crate) fn filter(project: &Project) -> HashMap<String, Vec<String>> {
    let labels = labels(project);
    [("label".to_owned(), labels.iter().map(|(key, value)| format!("{key}={value}")).collect())].into()
}

/// Whether something is the project's by its labels, and of its environment.
pub(crate) fn is_ours(labels: Option<&HashMap<String, String>>, project: &Project) -> bool {
    owner(labels, project).is_none()
}

/// The first 12 hex digits of the SHA-256.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_to_the_same_name_is_told_apart_by_its_labels() {
        let project = |name: &str, environment: Option<&str>| Project {
            name: name.to_owned(),
            environment: environment.map(str::to_owned),
        };
        let (plain, folded) = (project("shop_a", None), project("shop", Some("a")));
        let outside = project("shop", None);
        assert_eq!(service(&plain, "b"), service(&folded, "b"));
        let labels = |project| HashMap::from(super::labels(project));
        let of_other = |labels: &HashMap<_, _>, project| of_other(Some(labels), project);
        assert_eq!(of_other(&labels(&folded), &plain).unwrap(), "project `shop` in environment `a`");
        assert_eq!(of_other(&labels(&plain), &folded).unwrap(), "project `shop_a`");
        assert_eq!(of_other(&labels(&folded), &outside).unwrap(), "project `shop` in environment `a`");
        for project in [&plain, &folded] {
            assert_eq!(of_other(&labels(project), project), None);
            // A network that somebody has made by hand may be meant; a service never is.
            assert_eq!(of_other(&HashMap::new(), project), None);
            assert_eq!(owner(None, project).unwrap(), "somebody who has made it without Cloudpad");
            let stack = HashMap::from([(STACK.to_owned(), "shop".to_owned())]);
            assert_eq!(owner(Some(&stack), project).unwrap(), "stack `shop`");
            assert_eq!(of_service(project, &service(project, "b")), Some("b"));
        }
        assert_eq!(owner(Some(&labels(&plain)), &plain), None);
        assert!(
            is_ours(Some(&labels(&folded)), &folded)
                && !is_ours(Some(&labels(&folded)), &project("shop", None))
        );
        assert_eq!(owner(Some(&labels(&folded)), &plain).unwrap(), "project `shop` in environment `a`");
        assert_eq!(of_service(&plain, "shop_ab"), None);
    }
}
