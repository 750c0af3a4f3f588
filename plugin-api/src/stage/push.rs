//! Stage `push`: how an image gets to the hosts. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::context::NoConfig;
use crate::lenient::or_empty;
use crate::model::Host;
use crate::{Context, Failure, PushScope};

/// Brings images to where hosts can have them.
pub trait Push: Send + Sync {
    /// Whether the configuration in `cx` is one that the provider can work with. Touches nothing.
    ///
    /// # Errors
    /// `invalid`, saying what is wrong with it.
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<NoConfig>().map(|_| ())
    }

    /// Whether an image is pushed to each host, or once for all.
    fn scope(&self) -> PushScope;

    /// Pushes one image. What is there already is not sent again, and a push that is broken off
    /// leaves nothing that could be mistaken for the image.
    ///
    /// # Errors
    /// `unreachable` when the host or registry does not answer or does not let us in; `failed` when
    /// it does not take the image.
    fn run(&self, cx: &Context, request: &Run) -> Result<Pushed, Failure>;

    /// Whether [`Push::list`] and [`Push::remove`] are offered: what is pushed stays in a place that can be asked for it then.
    fn is_kept(&self) -> bool {
        false
    }

    /// Lists what is kept of one repository; nothing of one that nobody has pushed to yet.
    ///
    /// # Errors
    /// `unreachable` when the place does not answer or does not let us in; `failed` when what it says cannot be so.
    fn list(&self, cx: &Context, request: &List) -> Result<Listed, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("push.list"))
    }

    /// Takes images out, each with all of its tags. One that is gone already is fine; one that has got a tag since it was
    /// listed is left, and that is logged.
    ///
    /// # Errors
    /// `unreachable` when the place does not answer or does not let us in; `failed` when it does not remove.
    fn remove(&self, cx: &Context, request: &Remove) -> Result<(), Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("push.remove"))
    }
}

/// The request `push.run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The image on this machine.
    pub reference: String,
    /// The host to bring it to; none where the scope is shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Arc<Host>>,
    /// References that the host has and that may share layers with the image, most likely first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub similar: Vec<String>,
}

/// The reply to `push.run`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// By what a host finds the image: the same reference after a direct push, one with a digest
    /// after a push to a registry.
    pub reference: String,
    /// How many bytes of the image were sent, 0 when it was there; none where the provider cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
}

/// The request `push.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// What the images are called on this machine, without a tag.
    pub repository: String,
}

/// The reply to `push.list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// What the repository is called where it is kept, for people.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// All images that have a tag there, each once. They have to be told, be there none.
    #[serde(deserialize_with = "or_empty")]
    pub images: Vec<Stored>,
}

/// An image that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// What identifies it, such as `sha256:…`: that of the list, where it is one for several platforms.
    pub digest: String,
    /// Its tags but for those of `releases`, sorted.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Those of its tags that are releases, for people to read ([`Run::also`](super::build::Run::also)), sorted.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<String>,
    /// The reference that it was built as, by its label ([`label::IMAGE`](crate::model::label::IMAGE)); none where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built: Option<String>,
    /// When it was made, in seconds since 1970, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<i64>,
    /// How many bytes it takes there, where that is known; what it shares with others is counted for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The digests of the images that are in it, where it is one for several platforms.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
}

/// The request `push.remove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    /// As in [`List::repository`].
    pub repository: String,
    /// What goes.
    pub images: Vec<Gone>,
}

/// An image that is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// [`Stored::digest`].
    pub digest: String,
    /// All tags that it had when it was listed.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}
