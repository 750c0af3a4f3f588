//! Which hosts there are and which of them are meant: roles, selectors. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::inventory::{Broken, Hosts};

use crate::config::{Problem, check_host, nearest};

/// Which part of the project is meant. Empty lists mean everything; several entries of one list add
/// up, several lists narrow each other down. Entries may contain `*` and `?`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Selection {
    /// Services by name.
    #[serde(default)]
    pub services: Vec<String>,
    /// Services by group.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Hosts by role.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Hosts by name.
    #[serde(default)]
    pub hosts: Vec<String>,
}

impl Selection {
    /// Whether it leaves out any service.
    pub fn narrows_services(&self) -> bool {
        !(self.services.is_empty() && self.groups.is_empty())
    }

    /// Whether it leaves out any host.
    pub fn narrows_hosts(&self) -> bool {
        !(self.roles.is_empty() && self.hosts.is_empty())
    }
}

/// Every host there is, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    hosts: Vec<Arc<Host>>,
    /// How many of them are the config's. They come first.
    own: usize,
    by_name: BTreeMap<String, usize>,
    by_role: BTreeMap<String, Vec<usize>>,
    /// What the provider has listed and is no host.
    broken: Vec<Problem>,
    /// The hosts that some of it would be.
    would_be: BTreeSet<String>,
}

impl Inventory {
    /// The hosts of the config in its order, then those that an inventory provider has listed, by name.
    ///
    /// # Errors
    /// One problem for each name that is there twice.
    pub fn new(config: &[Host], listed: Hosts) -> Result<Self, Vec<Problem>> {
        let Hosts { mut hosts, broken } = listed;
        hosts.sort_by(|a, b| a.name.cmp(&b.name));
        let would_be = broken.iter().filter_map(|entry| entry.host.clone()).collect();
        let broken = broken.into_iter().map(unreadable).collect();
        let mut inventory = Self { own: config.len(), broken, would_be, ..Self::default() };
        let mut problems = Vec::new();
        hosts.retain(|host| {
            let problem = check_host(host).err().map(|problem| outside(host, problem));
            let is_sound = problem.is_none();
            inventory.would_be.extend(problem.is_some().then(|| host.name.clone()));
            inventory.broken.extend(problem);
            is_sound
        });
        for host in config.iter().cloned().chain(hosts) {
            if let Err(problem) = inventory.add(host) {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(inventory) } else { Err(problems) }
    }

    fn add(&mut self, mut host: Host) -> Result<(), Problem> {
        if self.by_name.contains_key(&host.name) {
            let name = &host.name;
            let message = format!("host `{name}` is there twice");
            let key = if self.hosts.len() < self.own { format!("hosts.{name}") } else { LISTED.to_owned() };
            return Err(
                Problem::at_key(key, message).hint("rename one of them, in the file or in the inventory")
            );
        }
        let index = self.hosts.len();
        // In the file a role is refused where it is there already, but an inventory may have it twice.
        let mut known = BTreeSet::new();
        host.roles.retain(|role| known.insert(role.clone()));
        for role in &host.roles {
            self.by_role.entry(role.clone()).or_default().push(index);
        }
        self.by_name.insert(host.name.clone(), index);
        self.hosts.push(Arc::new(host));
        Ok(())
    }

    /// What the provider has listed and cannot be used: entries that it could not read, hosts that could not stand in the
    /// file.
    pub fn broken(&self) -> &[Problem] {
        &self.broken
    }

    /// Whether the provider has listed something under that name which cannot be used, and there is no host of that name.
    pub fn is_broken(&self, name: &str) -> bool {
        self.would_be.contains(name) && self.get(name).is_none()
    }

    /// Every host, in the order in which ties are broken.
    pub fn hosts(&self) -> &[Arc<Host>] {
        &self.hosts
    }

    /// The host of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Host>> {
        self.index(name).map(|index| &self.hosts[index])
    }

    /// Whence a host is, as a key of the config: its own table, or the stage whose provider has listed it.
    pub fn key(&self, name: &str) -> String {
        if self.is_listed(name) { LISTED.to_owned() } else { format!("hosts.{name}") }
    }

    /// Whether an inventory provider has listed the host, and the file does not have it.
    pub fn is_listed(&self, name: &str) -> bool {
        self.index(name).is_some_and(|index| index >= self.own)
    }

    /// Where in [`Inventory::hosts`] the host of that name stands.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Where in [`Inventory::hosts`] the hosts with that role stand; empty when nobody has it.
    pub fn with_role(&self, role: &str) -> &[usize] {
        self.by_role.get(role).map_or(&[], Vec::as_slice)
    }

    /// Where in [`Inventory::hosts`] those hosts stand that are meant. What is selected and does not exist becomes a
    /// problem.
    pub fn selected(&self, selection: &Selection, problems: &mut Vec<Problem>) -> Vec<usize> {
        if !selection.narrows_hosts() {
            return (0..self.hosts.len()).collect();
        }
        let names = self.hosts.iter().map(|host| host.name.as_str()).collect();
        let roles = self.roles().collect();
        let before = problems.len();
        let by_name = select("host", &selection.hosts, &names, problems);
        let by_role = select("role", &selection.roles, &roles, problems);
        let is_meant = |host: &Host| {
            by_name.contains(host.name.as_str())
                && (selection.roles.is_empty()
                    || host.roles.iter().any(|role| by_role.contains(role.as_str())))
        };
        let all = self.hosts.iter().enumerate();
        let selected: Vec<usize> = all.filter(|(_, host)| is_meant(host)).map(|(index, _)| index).collect();
        if selected.is_empty() && problems.len() == before {
            problems.push(Problem::new("no selected host has a selected role"));
        }
        selected
    }

    /// Every role that a host has, sorted.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.by_role.keys().map(String::as_str)
    }
}

/// The key of the provider that lists hosts.
const LISTED: &str = "stages.inventory";

/// What is wrong with what a provider could not read.
fn unreadable(Broken { name, why, .. }: Broken) -> Problem {
    Problem::at_key(LISTED, format!("`{name}` of the inventory {why}"))
}

/// What is wrong with a host that a provider has listed.
fn outside(host: &Host, problem: Problem) -> Problem {
    let Host { name, address, .. } = host;
    let message =
        format!("the inventory has listed host `{name}` with address `{address}`: {}", problem.message);
    Problem { hint: problem.hint, ..Problem::at_key(LISTED, message) }
}

/// Whether all of `text` matches `pattern`, where `*` stands for any characters and `?` for one.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on when what follows the last `*` does not fit: that `*` then takes one more.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    (p, t) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// The names that one of `patterns` matches; all of them where there is no pattern. What matches
/// nothing becomes a problem that lists what exists; `what` names the kind, such as `service`.
pub(crate) fn select<'a>(
    what: &str,
    patterns: &[String],
    names: &BTreeSet<&'a str>,
    problems: &mut Vec<Problem>,
) -> BTreeSet<&'a str> {
    if patterns.is_empty() {
        return names.clone();
    }
    let mut selected = BTreeSet::new();
    for pattern in patterns {
        let before = selected.len();
        let mut hits = names.iter().filter(|name| matches(pattern, name)).peekable();
        let none = hits.peek().is_none();
        selected.extend(hits);
        if none && selected.len() == before {
            problems.push(no_match(what, pattern, names));
        }
    }
    selected
}

/// A selector matches nothing of what exists; `what` names the kind.
pub(crate) fn no_match(what: &str, pattern: &str, names: &BTreeSet<&str>) -> Problem {
    let problem = Problem::new(format!("no {what} matches `{pattern}`"));
    if names.is_empty() {
        return problem.hint(format!("there is no {what} at all"));
    }
    let there = format!("there is {}", list(names.iter().copied()));
    match nearest(pattern, &names.iter().copied().collect::<Vec<_>>()).filter(|_| what == "host") {
        Some(name) => problem.hint(format!("{there}; did you mean `{name}`?")),
        None => problem.hint(there),
    }
}

/// Names in backticks, the first few of them where there are many.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 20;
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{} and {more} more", names[..SHOWN].join(", ")),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text) in
            [("web", "web"), ("*", ""), ("w*", "web"), ("*b", "web"), ("w?b", "web"), ("*a*a", "banana")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("web", "webs"), ("w?b", "wb"), ("", "a"), ("?", ""), ("*x", "web"), ("a*b", "abc")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn hosts_of_the_file_come_first_and_listed_ones_by_name() {
        let file = [Host::new("z", "local")];
        let hosts = vec![Host::new("b", "192.0.2.2"), Host::new("a", "192.0.2.1")];
        let listed = Hosts { hosts, ..Hosts::default() };
        let inventory = Inventory::new(&file, listed).unwrap();
        let names: Vec<_> = inventory.hosts().iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names, ["z", "a", "b"]);
        assert_eq!(inventory.get("a").unwrap().address, "192.0.2.1");
    }

    #[test]
    fn a_name_that_is_there_twice_is_a_problem() {
        let listed = Hosts { hosts: vec![Host::new("a", "192.0.2.1")], ..Hosts::default() };
        let problems = Inventory::new(&[Host::new("a", "local")], listed).unwrap_err();
        assert_eq!(problems[0].message, "host `a` is there twice");
    }

    #[test]
    fn a_role_that_is_listed_twice_is_one() {
        let mut host = Host::new("a", "192.0.2.1");
        host.roles = ["web", "db", "web"].map(str::to_owned).into();
        let inventory = Inventory::new(&[], Hosts { hosts: vec![host], ..Hosts::default() }).unwrap();
        assert_eq!(inventory.hosts()[0].roles, ["web", "db"]);
        assert_eq!(inventory.with_role("web"), [0]);
    }

    #[test]
    fn listed_hosts_keep_to_the_rules_of_the_file() {
        let listed = |name: &str, address: &str, role: &str| {
            let mut host = Host::new(name, address);
            host.roles.push(role.into());
            let listed = Hosts { hosts: vec![host, Host::new("b", "192.0.2.2")], ..Hosts::default() };
            Inventory::new(&[Host::new("z", "192.0.2.9")], listed).unwrap()
        };
        for (name, address, role) in
            [("H_1!", "192.0.2.1", "web"), ("a", "192.0.2.1:x", "web"), ("a", "192.0.2.1", "a b")]
        {
            let inventory = listed(name, address, role);
            let [broken] = inventory.broken() else { panic!("{:?}", inventory.broken()) };
            let words = format!("the inventory has listed host `{name}`");
            assert!(broken.message.starts_with(&words), "{broken:?}");
            assert_eq!((inventory.get(name), inventory.hosts().len()), (None, 2));
            assert_eq!((inventory.is_broken(name), inventory.is_broken("b")), (true, false));
        }
        let mut odd = [Host::new("a".repeat(254), "192.0.2.1"), Host::new("a", "192.0.2.2")];
        odd[1].labels.insert(String::new(), "x".into());
        let inventory = Inventory::new(&[], Hosts { hosts: odd.into(), ..Hosts::default() }).unwrap();
        assert_eq!((inventory.broken().len(), inventory.hosts().len()), (2, 0), "{:?}", inventory.broken());
        let inventory = listed("a", "deploy@192.0.2.1:22", "web");
        assert_eq!(inventory.broken(), []);
        assert_eq!((inventory.key("a"), inventory.key("z")), ("stages.inventory".into(), "hosts.z".into()));
    }
}
