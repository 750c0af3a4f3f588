//! From keys and values to hosts. Pure.
//!
//! Below the prefix a host is one of both:
//! - `NAME`: a JSON document with `address`, and `roles` and `labels` where there are any;
//! - `NAME/address`, `NAME/roles` (a JSON list, or words with commas between), `NAME/labels/LABEL`.
//!
//! What is neither is told, with why: a field that is passed over in silence may be a role that is misspelt.

use std::collections::BTreeMap;

use cloudpad_plugin_api::model::Host;
use cloudpad_plugin_api::stage::inventory::{Broken, Hosts};
use serde::Deserialize;

/// What has come so far.
pub(crate) struct Reader {
    prefix: String,
    hosts: BTreeMap<String, Result<Part, Broken>>,
}

/// A host of which there may be more to come.
#[derive(Debug)]
enum Part {
    Whole(Host),
    Fields(Fields),
}

#[derive(Debug, Default)]
struct Fields {
    address: Option<String>,
    roles: Vec<String>,
    labels: BTreeMap<String, String>,
}

/// What a host's document may say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: Option<String>,
    address: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl Reader {
    /// Nothing yet, below `prefix`.
    pub fn new(prefix: String) -> Self {
        Self { prefix, hosts: BTreeMap::new() }
    }

    /// Takes a key below the prefix.
    pub fn take(&mut self, key: &[u8], value: &[u8]) {
        let whole = String::from_utf8_lossy(key);
        let below = whole.strip_prefix(&*self.prefix).unwrap_or(&whole);
        let (name, field) = match below.split_once('/') {
            Some((name, field)) => (name, Some(field)),
            None => (below, None),
        };
        // What makes a folder of the prefix for tools that show it as one.
        if name.is_empty() && field.is_none() && value.is_empty() {
            return;
        }
        let host = (!name.is_empty()).then(|| name.to_owned());
        let broken = |why: String| Broken { name: whole.clone().into_owned(), why, host };
        let entry = self.hosts.entry(name.to_owned());
        let part = entry.or_insert_with(|| Ok(Part::Fields(Fields::default())));
        let Ok(known) = part else { return };
        let taken = match (std::str::from_utf8(value), field) {
            _ if name.is_empty() => Err("has no name after the prefix".to_owned()),
            (Err(_), _) => Err("is no UTF-8 text".to_owned()),
            (Ok(text), None) => document(name, text).map(|host| *known = Part::Whole(host)),
            (Ok(text), Some(field)) => match known {
                Part::Whole(_) => Err("is there beside a document of its host".to_owned()),
                Part::Fields(fields) => fields.take(field, text),
            },
        };
        if let Err(why) = taken {
            *part = Err(broken(why));
        }
    }

    /// All hosts, and what cannot be one.
    pub fn finish(self) -> Hosts {
        let mut read = Hosts::default();
        for (name, part) in self.hosts {
            let host = part.and_then(|part| match part {
                Part::Whole(host) => Ok(host),
                Part::Fields(Fields { address: Some(address), roles, labels }) => {
                    Ok(Host { name, address, roles, labels })
                }
                Part::Fields(_) => {
                    let key = format!("{}{name}/address", self.prefix);
                    Err(Broken { name: key, why: "is missing".to_owned(), host: Some(name) })
                }
            });
            match host {
                Ok(host) => read.hosts.push(host),
                Err(broken) => read.broken.push(broken),
            }
        }
        read
    }
}

impl Fields {
    fn take(&mut self, field: &str, text: &str) -> Result<(), String> {
        match field {
            "address" => self.address = Some(text.trim().to_owned()),
            "roles" => self.roles = roles(text)?,
            _ => match field.strip_prefix("labels/").filter(|label| !label.is_empty()) {
                Some(label) => drop(self.labels.insert(label.to_owned(), text.to_owned())),
                None => {
                    return Err(
                        "is no field of a host: those are `address`, `roles`, `labels/LABEL`".to_owned()
                    );
                }
            },
        }
        Ok(())
    }
}

fn roles(text: &str) -> Result<Vec<String>, String> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map_err(|error| format!("is no list of words: {error}"));
    }
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    Ok(words.map(str::to_owned).collect())
}

/// The document of a host, without what there is nothing of.
pub(crate) fn text(host: &Host) -> String {
    let mut document = serde_json::json!({ "address": host.address });
    if !host.roles.is_empty() {
        document["roles"] = serde_json::json!(host.roles);
    }
    if !host.labels.is_empty() {
        document["labels"] = serde_json::json!(host.labels);
    }
    document.to_string()
}

fn document(name: &str, text: &str) -> Result<Host, String> {
    let document: Document =
        serde_json::from_str(text).map_err(|error| format!("is no document of a host: {error}"))?;
    if let Some(other) = document.name.filter(|other| other != name) {
        return Err(format!("has another name in its document: `{other}`"));
    }
    let Document { address, roles, labels, .. } = document;
    Ok(Host { name: name.to_owned(), address, roles, labels })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Hosts {
        let mut reader = Reader::new("/h/".to_owned());
        for (key, value) in pairs {
            reader.take(format!("/h/{key}").as_bytes(), value.as_bytes());
        }
        reader.finish()
    }

    fn whole() -> Host {
        Host {
            name: "a".into(),
            address: "deploy@192.0.2.1:22".into(),
            roles: vec!["web".into(), "db".into()],
            labels: BTreeMap::from([("rack".into(), "9".into())]),
        }
    }

    #[test]
    fn a_host_is_the_same_as_a_document_and_as_fields() {
        let document = r#"{"name": "a", "address": "deploy@192.0.2.1:22", "roles": ["web", "db"], "labels": {"rack": "9"}}"#;
        for roles in ["web, db", r#" ["web", "db"]"#] {
            let fields = [("a/address", "deploy@192.0.2.1:22\n"), ("a/labels/rack", "9"), ("a/roles", roles)];
            for pairs in [&[("a", document)][..], &fields] {
                assert_eq!(read(pairs), Hosts { hosts: vec![whole()], ..Hosts::default() });
            }
        }
        assert_eq!(read(&[("a", &text(&whole()))]).hosts, [whole()], "what is written is read as it was");
        let mixed = read(&[("", ""), ("a", r#"{"address": "x"}"#), ("b/address", "y"), ("b/roles", "")]);
        assert_eq!(mixed.hosts, [Host::new("a", "x"), Host::new("b", "y")]);
        assert_eq!(mixed.broken, []);
    }

    #[test]
    fn what_is_no_host_is_named_and_the_others_are_there() {
        for (pairs, name, why) in [
            (&[("b", "{")][..], "/h/b", "is no document of a host: EOF"),
            (&[("b", "[]")], "/h/b", "is no document of a host: "),
            (&[("b", r#"{"address": 1}"#)], "/h/b", "is no document of a host: invalid type"),
            (&[("b", r#"{"roles": []}"#)], "/h/b", "missing field `address`"),
            (&[("b", r#"{"address": "x", "role": "web"}"#)], "/h/b", "unknown field `role`"),
            (&[("b", r#"{"address": "x", "name": "c"}"#)], "/h/b", "another name in its document: `c`"),
            (&[("b", "")], "/h/b", "is no document of a host: EOF"),
            (&[("", "x")], "/h/", "has no name"),
            (&[("/address", "x")], "/h//address", "has no name"),
            (&[("b/roles", "web")], "/h/b/address", "is missing"),
            (&[("b/address", "x"), ("b/role", "web")], "/h/b/role", "is no field of a host"),
            (&[("b/address", "x"), ("b/labels/", "web")], "/h/b/labels/", "is no field of a host"),
            (&[("b/address", "x"), ("b/roles", "[web]")], "/h/b/roles", "is no list of words"),
            (&[("b", r#"{"address": "x"}"#), ("b/roles", "web")], "/h/b/roles", "beside a document"),
        ] {
            let pairs: Vec<_> = [("a/address", "y")].iter().chain(pairs).copied().collect();
            let read = read(&pairs);
            assert_eq!(read.hosts, [Host::new("a", "y")], "{pairs:?}");
            let [broken] = &*read.broken else { panic!("{pairs:?}: {:?}", read.broken) };
            assert!(broken.name == name && broken.why.contains(why), "{pairs:?}: {broken:?}");
            let host = if why == "has no name" { None } else { Some("b") };
            assert_eq!(broken.host.as_deref(), host, "{pairs:?}");
        }
        let mut reader = Reader::new("/h/".to_owned());
        reader.take(b"/h/b/address", b"\xff");
        reader.take(b"/h/\xff/address", b"x");
        let read = reader.finish();
        let broken: Vec<_> = read.broken.iter().map(|broken| &*broken.why).collect();
        assert_eq!(broken, ["is no UTF-8 text"]);
        assert_eq!(read.hosts[0].name, "\u{fffd}", "the caller refuses the name");
    }
}
