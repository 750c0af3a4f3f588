//! Takes images out of a registry. Talks to the registry.
//!
//! What is removed is a manifest, with all tags that it has. Since it was listed, perhaps before somebody was asked, it may have
//! got one more: so tags are looked at again before each image. There is no request for those of one manifest, but a tag that was
//! looked at a moment ago need not be again.

use std::collections::{BTreeMap, BTreeSet};

use cloudpad_engine::Reference;
use cloudpad_plugin_api::stage::push::{Gone, Remove};
use cloudpad_plugin_api::{Context, Failure, Level, Outcome};
use ureq::http::{Method, StatusCode};

use crate::client::{Ask, Client};
use crate::list::Shelf;
use crate::target::Target;

/// Takes images out by their digests, with all tags that they have, but for those that have got another one since they were
/// listed. One that is gone already is fine.
///
/// # Errors
/// `unreachable` when the registry does not answer or does not let us in; `failed` when it does not remove.
pub async fn remove(cx: &Context, target: &Target, request: &Remove) -> Result<(), Failure> {
    let reference = Reference::parse(&target.name);
    let client = Client::of(&reference).await?;
    let shelf = Shelf { cx, client: &client, target, repository: &reference.repository };
    let planned = request.images.iter().flat_map(|image| &image.tags).cloned().collect();
    let mut tags = Tags { planned, others: BTreeMap::new() };
    let mut outcome = Outcome::None;
    for image in &request.images {
        tags.look(&shelf).await.map_err(|failure| failure.outcome(outcome))?;
        if let Some(tag) = tags.other_of(image) {
            let left = target.by_digest(&image.digest);
            cx.log(Level::Warn, format!("left `{left}`: since it was listed, it has got the tag `{tag}`"));
            continue;
        }
        remove_one(&shelf, image).await.map_err(|failure| failure.outcome(outcome))?;
        outcome = Outcome::Partial;
    }
    Ok(())
}

async fn remove_one(shelf: &Shelf<'_>, image: &Gone) -> Result<(), Failure> {
    let path = format!("/v2/{}/manifests/{}", shelf.repository, image.digest);
    let tried = format!("could not remove `{}`", shelf.target.by_digest(&image.digest));
    let (method, doing) = (Method::DELETE, "remove images");
    let ask = Ask { method, path, accept: "application/json", tried: tried.clone(), doing };
    let answer = shelf.client.ask(shelf.cx, ask).await?;
    match answer.status {
        StatusCode::METHOD_NOT_ALLOWED => Err(never(&tried, &answer.said())),
        _ => Ok(()),
    }
}

/// The tags of a repository.
struct Tags {
    /// Those that were listed of what is to go.
    planned: BTreeSet<String>,
    /// All others that have been looked at, with their digests.
    others: BTreeMap<String, String>,
}

impl Tags {
    /// Takes in what there is now.
    async fn look(&mut self, shelf: &Shelf<'_>) -> Result<(), Failure> {
        let mut now = shelf.tags().await?;
        now.retain(|tag| !self.planned.contains(tag) && !self.others.contains_key(tag));
        let new = shelf.all_tagged(now).await?;
        self.others.extend(new.into_iter().map(|tagged| (tagged.tag, tagged.digest)));
        Ok(())
    }

    /// A tag that an image has got since it was listed.
    fn other_of(&self, image: &Gone) -> Option<&str> {
        self.others.iter().find(|(_, digest)| **digest == image.digest).map(|(tag, _)| tag.as_str())
    }
}

fn never(tried: &str, said: &str) -> Failure {
    let failure = Failure::failed(format!("{tried}: the registry lets nobody remove images")).cause(said);
    failure.hint(
        "`docker-registry` does with `storage.delete.enabled` (`REGISTRY_STORAGE_DELETE_ENABLED=true`); others have a tool of their own",
    )
}
