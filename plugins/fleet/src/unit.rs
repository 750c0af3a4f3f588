//! A unit as fleet's API has it: its options, its text and the hash of that. Pure.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

/// One line of a unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnitOption {
    /// The section, without brackets.
    pub section: String,
    /// What is before the `=`.
    pub name: String,
    /// What is after it; a line that goes on ends with a backslash.
    #[serde(default)]
    pub value: String,
}

impl UnitOption {
    /// An option of `section`.
    pub fn new(section: &str, name: &str, value: impl Into<String>) -> Self {
        Self { section: section.to_owned(), name: name.to_owned(), value: value.into() }
    }
}

/// What a unit is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Desired {
    /// Known, and nowhere.
    Inactive,
    /// On a machine, and stopped.
    Loaded,
    /// On a machine, and started.
    Launched,
}

/// The text that fleet makes of options: sections in the order in which they first come, a blank line between them.
pub fn text(options: &[UnitOption]) -> String {
    let mut sections: Vec<&str> = Vec::new();
    for option in options {
        if !sections.contains(&option.section.as_str()) {
            sections.push(&option.section);
        }
    }
    let mut text = String::new();
    for (at, section) in sections.iter().enumerate() {
        let _ = writeln!(text, "{}[{section}]", if at == 0 { "" } else { "\n" });
        for option in options.iter().filter(|option| option.section == **section) {
            let _ = writeln!(text, "{}={}", option.name, option.value);
        }
    }
    text
}

/// By what fleet tells a unit from another of the same name: the SHA-1 of its text, in hex.
pub fn hash(options: &[UnitOption]) -> String {
    Sha1::digest(text(options)).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The values of all options of that section and name, in their order.
pub fn values<'a>(options: &'a [UnitOption], section: &str, name: &str) -> Vec<&'a str> {
    let found = options.iter().filter(|option| option.section == section && option.name == name);
    found.map(|option| option.value.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_that_a_real_fleet_has_told() {
        let hello = [
            UnitOption::new("Unit", "Description", "hello"),
            UnitOption::new("Service", "ExecStart", "/bin/sleep 3600"),
            UnitOption::new("X-Fleet", "MachineMetadata", "region=local"),
        ];
        assert_eq!(hash(&hello), "604572f459815a0e1fa764e0a1ea0f6e0d03214d");
        let fails = [UnitOption::new("Service", "ExecStart", "/bin/false")];
        assert_eq!(hash(&fails), "1fa41b061074d257bdf3919173a792fc879013f5");
    }

    #[test]
    fn the_order_counts_within_a_section_and_not_between_them() {
        let [a, b, c] =
            [("Unit", "A"), ("Service", "B"), ("Service", "C")].map(|(s, n)| UnitOption::new(s, n, "1"));
        let of = |options: [&UnitOption; 3]| hash(&options.map(Clone::clone));
        assert_ne!(of([&a, &b, &c]), of([&a, &c, &b]));
        assert_eq!(text(&[b.clone(), a, c]), "[Service]\nB=1\nC=1\n\n[Unit]\nA=1\n");
    }
}
