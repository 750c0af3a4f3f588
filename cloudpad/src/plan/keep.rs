//! Which of the project's images in a registry are needed, and which it can do without. Pure.
//!
//! What a registry removes is a manifest, with all tags that it has: so images are told apart by their digests, and one goes only
//! where none of its tags is anybody else's. Environments share images, so all of them have to be seen.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_plugin_api::Request;
use cloudpad_plugin_api::stage::push::{Gone, Listed, Remove, Stored};
use serde::Serialize;

use super::graph::Graph;
use super::look::repository;
use super::needs::{Needs, Uses};
use super::{Note, Plan};
use crate::config::{Config, Image};
use crate::words::{plural, some_of};

/// What becomes of an image in a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Somebody needs it.
    Needed,
    /// It is one of the newest, which are kept.
    Recent,
    /// Another one that stays has it in it.
    Part,
    /// It is not, or not only, Cloudpad's.
    Foreign,
    /// It cannot be told whether anybody needs it.
    Unclear,
    /// Nobody needs it.
    Spare,
}

/// An image in a registry, and what becomes of it.
#[derive(Debug)]
pub struct Judged<'a> {
    /// What the registry has.
    pub stored: &'a Stored,
    /// Who needs it.
    pub uses: Uses,
    /// What becomes of it.
    pub fate: Fate,
}

/// The images of a repository, newest first. So many of the newest are kept, beside those that are needed.
pub fn judged<'a>(repository: &str, stored: &'a [Stored], needs: &Needs, keep: usize) -> Vec<Judged<'a>> {
    let mut all: Vec<&Stored> = stored.iter().collect();
    all.sort_by(|a, b| age(b).cmp(&age(a)));
    let mut ours = 0;
    let judge = |stored| {
        let uses = needs.of(repository, stored);
        let is_foreign = foreign(repository, stored).is_some();
        ours += usize::from(!is_foreign);
        let fate = match () {
            () if !uses.is_empty() => Fate::Needed,
            () if is_foreign => Fate::Foreign,
            () if ours <= keep => Fate::Recent,
            () if !needs.unclear().is_empty() => Fate::Unclear,
            () => Fate::Spare,
        };
        Judged { stored, uses, fate }
    };
    let mut judged: Vec<Judged<'a>> = all.into_iter().map(judge).collect();
    while hold_parts(&mut judged) {}
    judged
}

/// Keeps what is in an image that stays; whether there was any.
fn hold_parts(judged: &mut [Judged<'_>]) -> bool {
    let staying = judged.iter().filter(|image| image.fate != Fate::Spare);
    let parts: BTreeSet<&str> = staying.flat_map(|image| &image.stored.parts).map(String::as_str).collect();
    let is_part =
        |image: &&mut Judged<'_>| image.fate == Fate::Spare && parts.contains(&*image.stored.digest);
    let mut has_held = false;
    for image in judged.iter_mut().filter(is_part) {
        image.fate = Fate::Part;
        has_held = true;
    }
    has_held
}

/// What tells which of two images is the newer one: a release says when it was, and an image when it was made.
fn age(stored: &Stored) -> (Option<&str>, Option<i64>, &str) {
    (stored.releases.iter().map(String::as_str).max(), stored.created, &stored.digest)
}

/// Which tags of an image are not Cloudpad's; none where it is built by Cloudpad and has no others.
fn foreign<'a>(repository: &str, stored: &'a Stored) -> Option<Vec<&'a str>> {
    let built = stored.built.as_deref().and_then(|built| built.strip_prefix(repository)?.strip_prefix(':'));
    let others: Vec<&str> =
        stored.tags.iter().map(String::as_str).filter(|tag| Some(*tag) != built).collect();
    (built.is_none() || !others.is_empty()).then_some(others)
}

/// The repositories of the images of these configs, and of those that hosts need of the project, sorted.
pub fn repositories<'a>(configs: impl IntoIterator<Item = &'a Config>, needs: &Needs) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for config in configs {
        let built = config.images.iter().filter(|(_, image)| matches!(image, Image::Built(_)));
        all.extend(built.map(|(name, _)| repository(&config.project, name)));
        all.extend(needs.repositories(&config.project));
    }
    all
}

/// Decides what a registry can do without, of what it has by repository.
pub fn prune_registry(listed: &BTreeMap<String, Listed>, needs: &Needs, keep: usize) -> Plan {
    let (mut graph, mut notes, mut unknown) = (Graph::default(), Vec::new(), 0);
    for (repository, Listed { place, images }) in listed {
        let judged = judged(repository, images, needs, keep);
        let spare = judged.iter().filter(|image| image.fate == Fate::Spare);
        let spare: Vec<&Stored> = spare.map(|image| image.stored).collect();
        unknown += spare.iter().filter(|stored| is_of_unknown(stored, needs)).count();
        let images: Vec<Gone> = spare.into_iter().map(gone).collect();
        if !images.is_empty() {
            let remove = Remove { repository: repository.clone(), images };
            graph.add(format!("remove/{repository}"), None, Vec::new(), Request::PushRemove(remove));
        }
        notes.extend(left(repository, place, &judged));
    }
    let actions = graph.finish().unwrap_or_default();
    if !needs.unclear().is_empty() {
        let who = some_of(needs.unclear());
        let message = format!("it is not understood what {who} is made from, so no image is removed");
        notes.push(Note { incomplete: true, message });
    }
    notes.extend((unknown > 0).then(|| of_unknown(unknown)));
    if !actions.is_empty() {
        let message = "a registry has the space again once it collects its garbage".to_owned();
        notes.push(Note { incomplete: false, message });
    }
    Plan { actions, notes, ..Plan::default() }
}

/// Whether an image is of releases that no host remembers. Hosts forget, but another file of the project may have others.
fn is_of_unknown(stored: &Stored, needs: &Needs) -> bool {
    !stored.releases.is_empty() && !stored.releases.iter().any(|release| needs.remembers(release))
}

fn of_unknown(count: usize) -> Note {
    let is = if count == 1 { "is" } else { "are" };
    let message = format!(
        "{} {is} of releases that no host of this file remembers: they are forgotten, or run on hosts that are not in it, and are removed all the same",
        plural(count, "image")
    );
    Note { incomplete: false, message }
}

fn gone(stored: &Stored) -> Gone {
    let tags = stored.releases.iter().chain(&stored.tags).cloned().collect();
    Gone { digest: stored.digest.clone(), tags }
}

/// What there is to say of images that are left since they are somebody else's.
fn left(repository: &str, place: &str, judged: &[Judged<'_>]) -> Option<Note> {
    let foreign = judged.iter().filter(|image| image.fate == Fate::Foreign);
    let tags = foreign.flat_map(|image| foreign_names(repository, image.stored));
    let tags: Vec<String> = tags.map(|tag| format!("`{tag}`")).collect();
    let message = format!("not Cloudpad's, and left in `{place}`: {}", some_of(&tags));
    (!tags.is_empty()).then_some(Note { incomplete: false, message })
}

/// The tags that make an image somebody else's.
fn foreign_names<'a>(repository: &str, stored: &'a Stored) -> Vec<&'a str> {
    match foreign(repository, stored) {
        Some(tags) if tags.is_empty() => stored.releases.iter().map(String::as_str).collect(),
        tags => tags.unwrap_or_default(),
    }
}
