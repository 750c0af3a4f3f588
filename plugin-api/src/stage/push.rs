//! Stage `push`: how an image gets to the hosts. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::context::NoConfig;
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
