//! Images that are put into a registry as they are, without an engine. I/O: HTTP.

use cloudpad_plugin_api::stage::push::Stored;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A repository of a registry to which everybody, or user `ann`, may push.
pub struct Shelf {
    address: String,
    repository: String,
    authorization: String,
}

impl Shelf {
    pub fn of(address: &str, repository: &str) -> Self {
        let (address, repository) = (address.to_owned(), repository.to_owned());
        Self { address, repository, authorization: format!("Basic {}", crate::private::RIGHT) }
    }

    /// Puts an image there that says that it was built as `built` so many seconds after 1970; as it is then listed.
    pub fn put(&self, built: Option<&str>, created: i64, tags: &[&str]) -> Stored {
        let labels = built.map(|built| json!({ "cloudpad.image": built }));
        let time = format!("1970-01-01T00:{:02}:{:02}Z", created / 60, created % 60);
        let config = json!({ "created": time, "config": { "Labels": labels }, "rootfs": { "type": "layers", "diff_ids": [] } });
        let config = config.to_string();
        let digest = self.blob(config.as_bytes());
        let size = config.len() as u64;
        let config = json!({ "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": size });
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [] });
        let built = built.map(str::to_owned);
        Stored {
            size: Some(size),
            ..self.tagged(&manifest, Stored { built, created: Some(created), ..Stored::default() }, tags)
        }
    }

    /// Puts one there that is `image` for one platform, and something else for another.
    pub fn put_several(&self, image: &Stored, tags: &[&str]) -> Stored {
        let other = self.put(None, 1, &["other"]);
        let part = |of: &Stored, os: &str| {
            let length = self.bytes(&of.digest).len();
            json!({ "mediaType": MANIFEST, "digest": of.digest, "size": length, "platform": { "os": os, "architecture": "amd64" } })
        };
        let parts = vec![other.digest.clone(), image.digest.clone()];
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [part(&other, "unknown"), part(image, "linux")] });
        let stored =
            Stored { built: image.built.clone(), created: image.created, parts, ..Stored::default() };
        self.tagged(&index, stored, tags)
    }

    fn tagged(&self, manifest: &Value, stored: Stored, tags: &[&str]) -> Stored {
        let (text, form) = (manifest.to_string(), manifest["mediaType"].as_str().unwrap());
        for tag in tags {
            let put =
                ureq::put(self.url(&format!("manifests/{tag}"))).header("Authorization", &self.authorization);
            put.content_type(form).send(text.as_bytes()).unwrap();
        }
        let is_release = |tag: &&&str| tag.len() > 15;
        let (releases, tags): (Vec<&str>, Vec<&str>) = tags.iter().partition(|tag| is_release(tag));
        let owned = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect();
        Stored { digest: digest(text.as_bytes()), tags: owned(tags), releases: owned(releases), ..stored }
    }

    fn blob(&self, bytes: &[u8]) -> String {
        let digest = digest(bytes);
        let begun = ureq::post(self.url("blobs/uploads/")).header("Authorization", &self.authorization);
        let begun = begun.send_empty().unwrap();
        let place = begun.headers()["location"].to_str().unwrap();
        let mark = if place.contains('?') { '&' } else { '?' };
        let put =
            ureq::put(format!("{place}{mark}digest={digest}")).header("Authorization", &self.authorization);
        put.content_type("application/octet-stream").send(bytes).unwrap();
        digest
    }

    fn bytes(&self, digest: &str) -> Vec<u8> {
        let get =
            ureq::get(self.url(&format!("manifests/{digest}"))).header("Authorization", &self.authorization);
        get.header("Accept", MANIFEST).call().unwrap().body_mut().read_to_vec().unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/v2/{}/{path}", self.address, self.repository)
    }
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    format!("sha256:{}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
