//! What a dynamic inventory prints for Ansible when it is run with `--list`:
//! <https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html>. Pure.
//!
//! Groups become roles. Of the variables only those are looked at that say how a host is reached; all others stay where
//! they are, since many of them are passwords.

mod address;
mod groups;

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::model::Host;
use serde_json::{Map, Value};

use super::json::kind;
use groups::{Groups, Place};

/// Where the variables of hosts are, beside the groups.
const META: &str = "_meta";
const HOSTVARS: &str = "hostvars";
/// The group of every host, and that of hosts in no other: neither tells anything of a host.
const ALL: &str = "all";
const UNGROUPED: &str = "ungrouped";
/// The label that has a host's groups that cannot be roles.
const OTHER_GROUPS: &str = "ansible.groups";

/// The variables of hosts, by the hosts' names.
pub(crate) type Variables = BTreeMap<String, Map<String, Value>>;

/// Whether it is this form: it has `_meta`, a group's keys, a list of hosts under a name, or a variable of Ansible's.
pub(crate) fn is_meant(document: &Map<String, Value>) -> bool {
    let is_group = |value: &Value| match value {
        Value::Array(_) => true,
        Value::Object(group) => {
            groups::KEYS.iter().any(|key| group.contains_key(*key))
                || group.keys().any(|key| key.starts_with("ansible_"))
        }
        _ => false,
    };
    let is_plain = |(key, value): (&String, &Value)| key == super::plain::HOSTS && value.is_array();
    let only = document.len() == 1;
    document.contains_key(META)
        || document.iter().any(|entry| is_group(entry.1) && !(only && is_plain(entry)))
}

/// The variables of each host, where the document tells them.
pub(crate) fn variables(document: &Map<String, Value>) -> Result<Option<Variables>, String> {
    let object = |what: &str, value: &Value| {
        value.as_object().cloned().ok_or_else(|| format!("{what} is {}, and no object", kind(value)))
    };
    let Some(meta) = document.get(META) else { return Ok(None) };
    let Some(all) = object("`_meta`", meta)?.remove(HOSTVARS) else { return Ok(None) };
    let all = object("`_meta.hostvars`", &all)?;
    let each = all.iter().map(|(host, variables)| {
        Ok((host.clone(), object(&format!("`_meta.hostvars` of host `{host}`"), variables)?))
    });
    each.collect::<Result<_, _>>().map(Some)
}

/// The hosts of all groups.
pub(crate) struct Listed<'a> {
    groups: Groups<'a>,
    /// The groups of each host that have it themselves.
    hosts: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Listed<'a> {
    /// Reads the groups; or what is wrong with them.
    pub(crate) fn read(document: &'a Map<String, Value>) -> Result<Self, Vec<String>> {
        let groups = Groups::read(document.iter().filter(|(name, _)| *name != META))?;
        let mut hosts = BTreeMap::<_, BTreeSet<_>>::new();
        for (host, group) in groups.members() {
            hosts.entry(host).or_default().insert(group);
        }
        Ok(Self { groups, hosts })
    }

    /// The names of all hosts.
    pub(crate) fn hosts(&self) -> BTreeSet<&'a str> {
        self.hosts.keys().copied().collect()
    }

    /// The hosts with these variables, by name; or every fault.
    pub(crate) fn with(&self, variables: &Variables) -> Result<Vec<Host>, Vec<String>> {
        let (mut hosts, mut faults) = (Vec::new(), Vec::new());
        for (name, direct) in &self.hosts {
            let groups = self.groups.of(direct);
            let of_groups = |key: &str| groups.iter().rev().find_map(|place| place.variable(key));
            let own = variables.get(*name);
            let variable = |key: &str| own.and_then(|own| own.get(key)).or_else(|| of_groups(key));
            match address::of(name, variable) {
                Ok(address) => hosts.push(host(name, address, &groups)),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(hosts) } else { Err(faults) }
    }
}

fn host(name: &str, address: String, groups: &[Place<'_>]) -> Host {
    let told = groups.iter().map(|place| place.name).filter(|name| ![ALL, UNGROUPED].contains(name));
    let (roles, others): (BTreeSet<&str>, BTreeSet<&str>) = told.partition(|name| is_word(name));
    let mut host = Host::new(name, address);
    host.roles = roles.into_iter().map(str::to_owned).collect();
    if !others.is_empty() {
        let others = others.into_iter().collect::<Vec<_>>().join(", ");
        host.labels.insert(OTHER_GROUPS.to_owned(), others);
    }
    host
}

/// Whether `Cloudpad.toml` can have it as a role.
fn is_word(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_inner)
}

#[cfg(test)]
mod tests;
