//! Hosts as one writes them by hand: a list, perhaps below `hosts`, or an object by name. Pure.
//!
//! A host is an object of what a host has in `Cloudpad.toml`, or only its address. The shape of a reply to
//! `inventory.list` is one of these.

use std::collections::BTreeMap;

use cloudpad_plugin_api::model::Host;
use serde_json::{Map, Value};

use super::json::kind;

/// The key below which the hosts may be.
pub(crate) const HOSTS: &str = "hosts";

/// What is said of a host, beside its name.
const KEYS: [&str; 3] = ["address", "roles", "labels"];

/// The hosts in the order of the document; or every fault of it.
pub(crate) fn hosts(document: &Value) -> Result<Vec<Host>, Vec<String>> {
    let below = document.as_object().filter(|object| object.len() == 1).and_then(|object| object.get(HOSTS));
    let (what, document) = below.map_or(("the document", document), |below| ("`hosts`", below));
    let read: Vec<Result<Host, String>> = match document {
        Value::Array(list) => list.iter().enumerate().map(|(at, value)| listed(at, value)).collect(),
        Value::Object(object) => object.iter().map(|(name, value)| named(name, value)).collect(),
        other => vec![Err(format!("{what} is {}, and neither a list nor an object", kind(other)))],
    };
    let (good, bad): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
    match bad.is_empty() {
        true => Ok(good.into_iter().flatten().collect()),
        false => Err(bad.into_iter().filter_map(Result::err).collect()),
    }
}

/// A host in a list: an object with its name, or an address, which names it too.
fn listed(at: usize, value: &Value) -> Result<Host, String> {
    let called = || format!("host {} of the list", at + 1);
    match value {
        Value::String(address) => Ok(Host::new(name_in(address), address)),
        Value::Object(object) => match object.get("name") {
            Some(Value::String(name)) => host(name, object, &["name"]),
            Some(other) => Err(format!("the `name` of {} is {}, and no string", called(), kind(other))),
            None => Err(format!("{} has no `name`", called())),
        },
        other => Err(format!("{} is {}, and neither an object nor an address", called(), kind(other))),
    }
}

/// A host in an object by name.
fn named(name: &str, value: &Value) -> Result<Host, String> {
    match value {
        Value::String(address) => Ok(Host::new(name, address)),
        Value::Object(object) => host(name, object, &[]),
        other => Err(format!("host `{name}` is {}, and neither an object nor an address", kind(other))),
    }
}

/// `host` of `[user@]host[:port]`.
fn name_in(address: &str) -> &str {
    let place = address.rsplit_once('@').map_or(address, |(_, place)| place);
    place.split_once(':').map_or(place, |(host, _)| host)
}

fn host(name: &str, object: &Map<String, Value>, more: &[&str]) -> Result<Host, String> {
    if let Some(key) =
        object.keys().find(|key| !KEYS.contains(&key.as_str()) && !more.contains(&key.as_str()))
    {
        let known = more.iter().chain(&KEYS).map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        return Err(format!("host `{name}` has the unknown key `{key}`: known are {known}"));
    }
    let address = match object.get("address") {
        Some(Value::String(address)) => address,
        Some(other) => return Err(format!("`address` of host `{name}` is {}, and no string", kind(other))),
        None => return Err(format!("host `{name}` has no `address`")),
    };
    Ok(Host { roles: roles(name, object)?, labels: labels(name, object)?, ..Host::new(name, address) })
}

fn roles(name: &str, object: &Map<String, Value>) -> Result<Vec<String>, String> {
    let wrong = || format!("`roles` of host `{name}` is no list of strings");
    match object.get("roles") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(roles)) => {
            roles.iter().map(|role| role.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

fn labels(name: &str, object: &Map<String, Value>) -> Result<BTreeMap<String, String>, String> {
    let labels = match object.get("labels") {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(labels)) => labels,
        Some(other) => return Err(format!("`labels` of host `{name}` is {}, and no object", kind(other))),
    };
    let text = |(key, value): (&String, &Value)| match value {
        Value::String(text) => Ok((key.clone(), text.clone())),
        Value::Number(_) | Value::Bool(_) => Ok((key.clone(), value.to_string())),
        other => Err(format!("label `{key}` of host `{name}` is {}, and no string", kind(other))),
    };
    labels.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::stage::inventory::Hosts;
    use serde_json::json;

    use super::*;

    /// `NAME ADDRESS ROLES LABELS` of each host.
    fn told(document: Value) -> Vec<String> {
        let told = |host: Host| {
            let labels: Vec<_> = host.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{} {} {} {}", host.name, host.address, host.roles.join(","), labels.join(","))
        };
        hosts(&document).unwrap().into_iter().map(told).collect()
    }

    #[test]
    fn hosts_are_a_list_or_an_object_by_name_and_maybe_below_a_key() {
        let h1 = json!({ "name": "h1", "address": "root@192.0.2.1:22", "roles": ["web", "db"], "labels": { "rack": 3, "big": true, "zone": "a" } });
        let expected = ["h1 root@192.0.2.1:22 web,db big=true,rack=3,zone=a"];
        assert_eq!(told(json!([h1])), expected);
        assert_eq!(told(json!({ "hosts": [h1] })), expected);
        let by_name = json!({ "b": "192.0.2.2", "a": { "address": "local", "roles": null, "labels": null } });
        let expected = ["a local  ", "b 192.0.2.2  "];
        assert_eq!(told(by_name.clone()), expected);
        assert_eq!(told(json!({ "hosts": by_name })), expected);
        let addresses = json!(["192.0.2.1", "root@web.example.com:2222"]);
        assert_eq!(told(addresses), ["192.0.2.1 192.0.2.1  ", "web.example.com root@web.example.com:2222  "]);
    }

    #[test]
    fn what_a_plugin_answers_is_one_of_these() {
        let mut host = Host::new("h1", "deploy@192.0.2.1");
        host.roles = vec!["web".to_owned()];
        host.labels.insert("zone".to_owned(), "a".to_owned());
        let reply = Hosts { hosts: vec![host, Host::new("h2", "local")], ..Hosts::default() };
        assert_eq!(hosts(&serde_json::to_value(&reply).unwrap()), Ok(reply.hosts));
    }

    #[test]
    fn there_may_be_no_host() {
        for document in [json!([]), json!({}), json!({ "hosts": [] }), json!({ "hosts": {} })] {
            assert_eq!(hosts(&document), Ok(Vec::new()), "{document}");
        }
    }

    #[test]
    fn every_fault_is_told_with_its_host_and_its_key() {
        let cases = [
            (json!("h1"), "the document is a string, and neither a list nor an object"),
            (json!({ "hosts": null }), "`hosts` is null, and neither a list nor an object"),
            (json!([1]), "host 1 of the list is a number, and neither an object nor an address"),
            (json!(["a", { "address": "b" }]), "host 2 of the list has no `name`"),
            (json!([{ "name": 1 }]), "the `name` of host 1 of the list is a number, and no string"),
            (json!([{ "name": "a" }]), "host `a` has no `address`"),
            (json!({ "a": {} }), "host `a` has no `address`"),
            (json!({ "a": true }), "host `a` is true or false, and neither an object nor an address"),
            (json!({ "a": { "address": 1 } }), "`address` of host `a` is a number, and no string"),
            (json!({ "a": { "address": "b", "roles": "web" } }), "`roles` of host `a` is no list of strings"),
            (json!({ "a": { "address": "b", "roles": [1] } }), "`roles` of host `a` is no list of strings"),
            (
                json!({ "a": { "address": "b", "labels": [] } }),
                "`labels` of host `a` is a list, and no object",
            ),
            (
                json!({ "a": { "address": "b", "labels": { "x": null } } }),
                "label `x` of host `a` is null, and no string",
            ),
            (
                json!([{ "name": "a", "address": "b", "role": "web" }]),
                "host `a` has the unknown key `role`: known are `name`, `address`, `roles`, `labels`",
            ),
            (
                json!({ "a": { "name": "a", "address": "b" } }),
                "host `a` has the unknown key `name`: known are `address`, `roles`, `labels`",
            ),
        ];
        for (document, why) in cases {
            assert_eq!(hosts(&document), Err(vec![why.to_owned()]), "{document}");
        }
        assert_eq!(hosts(&json!([1, "a", 2])).unwrap_err().len(), 2);
    }
}
