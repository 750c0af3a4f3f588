//! Where fleet may run a service: the section `[X-Fleet]`. Pure.
//!
//! What a machine is for and what it is called is what its fleetd was told as `metadata`: `role=web,name=m1`. A key has one value
//! there, so a machine has one role.

use crate::unit::UnitOption;
use crate::wire::Machine;

/// The keys of the metadata that say what a machine is for and what it is called.
pub const ROLE: &str = "role";
/// See [`ROLE`].
pub const NAME: &str = "name";

/// Which machines a service may run on: those with one of the roles, or those that are named; any where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// One of these roles.
    pub roles: Vec<String>,
    /// One of these names.
    pub nodes: Vec<String>,
}

impl Place {
    /// A key with the values that are asked for.
    fn pairs(&self) -> Vec<(&str, &str)> {
        let roles = self.roles.iter().map(|role| (ROLE, role.as_str()));
        let nodes = self.nodes.iter().map(|node| (NAME, node.as_str()));
        roles.chain(nodes).collect()
    }

    /// Whether a machine is one of them.
    pub fn has(&self, machine: &Machine) -> bool {
        let pairs = self.pairs();
        let is = |(key, value): &(&str, &str)| machine.metadata.get(*key).is_some_and(|has| has == value);
        pairs.is_empty() || pairs.iter().any(is)
    }

    /// As options: lines of the same key are alternatives to fleet.
    pub fn options(&self) -> Vec<UnitOption> {
        let option = |(key, value): (&str, &str)| {
            UnitOption::new("X-Fleet", "MachineMetadata", format!("{key}={value}"))
        };
        self.pairs().into_iter().map(option).collect()
    }

    /// What fleet could not be asked for: it ignores what it cannot read, and runs such a unit anywhere.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), String> {
        if !self.roles.is_empty() && !self.nodes.is_empty() {
            return Err("fleet can be asked for machines by role or by name, and not for both".to_owned());
        }
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c))
        };
        match self.pairs().iter().find(|(_, value)| !is_word(value)) {
            Some((key, value)) => Err(format!("fleet cannot be asked for `{key}={value}`")),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pairs: Vec<String> = self.pairs().iter().map(|(key, value)| format!("`{key}={value}`")).collect();
        match pairs.is_empty() {
            true => f.write_str("any machine"),
            false => write!(f, "a machine with {}", pairs.join(" or ")),
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

    fn place(roles: &[&str], nodes: &[&str]) -> Place {
        let of = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Place { roles: of(roles), nodes: of(nodes) }
    }

    #[test]
    fn one_of_the_roles_or_of_the_names() {
        let web = place(&["web", "api"], &[]);
        let lines: Vec<String> = web.options().into_iter().map(|option| option.value).collect();
        assert_eq!(lines, ["role=web", "role=api"]);
        assert!(web.has(&machine(&[("role", "api"), ("name", "m1")])));
        assert!(!web.has(&machine(&[("role", "db")])) && !web.has(&machine(&[])));
        assert!(place(&[], &["m1"]).has(&machine(&[("name", "m1")])));
        assert!(Place::default().has(&machine(&[])));
        assert_eq!(web.to_string(), "a machine with `role=web` or `role=api`");
    }

    #[test]
    fn what_fleet_would_ignore_is_refused() {
        for (place, why) in [
            (place(&["we b"], &[]), "role=we b"),
            (place(&[], &[""]), "name="),
            (place(&["a=b"], &[]), "role=a=b"),
            (place(&["web"], &["m1"]), "not for both"),
        ] {
            assert!(place.check().unwrap_err().contains(why), "{place:?}");
        }
        assert_eq!(place(&["web"], &[]).check(), Ok(()));
    }
}
