//! What references of images mean now. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::lenient::{if_understood, or_empty};
use crate::model::Host;

/// The request `deploy.resolve`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolve {
    /// Whose engine asks, as it would to pull them.
    pub host: Arc<Host>,
    /// References of images in registries, each with or without a tag.
    pub images: Vec<String>,
}

/// The reply to `deploy.resolve`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// What is known of each image.
    #[serde(default, deserialize_with = "or_empty", skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Digest>,
}

/// What a reference means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The reference that was asked for.
    pub image: String,
    /// What its registry has under that name, such as `sha256:…`.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Why that is not known.
    #[serde(default, deserialize_with = "if_understood", skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}
