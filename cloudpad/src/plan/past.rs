//! What hosts remember of releases: what was to run on one at a time, and what they may forget. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use cloudpad_plugin_api::model::ContainerSpec;
use cloudpad_plugin_api::stage::deploy::{Container, ImageRef, Observation, Recorded, Release};

use crate::observed::Observed;

/// What was to run on a host at the time of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At<'a> {
    /// What this release says, the last one until then that has changed something there.
    Recorded(&'a Release),
    /// Nothing of the project was there yet.
    Nothing,
    /// The host does not remember that far back.
    Forgotten,
}

/// What was to run on the host at the time of the release `id`.
pub fn at<'a>(seen: &'a Observation, id: &str) -> At<'a> {
    let known = known(seen);
    match (known.iter().rev().find(|release| *release.id <= *id), known.first()) {
        (Some(release), _) => At::Recorded(release),
        (None, Some(oldest)) if oldest.first => At::Nothing,
        (None, None) if seen.containers.is_empty() => At::Nothing,
        (None, _) => At::Forgotten,
    }
}

/// The releases that a host remembers, by id.
pub fn known(seen: &Observation) -> &[Release] {
    seen.releases.as_deref().unwrap_or_default()
}

/// The release whose containers are to run on the host now.
pub fn current(seen: &Observation) -> Option<&Release> {
    known(seen).last()
}

/// How many releases of a host may be told apart, beside the current one, is for `keep` to say. Those that are older are
/// told here: a prefix of `releases`, since what is left has to be whole.
///
/// Going back and forth makes releases and no new contents; so that a host does not remember ever more of them, there
/// is a limit to their number too.
pub(super) fn surplus<'a>(releases: &[&'a Release], keep: u32) -> Vec<&'a Release> {
    const OF_EACH: usize = 4;
    let keep = keep as usize + 1;
    let mut contents: Vec<&[Recorded]> = Vec::new();
    for (place, release) in releases.iter().enumerate().rev() {
        if !contents.contains(&release.containers.as_slice()) {
            contents.push(&release.containers);
        }
        if contents.len() > keep || releases.len() - place > keep * OF_EACH {
            return releases[..=place].to_vec();
        }
    }
    Vec::new()
}

/// The newest release that any of these hosts remembers.
pub(crate) fn last<'a>(hosts: impl Iterator<Item = &'a Observation>) -> Option<&'a str> {
    hosts.filter_map(current).map(|release| release.id.as_str()).max()
}

/// Whether a container is of a release that was begun after `last`, the newest that hosts remember, and has not come to its
/// end: what it is made from is in no record of its host.
pub(crate) fn is_unfinished(seen: &Observation, container: &Container, last: &str) -> bool {
    let is_known = |release: &Release| release.containers.iter().any(|old| old.spec_id == container.spec_id);
    *container.release > *last && !known(seen).iter().any(is_known)
}

/// Every release that a host remembers, as often as one does.
pub fn all(observed: &Observed) -> impl Iterator<Item = &Release> {
    observed.seen().flat_map(|(_, seen)| known(seen))
}

/// The newest release of those that say where else the project is.
pub fn widest<'a>(releases: impl IntoIterator<Item = &'a Release>) -> Option<&'a Release> {
    releases.into_iter().filter(|release| !release.hosts.is_empty()).max_by(|a, b| a.id.cmp(&b.id))
}

/// From where images can be pulled, as far as any host remembers it, by reference.
pub(super) fn pulls(observed: &Observed) -> BTreeMap<&str, &ImageRef> {
    let images = all(observed).flat_map(|release| &release.images);
    images.map(|(reference, from)| (reference.as_str(), from)).collect()
}

/// The spec of a container of the release; none when it is not understood.
pub(super) fn spec<'a>(release: &'a Release, recorded: &Recorded) -> Option<&'a Arc<ContainerSpec>> {
    release.specs.get(&recorded.spec_id)
}

#[cfg(test)]
mod tests {
    use cloudpad_plugin_api::model::Instance;

    use super::*;

    fn release(id: &str, first: bool, content: &str) -> Release {
        let instance = Instance { service: "web".to_owned(), number: 1 };
        Release {
            id: id.to_owned(),
            first,
            containers: vec![Recorded { instance, spec_id: content.to_owned() }],
            ..Release::default()
        }
    }

    fn seen(releases: Vec<Release>) -> Observation {
        Observation { releases: Some(releases), ..Observation::default() }
    }

    #[test]
    fn what_was_to_run_is_what_the_last_release_until_then_says() {
        let told = |seen: &Observation, id: &str| match at(seen, id) {
            At::Recorded(release) => release.id.clone(),
            At::Nothing => "nothing".to_owned(),
            At::Forgotten => "forgotten".to_owned(),
        };
        for (first, before) in [(true, "nothing"), (false, "forgotten")] {
            let host = seen(vec![release("2", first, "a"), release("4", false, "b")]);
            let all: Vec<_> = ["1", "2", "3", "4", "5"].iter().map(|id| told(&host, id)).collect();
            assert_eq!(all, [before, "2", "2", "4", "4"]);
        }
        assert_eq!(told(&seen(Vec::new()), "1"), "nothing");
    }

    #[test]
    fn as_many_contents_are_remembered_as_are_kept_and_the_current_one() {
        let cases: [(&str, u32, &str); 6] = [
            ("a", 0, ""),
            ("ab", 0, "a"),
            ("abc", 1, "a"),
            // Going back to what is remembered makes nothing be forgotten.
            ("abcbacb", 2, ""),
            ("abcbd", 2, "a"),
            // But not for ever.
            ("ababababa", 1, "a"),
        ];
        for (contents, keep, forgotten) in cases {
            let id = |place: usize| format!("{place:02}");
            let all = contents.chars().enumerate();
            let all: Vec<_> = all.map(|(place, c)| release(&id(place), false, &c.to_string())).collect();
            let surplus = surplus(&all.iter().collect::<Vec<_>>(), keep);
            let told: String = surplus.iter().map(|release| release.containers[0].spec_id.as_str()).collect();
            assert_eq!(told, forgotten, "{contents} {keep}");
        }
    }
}
