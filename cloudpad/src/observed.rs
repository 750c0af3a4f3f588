//! What was seen before a plan is made: sources, images and hosts, or why a host was not seen. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::build::ImageState;
use cloudpad_plugin_api::stage::cluster;
use cloudpad_plugin_api::stage::deploy::Observation;
use cloudpad_plugin_api::stage::inventory::Publication;
use cloudpad_plugin_api::stage::source::Resolved;

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Observed {
    /// What each source stands for, by its name.
    pub sources: BTreeMap<String, Resolved>,
    /// What identifies each image that is built, by its name.
    pub images: BTreeMap<String, ImageState>,
    /// What ready images mean, by the reference in the config; one that is not here means what its name does.
    #[serde(default)]
    pub pins: BTreeMap<String, Pin>,
    /// What tells the value of each secret from others, by its name.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// What is on each host, by its name.
    pub hosts: BTreeMap<String, HostState>,
    /// What the inventory tells others of the project's instances, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Publication>,
    /// What the cluster runs, where one decides what runs where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Box<cluster::Observation>>,
}

impl Observed {
    /// What is on the hosts that were seen, with their names.
    pub fn seen(&self) -> impl Iterator<Item = (&str, &Observation)> {
        self.hosts.iter().filter_map(|(host, state)| match state {
            HostState::Seen(seen) => Some((host.as_str(), seen)),
            HostState::Unseen(_) => None,
        })
    }

    /// Why the other hosts were not seen, with their names.
    pub fn unseen(&self) -> impl Iterator<Item = (&str, &Failure)> {
        self.hosts.iter().filter_map(|(host, state)| match state {
            HostState::Unseen(failure) => Some((host.as_str(), failure)),
            HostState::Seen(_) => None,
        })
    }

    /// What a reference of the config means now.
    pub fn meant<'a>(&'a self, reference: &'a str) -> &'a str {
        self.pins.get(reference).map_or(reference, |pin| &pin.reference)
    }

    /// The release that begins at `time` with these sources: `TIME`, `TIME-REVISION` where all sources
    /// under version control are at one revision, and `-dirty` where what is built is not committed. See
    /// [`after`](Self::after) for the time.
    pub fn release(&self, time: &str) -> String {
        let time = self.after(time);
        let revisions: BTreeSet<_> = self.sources.values().filter_map(|s| s.revision.as_deref()).collect();
        let revision = match revisions.first() {
            Some(only) if revisions.len() == 1 => format!("-{}", short(only)),
            _ => String::new(),
        };
        let dirty = if self.sources.values().any(|s| s.dirty) { "-dirty" } else { "" };
        format!("{time}{revision}{dirty}")
    }

    /// A time that sorts after that of every release that hosts know: `time`, or where another clock is ahead or this
    /// second has had a release already, the last one's with a number, such as `20260131T235959Z.01`, and
    /// `20260131T235959Z.99.01` after the 99th.
    pub fn after(&self, time: &str) -> String {
        let known = self.seen().flat_map(|(_, seen)| {
            let remembered = seen.releases.iter().flatten().map(|release| release.id.as_str());
            remembered.chain(seen.containers.iter().map(|container| container.release.as_str()))
        });
        let of_cluster = self.cluster.iter().flat_map(|seen| {
            let remembered = seen.releases.iter().flatten().map(|release| release.id.as_str());
            remembered.chain(seen.services.iter().map(|service| service.release.as_str()))
        });
        let known: BTreeSet<&str> = known.chain(of_cluster).collect();
        let last = known.iter().map(|release| time_of(release)).max().unwrap_or_default();
        if last < time {
            return time.to_owned();
        }
        let numbers = known.iter().filter_map(|release| release.strip_prefix(last)).map(numbers_of).max();
        format!("{last}{}", next(numbers.unwrap_or_default()))
    }
}

/// What a reference means.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pin {
    /// The same with its digest.
    pub reference: String,
    /// Why it is what it was before, where its registry does not tell what it is now.
    pub kept: Option<String>,
}

/// The beginning of a revision, in letters that may stand in any name.
fn short(revision: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') { c } else { '_' };
    revision.chars().take(7).map(plain).collect()
}

/// The numbers behind a release's time, such as `.99.01`.
fn numbers_of(rest: &str) -> &str {
    let is_number = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut end = 0;
    while rest[end..].starts_with('.') && rest.get(end + 1..end + 3).as_ref().is_some_and(is_number) {
        end += 3;
    }
    &rest[..end]
}

/// The numbers that sort right behind these.
fn next(numbers: &str) -> String {
    let last = numbers.rsplit_once('.').and_then(|(before, last)| Some((before, last.parse::<u32>().ok()?)));
    match last {
        Some((before, last)) if last < 99 => format!("{before}.{:02}", last + 1),
        _ => format!("{numbers}.01"),
    }
}

/// What stands behind the time in a release's id.
pub fn suffix_of(release: &str) -> &str {
    let rest = release.get(16..).unwrap_or_default();
    rest.find('-').map_or("", |at| &rest[at..])
}

/// The first 16 letters of a release's id, `20260131T235959Z`.
fn time_of(release: &str) -> &str {
    release.get(..16).unwrap_or(release)
}

/// What is on a host.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "nearly all of them are seen")]
pub enum HostState {
    /// This.
    Seen(Observation),
    /// Nobody knows, because the look failed.
    Unseen(Failure),
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::model::Instance;
    use cloudpad_plugin_api::stage::deploy::{Container, State, Status};

    use super::*;

    #[test]
    fn a_release_sorts_after_all_that_are_known() {
        let container = |release: &str| Container {
            id: "c".into(),
            name: "c".into(),
            instance: Instance { service: "web".into(), number: 1 },
            release: release.into(),
            spec_id: String::new(),
            spec: None,
            state: State::Stopped,
            created: 0,
            status: Status::default(),
        };
        let now = "20260131T235959Z";
        let cases = [
            (vec![], "20260131T235959Z"),
            (vec!["20260131T235958Z-fffffff"], "20260131T235959Z"),
            (vec!["20260131T235959Z-fffffff", "20260131T235959Z"], "20260131T235959Z.01"),
            (vec!["20260131T235959Z.01-fffffff", "20260131T235959Z-fffffff"], "20260131T235959Z.02"),
            (vec!["20260201T000000Z-dirty"], "20260201T000000Z.01"),
            (vec!["20260201T000000Z.98-f", "20260201T000000Z.99-0123456"], "20260201T000000Z.99.01"),
            (vec!["20260201T000000Z.99.99-f", "20260201T000000Z.99"], "20260201T000000Z.99.99.01"),
            (vec!["20260201T000000Z.99.01-f", "20260201T000000Z.99"], "20260201T000000Z.99.02"),
            (vec!["by hand"], "by hand.01"),
        ];
        for (known, expected) in cases {
            let containers = known.iter().map(|release| container(release)).collect();
            let seen = HostState::Seen(Observation { containers, ..Observation::default() });
            let observed = Observed { hosts: [("h1".to_owned(), seen)].into(), ..Observed::default() };
            let release = observed.release(now);
            assert_eq!(release, expected);
            assert!(known.iter().all(|known| *known < &*release), "{known:?} {release}");
        }
    }

    #[test]
    fn what_stands_behind_the_time_can_be_said_again() {
        let cases = [
            ("20260131T235959Z", ""),
            ("20260131T235959Z-abc", "-abc"),
            ("20260131T235959Z.01-abc-dirty", "-abc-dirty"),
            ("by hand", ""),
        ];
        for (release, suffix) in cases {
            assert_eq!(suffix_of(release), suffix);
        }
    }

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
            (vec![source("a", Some("v1/ö:2345"), false)], "T-v1___23"),
            (vec![source("a", Some("0123456789"), true), source("b", None, false)], "T-0123456-dirty"),
            (vec![source("a", Some("0123456789"), false), source("b", Some("abcdef0123"), false)], "T"),
        ];
        for (sources, expected) in cases {
            let sources = sources.into_iter().map(|source| (source.name.clone(), source)).collect();
            assert_eq!(Observed { sources, ..Observed::default() }.release("T"), expected);
        }
    }
}
