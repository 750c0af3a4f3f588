//! What a registry has of a repository. Talks to the registry.
//!
//! A tag's manifest is asked for, and not only its digest: that costs the same, and says how large the image is and where its config
//! is, which says when it was made and as what.

use std::collections::BTreeMap;

use cloudpad_engine::{Reference, release_names};
use cloudpad_plugin_api::stage::push::{Listed, Stored};
use cloudpad_plugin_api::{Context, Failure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use ureq::http::{Method, StatusCode};

use crate::client::{Answer, Ask, Client};
use crate::manifest::{self, Manifest, Told};
use crate::paging;
use crate::target::Target;

/// How many requests are under way at a time.
const AT_ONCE: usize = 8;

/// The most pages of a list: who gets more is led in a circle.
const MOST_PAGES: usize = 10_000;

/// Lists the images of a repository, whose images on this machine are `local`.
///
/// # Errors
/// `unreachable` when the registry does not answer or does not let us in; `failed` when what it says cannot be so.
pub async fn list(cx: &Context, target: &Target, local: &str) -> Result<Listed, Failure> {
    let reference = Reference::parse(&target.name);
    let client = Client::of(&reference).await?;
    let shelf = Shelf { cx, client: &client, target, repository: &reference.repository };
    let tags = shelf.tags().await?;
    let mut by_digest: BTreeMap<String, (Manifest, Vec<String>)> = BTreeMap::new();
    for Tagged { tag, digest, manifest } in shelf.all_tagged(tags).await? {
        by_digest.entry(digest).or_insert_with(|| (manifest, Vec::new())).1.push(tag);
    }
    let images =
        by_digest.into_iter().map(|(digest, (manifest, tags))| shelf.stored(local, digest, manifest, tags));
    let images = stream::iter(images).buffer_unordered(AT_ONCE).try_collect::<Vec<Stored>>().await?;
    let mut listed = Listed { place: target.name.clone(), images };
    listed.images.sort_by(|a, b| a.digest.cmp(&b.digest));
    Ok(listed)
}

/// A repository of a registry.
pub struct Shelf<'a> {
    /// Who asks.
    pub cx: &'a Context,
    /// The registry.
    pub client: &'a Client,
    /// The same repository, as people call it.
    pub target: &'a Target,
    /// Within the registry.
    pub repository: &'a str,
}

/// A tag, and what it stands for.
pub struct Tagged {
    /// The tag.
    pub tag: String,
    /// That of the manifest.
    pub digest: String,
    manifest: Manifest,
}

#[derive(Deserialize)]
struct Tags {
    /// None where there is no tag left.
    tags: Option<Vec<String>>,
}

impl Shelf<'_> {
    /// All tags; none of what nobody has pushed to yet.
    ///
    /// # Errors
    /// As of [`list`].
    pub async fn tags(&self) -> Result<Vec<String>, Failure> {
        let mut all = Vec::new();
        let mut path = format!("/v2/{}/tags/list", self.repository);
        for _ in 0..MOST_PAGES {
            let tried = format!("could not list the tags of `{}`", self.target.name);
            let ask = self.get(path.clone(), "application/json", tried.clone());
            let is_list = |answer: &Answer| match answer.status {
                StatusCode::OK => {
                    tags(&answer.body).map(drop).map_err(|error| format!("the list is none: {error}"))
                }
                _ => Ok(()),
            };
            let page = self.client.ask_for(self.cx, ask, is_list).await?;
            if page.status != StatusCode::OK {
                return Ok(all);
            }
            all.extend(tags(&page.body).unwrap_or_default());
            let next = paging::next(self.client.base(), &path, page.header("link")).map_err(|to| {
                Failure::failed(format!(
                    "{tried}: it says that the list goes on at `{to}`, and is not followed there"
                ))
            })?;
            match next {
                Some(next) => path = next,
                None => return Ok(all),
            }
        }
        Err(Failure::failed(format!(
            "the list of tags of `{}` does not end after {MOST_PAGES} pages",
            self.target.name
        )))
    }

    /// What these tags stand for, but for those that are gone meanwhile.
    ///
    /// # Errors
    /// As of [`list`].
    pub async fn all_tagged(&self, tags: Vec<String>) -> Result<Vec<Tagged>, Failure> {
        let tagged = stream::iter(tags).map(|tag| self.tagged(tag)).buffer_unordered(AT_ONCE);
        let tagged: Vec<Option<Tagged>> = tagged.try_collect().await?;
        Ok(tagged.into_iter().flatten().collect())
    }

    /// What a tag stands for; nothing where it is gone meanwhile.
    async fn tagged(&self, tag: String) -> Result<Option<Tagged>, Failure> {
        let Some((digest, manifest)) = self.manifest(&tag).await? else { return Ok(None) };
        Ok(Some(Tagged { tag, digest, manifest }))
    }

    /// The manifest of a tag or a digest, with its digest.
    async fn manifest(&self, what: &str) -> Result<Option<(String, Manifest)>, Failure> {
        let tried = format!("could not look at `{what}` of `{}`", self.target.name);
        let path = format!("/v2/{}/manifests/{what}", self.repository);
        let answer = self.whole(path, what, tried.clone()).await?;
        let Some(answer) = answer else { return Ok(None) };
        let read = serde_json::from_slice(&answer.body);
        let manifest =
            read.map_err(|error| Failure::failed(format!("{tried}: it is no manifest: {error}")))?;
        Ok(Some((manifest::digest(&answer.body), manifest)))
    }

    async fn stored(
        &self,
        local: &str,
        digest: String,
        manifest: Manifest,
        tags: Vec<String>,
    ) -> Result<Stored, Failure> {
        let Told { built, created } = self.told(&manifest).await?;
        let names: Vec<String> = tags.iter().map(|tag| format!("{local}:{tag}")).collect();
        // None of them is what it was built as, of which there is no release.
        let for_people = release_names(&format!("{local}:"), &names);
        let (mut releases, mut tags): (Vec<String>, Vec<String>) =
            tags.into_iter().partition(|tag| for_people.contains(&format!("{local}:{tag}")));
        releases.sort();
        tags.sort();
        let (size, parts) = (manifest.size(), manifest.parts());
        Ok(Stored { digest, tags, releases, built, created, size, parts })
    }

    /// What is said of an image, or of the first of those that are one image for several platforms.
    async fn told(&self, manifest: &Manifest) -> Result<Told, Failure> {
        if let Some(config) = &manifest.config {
            return self.config(&config.digest).await;
        }
        let part = match manifest.first_part() {
            Some(part) => self.manifest(part).await?,
            None => None,
        };
        match part.and_then(|(_, part)| part.config) {
            Some(config) => self.config(&config.digest).await,
            None => Ok(Told::default()),
        }
    }

    async fn config(&self, digest: &str) -> Result<Told, Failure> {
        let tried = format!("could not look at `{digest}` of `{}`", self.target.name);
        let path = format!("/v2/{}/blobs/{digest}", self.repository);
        let answer = self.whole(path, digest, tried).await?;
        Ok(answer.map(|answer| manifest::told(&answer.body)).unwrap_or_default())
    }

    /// An answer whose bytes are those of its digest: of the one that is asked for, and that the registry says; nothing where
    /// there is none.
    async fn whole(&self, path: String, what: &str, tried: String) -> Result<Option<Answer>, Failure> {
        let is_whole = |answer: &Answer| {
            let wanted = Some(what).filter(|what| what.contains(':'));
            let said = answer.header("docker-content-digest");
            let is = manifest::digest(&answer.body);
            match wanted.into_iter().chain(said).find(|digest| **digest != is) {
                Some(digest) if answer.status == StatusCode::OK => {
                    Err(format!("verification failed: `{digest}` should have come, and `{is}` has"))
                }
                _ => Ok(()),
            }
        };
        let ask = self.get(path, manifest::FORMS, tried);
        let answer = self.client.ask_for(self.cx, ask, is_whole).await?;
        Ok(Some(answer).filter(|answer| answer.status == StatusCode::OK))
    }

    fn get(&self, path: String, accept: &'static str, tried: String) -> Ask {
        Ask { method: Method::GET, path, accept, tried, doing: "list images" }
    }
}

fn tags(body: &[u8]) -> serde_json::Result<Vec<String>> {
    serde_json::from_slice(body).map(|list: Tags| list.tags.unwrap_or_default())
}
