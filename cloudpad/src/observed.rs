//! What was seen before a plan is made: sources, images and hosts, or why a host was not seen. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::build::ImageState;
use cloudpad_plugin_api::stage::deploy::Observation;
use cloudpad_plugin_api::stage::source::Resolved;

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Observed {
    /// What each source stands for, by its name.
    pub sources: BTreeMap<String, Resolved>,
    /// What identifies each image that is built, by its name.
    pub images: BTreeMap<String, ImageState>,
    /// What tells the value of each secret from others, by its name.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// What is on each host, by its name.
    pub hosts: BTreeMap<String, HostState>,
}

impl Observed {
    /// The release that begins at `time` with these sources: `TIME`, `TIME-REVISION` where all sources
    /// under version control are at one revision, and `-dirty` where what is built is not committed.
    pub fn release(&self, time: &str) -> String {
        let revisions: BTreeSet<_> = self.sources.values().filter_map(|s| s.revision.as_deref()).collect();
        let revision = match revisions.first() {
            Some(only) if revisions.len() == 1 => format!("-{}", only.get(..7).unwrap_or(only)),
            _ => String::new(),
        };
        let dirty = if self.sources.values().any(|s| s.dirty) { "-dirty" } else { "" };
        format!("{time}{revision}{dirty}")
    }
}

/// What is on a host.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    /// This.
    Seen(Observation),
    /// Nobody knows, because the look failed.
    Unseen(Failure),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_says_when_what_and_whether_it_is_committed() {
        let source = |name: &str, revision: Option<&str>, dirty| Resolved {
            name: name.to_owned(),
            revision: revision.map(str::to_owned),
            dirty,
            path: "/src".into(),
            pinned: false,
        };
        let cases = [
            (vec![], "T"),
            (vec![source("a", None, false)], "T"),
            (vec![source("a", Some("0123456789"), false)], "T-0123456"),
            (vec![source("a", Some("0123456789"), true), source("b", None, false)], "T-0123456-dirty"),
            (vec![source("a", Some("0123456789"), false), source("b", Some("abcdef0123"), false)], "T"),
        ];
        for (sources, expected) in cases {
            let sources = sources.into_iter().map(|source| (source.name.clone(), source)).collect();
            assert_eq!(Observed { sources, ..Observed::default() }.release("T"), expected);
        }
    }
}
