//! What a registry keeps of an image: manifests, lists of them, and configs. Pure.
//!
//! <https://github.com/opencontainers/image-spec>, and the forms of Docker before it, which have the same fields.

use std::collections::BTreeMap;

use chrono::DateTime;
use cloudpad_plugin_api::model::label;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// All forms of a manifest that are understood, for `Accept`.
pub const FORMS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// A manifest of one image, or of several that are one image for different platforms.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// Of one image.
    pub config: Option<Blob>,
    layers: Vec<Blob>,
    manifests: Vec<Part>,
}

/// Something that a manifest is made of.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Blob {
    /// By what it is found.
    pub digest: String,
    /// How many bytes it has.
    pub size: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    digest: String,
    platform: Platform,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Platform {
    os: String,
}

impl Manifest {
    /// How many bytes it takes for one platform; none where it is for several.
    pub fn size(&self) -> Option<u64> {
        let config = self.config.as_ref()?;
        Some(self.layers.iter().fold(config.size, |sum, layer| sum.saturating_add(layer.size)))
    }

    /// The digests of the manifests that it lists.
    pub fn parts(&self) -> Vec<String> {
        self.manifests.iter().map(|part| part.digest.clone()).collect()
    }

    /// The first that is of an image: what says how one was built is of the platform `unknown`.
    pub fn first_part(&self) -> Option<&str> {
        let first = self.manifests.iter().find(|part| part.platform.os != "unknown");
        first.map(|part| part.digest.as_str())
    }
}

/// What is said of an image in its config.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The reference that it was built as, where it is one of Cloudpad's.
    pub built: Option<String>,
    /// When it was made, in seconds since 1970.
    pub created: Option<i64>,
}

/// Reads an image's config. What is not understood is not told.
pub fn told(config: &[u8]) -> Told {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Image {
        created: Option<String>,
        config: Option<Inner>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Inner {
        #[serde(rename = "Labels")]
        labels: Option<BTreeMap<String, String>>,
    }
    let image: Image = serde_json::from_slice(config).unwrap_or_default();
    let created = image.created.and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
    let mut labels = image.config.and_then(|inner| inner.labels).unwrap_or_default();
    Told { built: labels.remove(label::IMAGE), created: created.map(|time| time.timestamp()) }
}

/// The digest of these bytes.
pub fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_for_one_platform_and_for_several() {
        let one = r#"{"schemaVersion":2,"config":{"digest":"sha256:c","size":10},"layers":[{"digest":"sha256:l","size":5},{"size":7}]}"#;
        let one: Manifest = serde_json::from_str(one).unwrap();
        assert_eq!((one.size(), one.parts(), one.first_part()), (Some(22), Vec::new(), None));
        let several = r#"{"manifests":[{"digest":"sha256:a","platform":{"os":"unknown","architecture":"unknown"}},
                          {"digest":"sha256:b","platform":{"os":"linux"}},{"digest":"sha256:d"}]}"#;
        let several: Manifest = serde_json::from_str(several).unwrap();
        assert_eq!((several.size(), several.first_part()), (None, Some("sha256:b")));
        assert_eq!(several.parts(), ["sha256:a", "sha256:b", "sha256:d"]);
    }

    #[test]
    fn a_config_says_what_it_was_built_as_and_when() {
        let all = br#"{"created":"2026-01-31T23:59:59.5Z","config":{"Labels":{"cloudpad.image":"shop.web:0f","a":"b"}}}"#;
        assert_eq!(told(all), Told { built: Some("shop.web:0f".to_owned()), created: Some(1_769_903_999) });
        for none in
            ["{}", "nonsense", r#"{"created":"yesterday","config":{"Labels":null}}"#, r#"{"config":null}"#]
        {
            assert_eq!(told(none.as_bytes()), Told::default(), "{none}");
        }
    }

    #[test]
    fn a_digest_is_that_of_the_bytes() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b""), empty);
    }
}
