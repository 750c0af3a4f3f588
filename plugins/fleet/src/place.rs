//! Where fleet may run a service: the section `[X-Fleet]`. Pure.
//!
//! A machine's roles, its name and its labels are what its fleetd was told as `metadata`: `role=web,name=m1,disk=ssd`. A key has
//! one value there, so a machine has one role.

use std::collections::BTreeMap;

use crate::unit::UnitOption;
use crate::wire::Machine;

/// The keys of the metadata that say what a machine is for and what it is called.
pub const ROLE: &str = "role";
/// See [`ROLE`].
pub const NAME: &str = "name";

/// Which machines a service may run on: those that meet all that is said here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// One of these roles; any where there is none.
    pub roles: Vec<String>,
    /// One of these names.
    pub nodes: Vec<String>,
    /// Each of these labels.
    pub labels: BTreeMap<String, String>,
}

impl Place {
    /// Keys with the values that are asked for: one of them for each key.
    fn pairs(&self) -> Vec<(&str, &str)> {
        let roles = self.roles.iter().map(|role| (ROLE, role.as_str()));
        let nodes = self.nodes.iter().map(|node| (NAME, node.as_str()));
        let labels = self.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        roles.chain(nodes).chain(labels).collect()
    }

    /// Whether a machine is one of them.
    pub fn has(&self, machine: &Machine) -> bool {
        let pairs = self.pairs();
        pairs.iter().all(|(key, _)| {
            pairs.iter().any(|(k, v)| k == key && machine.metadata.get(*key).is_some_and(|has| has == v))
        })
    }

    /// As options: lines of the same key are alternatives to fleet, those of different keys are not.
    pub fn options(&self) -> Vec<UnitOption> {
        let option = |(key, value): (&str, &str)| {
            UnitOption::new("X-Fleet", "MachineMetadata", format!("{key}={value}"))
        };
        self.pairs().into_iter().map(option).collect()
    }

    /// Which keys and values fleet could not be asked for: it ignores what it cannot read, and runs such a unit anywhere.
    pub fn odd(&self) -> Vec<String> {
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c))
        };
        let clashes =
            |key: &str| (key == ROLE && !self.roles.is_empty()) || (key == NAME && !self.nodes.is_empty());
        let twice = self
            .labels
            .keys()
            .filter(|key| clashes(key))
            .map(|key| format!("{key}=… beside the service's own"));
        let odd = self.pairs().into_iter().filter(|(key, value)| !is_word(key) || !is_word(value));
        odd.map(|(key, value)| format!("{key}={value}")).chain(twice).collect()
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pairs: Vec<String> = self.pairs().iter().map(|(key, value)| format!("`{key}={value}`")).collect();
        match pairs.is_empty() {
            true => f.write_str("any machine"),
            false => write!(f, "a machine with {}", pairs.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(metadata: &[(&str, &str)]) -> Machine {
        let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Machine { metadata, ..Machine::default() }
    }

    #[test]
    fn one_of_the_roles_and_each_label() {
        let place = Place {
            roles: vec!["web".to_owned(), "api".to_owned()],
            nodes: Vec::new(),
            labels: [("disk".to_owned(), "ssd".to_owned())].into(),
        };
        let lines: Vec<String> = place.options().into_iter().map(|option| option.value).collect();
        assert_eq!(lines, ["role=web", "role=api", "disk=ssd"]);
        assert!(place.has(&machine(&[("role", "api"), ("disk", "ssd")])));
        assert!(!place.has(&machine(&[("role", "api")])));
        assert!(!place.has(&machine(&[("role", "db"), ("disk", "ssd")])));
        assert!(Place::default().has(&machine(&[])));
        assert_eq!(place.odd(), [""; 0]);
    }

    #[test]
    fn what_fleet_would_ignore_is_odd() {
        let labels =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let place = Place { labels: labels(&[("a", ""), ("b", "c d"), ("e=f", "g")]), ..Place::default() };
        assert_eq!(place.odd(), ["a=", "b=c d", "e=f=g"]);
        let place =
            Place { roles: vec!["web".to_owned()], labels: labels(&[("role", "x")]), nodes: Vec::new() };
        assert_eq!(place.odd().len(), 1);
    }
}
