//! Groups of hosts, and which of them are in others. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::ALL;
use crate::command::json::kind;

/// What makes an object a group.
pub(super) const KEYS: [&str; 3] = [HOSTS, CHILDREN, VARS];

const HOSTS: &str = "hosts";
const CHILDREN: &str = "children";
const VARS: &str = "vars";
/// The variable by which a group overrides others of its depth.
const PRIORITY: &str = "ansible_group_priority";

#[derive(Default)]
struct Group<'a> {
    hosts: Vec<&'a str>,
    children: Vec<&'a str>,
    variables: Option<&'a Map<String, Value>>,
}

/// A group, and where it stands among those of a host. Of two that have a variable, the greater one's counts.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    depth: usize,
    priority: i64,
    pub(super) name: &'a str,
    variables: Option<&'a Map<String, Value>>,
}

impl<'a> Place<'a> {
    /// A variable of the group.
    pub(super) fn variable(&self, key: &str) -> Option<&'a Value> {
        self.variables.and_then(|variables| variables.get(key))
    }
}

/// Every group, none of which is in itself.
pub(super) struct Groups<'a> {
    by_name: BTreeMap<&'a str, Group<'a>>,
    places: BTreeMap<&'a str, Place<'a>>,
    /// The groups that each is in, at whatever depth.
    above: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Groups<'a> {
    /// Reads them; or what is wrong with each, or that one is in itself.
    pub(super) fn read(document: impl Iterator<Item = (&'a String, &'a Value)>) -> Result<Self, Vec<String>> {
        let (mut by_name, mut faults) = (BTreeMap::from([(ALL, Group::default())]), Vec::new());
        for (name, value) in document {
            match group(name, value) {
                Ok(group) => drop(by_name.insert(name, group)),
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        // One that is only named as a child is an empty group.
        let children: Vec<_> = by_name.values().flat_map(|group| group.children.iter().copied()).collect();
        for name in children {
            by_name.entry(name).or_default();
        }
        // All are in `all`, said or not.
        let others: Vec<_> = by_name.keys().copied().filter(|name| *name != ALL).collect();
        by_name.entry(ALL).or_default().children.extend(others);
        Self::placed(by_name).map_err(|fault| vec![fault])
    }

    /// Goes through the groups, each after all that it is in.
    fn placed(by_name: BTreeMap<&'a str, Group<'a>>) -> Result<Self, String> {
        let mut parents = BTreeMap::<&str, BTreeSet<&str>>::new();
        for (name, group) in &by_name {
            for child in &group.children {
                parents.entry(child).or_default().insert(name);
            }
        }
        let mut waiting = parents.clone();
        let mut ready: Vec<_> = by_name.keys().copied().filter(|name| !parents.contains_key(name)).collect();
        let (mut places, mut above) =
            (BTreeMap::<&str, Place<'_>>::new(), BTreeMap::<&str, BTreeSet<&str>>::new());
        while let Some(name) = ready.pop() {
            let direct = parents.remove(name).unwrap_or_default();
            let depths = direct.iter().filter_map(|parent| places.get(parent)).map(|place| place.depth + 1);
            let depth = depths.max().unwrap_or_default();
            let higher: BTreeSet<_> =
                direct.iter().filter_map(|parent| above.get(parent)).flatten().copied().collect();
            above.insert(name, higher.into_iter().chain(direct).collect());
            let Some(group) = by_name.get(name) else { continue };
            places.insert(name, Place { depth, priority: priority(group), name, variables: group.variables });
            for child in &group.children {
                if let Some(left) = waiting.get_mut(child)
                    && left.remove(name)
                    && left.is_empty()
                {
                    ready.push(child);
                }
            }
        }
        waiting.retain(|_, left| !left.is_empty());
        match waiting.is_empty() {
            true => Ok(Self { by_name, places, above }),
            false => Err(circle(&waiting)),
        }
    }

    /// Each host with each group that has it itself.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.by_name.iter().flat_map(|(name, group)| group.hosts.iter().map(|host| (*host, *name)))
    }

    /// All groups of a host that these have, by the order in which their variables count.
    pub(super) fn of(&self, direct: &BTreeSet<&'a str>) -> Vec<Place<'a>> {
        let higher = direct.iter().filter_map(|name| self.above.get(name)).flatten();
        let names: BTreeSet<_> = direct.iter().chain(higher).collect();
        let mut places: Vec<_> =
            names.into_iter().filter_map(|name| self.places.get(name)).copied().collect();
        places.sort_by_key(|place| (place.depth, place.priority, place.name));
        places
    }
}

/// Groups that are in each other, of which each waits for another.
fn circle(waiting: &BTreeMap<&str, BTreeSet<&str>>) -> String {
    let mut path: Vec<&str> = Vec::new();
    let mut next = waiting.keys().next().copied();
    while let Some(name) = next {
        if let Some(begin) = path.iter().position(|known| *known == name) {
            path.drain(..begin);
            break;
        }
        path.push(name);
        next = waiting.get(name).and_then(|left| left.iter().next().copied());
    }
    match path.as_slice() {
        [alone] => format!("group `{alone}` is a child of itself"),
        _ => {
            path.reverse();
            let first = path.first().copied().unwrap_or_default();
            let names = path.iter().chain([&first]).map(|name| format!("`{name}`"));
            format!("groups are children of each other: {}", names.collect::<Vec<_>>().join(" has "))
        }
    }
}

fn priority(group: &Group<'_>) -> i64 {
    let said = group.variables.and_then(|variables| variables.get(PRIORITY));
    let number = said.and_then(|said| said.as_i64().or_else(|| said.as_str()?.parse().ok()));
    number.unwrap_or(1)
}

fn group<'a>(name: &'a str, value: &'a Value) -> Result<Group<'a>, String> {
    let object = match value {
        Value::Array(hosts) => {
            return Ok(Group { hosts: names(&format!("group `{name}`"), hosts)?, ..Group::default() });
        }
        Value::Object(object) => object,
        other => return Err(format!("group `{name}` is {}, and neither a list nor an object", kind(other))),
    };
    if !KEYS.iter().any(|key| object.contains_key(*key)) {
        // The oldest form: a host with its variables.
        return Ok(Group { hosts: vec![name], variables: Some(object), ..Group::default() });
    }
    let list = |key: &str| match object.get(key) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => names(&format!("`{key}` of group `{name}`"), list),
        Some(other) => Err(format!("`{key}` of group `{name}` is {}, and no list", kind(other))),
    };
    let variables = match object.get(VARS) {
        None => None,
        Some(Value::Object(variables)) => Some(variables),
        Some(other) => return Err(format!("`{VARS}` of group `{name}` is {}, and no object", kind(other))),
    };
    Ok(Group { hosts: list(HOSTS)?, children: list(CHILDREN)?, variables })
}

fn names<'a>(what: &str, list: &'a [Value]) -> Result<Vec<&'a str>, String> {
    let name = |(at, value): (usize, &'a Value)| {
        value.as_str().ok_or_else(|| format!("entry {} of {what} is {}, and no name", at + 1, kind(value)))
    };
    list.iter().enumerate().map(name).collect()
}
