//! The names that the file gives to things, and references to them. Pure.

use std::collections::BTreeSet;

use cloudpad_plugin_api::model::Host;

use crate::config::section::Section;
use crate::config::{Problem, nearest};

/// Every name that something else in the file may refer to.
pub(super) struct Names {
    pub hosts: Known,
    pub roles: Known,
    pub sources: Known,
    pub images: Known,
    pub services: Known,
}

/// Names of one kind, those of broken things among them: a reference to one of these is not a
/// problem of its own.
pub(super) struct Known {
    kind: &'static str,
    /// None where any name may be right, since not all of them are known.
    names: Option<BTreeSet<String>>,
}

impl Names {
    /// `hosts` are all there are; none where an inventory has more, or where some are broken.
    pub fn new(file: &Section<'_>, has_inventory: bool, hosts: Option<&[Host]>) -> Self {
        let host_names = keys(file, "hosts").filter(|_| !has_inventory).map(|names| match names.is_empty() {
            true => BTreeSet::from([Host::LOCAL.to_owned()]),
            false => names,
        });
        let roles = |hosts: &[Host]| hosts.iter().flat_map(|host| host.roles.iter().cloned()).collect();
        Self {
            hosts: Known { kind: "host", names: host_names },
            roles: Known { kind: "role", names: hosts.map(roles) },
            sources: Known { kind: "source", names: keys(file, "sources") },
            images: Known { kind: "image", names: keys(file, "images") },
            services: Known { kind: "service", names: keys(file, "services") },
        }
    }
}

/// The names in a table; none where it is broken as a whole.
fn keys(file: &Section<'_>, table: &str) -> Option<BTreeSet<String>> {
    match file.section(table) {
        Some(section) => Some(section.keys().map(str::to_owned).collect()),
        None if file.has(table) => None,
        None => Some(BTreeSet::new()),
    }
}

impl Known {
    /// The names, where all of them are known.
    pub fn all(&self) -> Option<&BTreeSet<String>> {
        self.names.as_ref()
    }

    /// Checks that there is a `name`, and hands it back.
    pub fn find(&self, name: &str) -> Result<String, Problem> {
        match &self.names {
            Some(names) if !names.contains(name) => Err(self.dangling(name, names)),
            _ => Ok(name.to_owned()),
        }
    }

    fn dangling(&self, name: &str, names: &BTreeSet<String>) -> Problem {
        let known: Vec<_> = names.iter().map(String::as_str).collect();
        let kind = self.kind;
        let (message, nothing) = match kind {
            "role" => (
                format!("no host has the role `{name}`"),
                "give it to a host: `roles = [\"…\"]` in `[hosts.NAME]`".into(),
            ),
            _ => (format!("there is no {kind} `{name}`"), format!("add `[{kind}s.{name}]`")),
        };
        let hint = if known.is_empty() { nothing } else { nearest::hint(name, &known) };
        let hint = match kind {
            _ if nearest(name, &known).is_some() => hint,
            "role" => format!("{hint}; `cloudpad hosts add NAME ADDRESS --role {name}` adds one that has it"),
            "host" => format!("{hint}; `cloudpad hosts add {name} ADDRESS` adds it"),
            _ => hint,
        };
        Problem::new(message).hint(hint)
    }
}
