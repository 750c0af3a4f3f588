//! Hosts, as `cloudpad hosts ls` lists them. Pure.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::deploy::{Machine, Observation};
use serde::Serialize;

use crate::words::{bytes, columns};

/// A host.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// What else is known of it in the file or the inventory.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What it is.
    #[serde(flatten)]
    pub machine: Option<Machine>,
    /// The project's instances that run there.
    pub instances: Vec<String>,
    /// Why it could not be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

impl Row {
    /// One of which no more is known than the file says.
    pub fn of(host: &Host) -> Self {
        let Host { name, address, roles, labels } = host.clone();
        Self { name, address, roles, labels, machine: None, instances: Vec::new(), error: None }
    }

    /// Takes in what was seen there.
    pub fn see(&mut self, seen: &Observation) {
        let up = seen.containers.iter().filter(|container| container.state.is_up());
        self.instances = up.map(|container| container.instance.to_string()).collect();
        self.instances.sort();
        self.instances.dedup();
        let machine = self.machine.get_or_insert_default();
        if machine.engine.version.is_empty() {
            machine.engine = seen.engine.clone();
        }
    }
}

/// Rows as a table with a heading.
pub fn table(rows: &[Row]) -> String {
    let heading =
        ["HOST", "ADDRESS", "ROLES", "ENGINE", "CPUS", "MEMORY", "DISK FREE", "RUNS"].map(str::to_owned);
    columns(&std::iter::once(heading).chain(rows.iter().map(cells)).collect::<Vec<_>>())
}

fn cells(row: &Row) -> [String; 8] {
    let machine = row.machine.clone().unwrap_or_default();
    let engine = match (&row.error, machine.engine.version) {
        (Some(_), _) => "not reached".to_owned(),
        (None, version) => version,
    };
    let disk = machine.disk.map(|disk| format!("{} of {}", bytes(disk.free), bytes(disk.size)));
    [
        row.name.clone(),
        row.address.clone(),
        row.roles.join(", "),
        engine,
        machine.cpus.map(|count| count.to_string()).unwrap_or_default(),
        machine.memory.map(bytes).unwrap_or_default(),
        disk.unwrap_or_default(),
        runs(&row.instances, machine.running),
    ]
}

/// The project's instances, and how many containers of others.
fn runs(instances: &[String], running: Option<u32>) -> String {
    let others = running.map_or(0, |all| (all as usize).saturating_sub(instances.len()));
    let mut words = instances.to_vec();
    if others > 0 {
        words.push(match instances {
            [] => format!("{others} of others"),
            _ => format!("{others} more"),
        });
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudpad_plugin_api::stage::deploy::{Disk, Engine};

    #[test]
    fn what_is_known_is_shown_and_what_is_not_is_left_out() {
        let host = |name: &str| Host { roles: vec!["web".into()], ..Host::new(name, "192.0.2.1") };
        let mut known = Row::of(&host("h1"));
        known.instances = vec!["web.1".into()];
        known.machine = Some(Machine {
            engine: Engine { version: "26.1".into(), ..Engine::default() },
            cpus: Some(4),
            memory: Some(8 << 30),
            running: Some(3),
            disk: Some(Disk { path: String::new(), size: 10 << 30, free: 4 << 30 }),
            ..Machine::default()
        });
        let gone = Row { error: Some(Failure::failed("gone")), ..Row::of(&host("h2")) };
        let table = table(&[known, gone]);
        let lines: Vec<_> = table.lines().collect();
        assert!(lines[1].starts_with("h1    192.0.2.1  web    26.1         4     "), "{table}");
        assert!(lines[1].ends_with("web.1, 2 more"), "{table}");
        assert_eq!(lines[2], "h2    192.0.2.1  web    not reached");
        assert_eq!((runs(&[], Some(3)), runs(&[], Some(0))), ("3 of others".to_owned(), String::new()));
    }
}
