//! The small files of the archive that is sent: an OCI image layout that is a `docker save` archive at
//! the same time, so that engines of every age and either image store take it. Pure.

use cloudpad_engine::Reference;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::identity::digest;

/// A blob that the layout speaks of.
pub(super) struct Blob {
    /// `sha256:…`.
    pub(super) digest: String,
    /// Its size in bytes.
    pub(super) size: u64,
}

/// What a layout is made from.
pub(super) struct Image<'a> {
    /// The names under which the image is loaded.
    pub(super) names: &'a [String],
    /// Where its blobs stand in the archive.
    pub(super) folder: &'a str,
    /// The image's configuration.
    pub(super) config: Blob,
    /// Its layers, uncompressed, from the bottom up.
    pub(super) layers: Vec<Blob>,
}

/// Where a blob stands in the archive.
///
/// An engine with containerd's store locks what it takes in by its path. One that does not yet know that its
/// connection to us is gone would so keep us from sending the same again; hence `folder`, which no other archive has.
pub(super) fn path(folder: &str, digest: &str) -> String {
    format!("{folder}/{}", digest.replacen(':', "/", 1))
}

/// An image in the list that `docker load` looks for first.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    layers: Vec<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// That list of a layout whose blobs stand in `folder` now.
pub(super) fn moved(list: &[u8], folder: &str) -> Option<Vec<u8>> {
    let mut images: Vec<Listed> = serde_json::from_slice(list).ok()?;
    for path in images.iter_mut().flat_map(|image| image.layers.iter_mut().chain([&mut image.config])) {
        *path = format!("{folder}/{}", path.strip_prefix("blobs/")?);
    }
    serde_json::to_vec(&images).ok()
}

/// The small files, with their paths.
pub(super) fn files(image: &Image<'_>) -> Vec<(String, Vec<u8>)> {
    let manifest = manifest(image).to_string().into_bytes();
    let manifest_blob = Blob { digest: digest(&manifest), size: manifest.len() as u64 };
    vec![
        (path(image.folder, &manifest_blob.digest), manifest),
        ("index.json".into(), index(image.names, &manifest_blob).to_string().into_bytes()),
        ("manifest.json".into(), docker_manifest(image).to_string().into_bytes()),
        ("oci-layout".into(), json!({ "imageLayoutVersion": "1.0.0" }).to_string().into_bytes()),
    ]
}

/// <https://github.com/opencontainers/image-spec/blob/main/manifest.md>
fn manifest(image: &Image<'_>) -> Value {
    let layers = image.layers.iter().map(|layer| descriptor("layer.v1.tar", layer));
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("config.v1+json", &image.config),
        "layers": layers.collect::<Vec<_>>(),
    })
}

fn descriptor(kind: &str, blob: &Blob) -> Value {
    json!({
        "mediaType": format!("application/vnd.oci.image.{kind}"),
        "digest": blob.digest,
        "size": blob.size,
    })
}

/// <https://github.com/opencontainers/image-spec/blob/main/image-index.md>, with the annotation by which
/// containerd names what it imports.
fn index(names: &[String], manifest: &Blob) -> Value {
    let entry = |reference: &String| {
        let mut entry = descriptor("manifest.v1+json", manifest);
        let (name, tag) = named(reference);
        entry["annotations"] = json!({
            "io.containerd.image.name": format!("{name}:{tag}"),
            "org.opencontainers.image.ref.name": tag,
        });
        entry
    };
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": names.iter().map(entry).collect::<Vec<_>>(),
    })
}

/// The list that `docker load` looks for first.
fn docker_manifest(image: &Image<'_>) -> Value {
    let tagged = image.names.iter().map(|reference| {
        let (name, tag) = named(reference);
        format!("{name}:{tag}")
    });
    json!([{
        "Config": path(image.folder, &image.config.digest),
        "RepoTags": tagged.collect::<Vec<_>>(),
        "Layers": image.layers.iter().map(|layer| path(image.folder, &layer.digest)).collect::<Vec<_>>(),
    }])
}

fn named(reference: &str) -> (String, String) {
    let parsed = Reference::parse(reference);
    let tag = parsed.tag_or_latest().unwrap_or("latest").to_owned();
    (parsed.name(), tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_speak_of_the_same_blobs() {
        let blob = |text: &str| Blob { digest: digest(text.as_bytes()), size: text.len() as u64 };
        let (config, layer) = (blob("config"), blob("layer"));
        let path = |digest: &str| path("here", digest);
        let expected = (path(&config.digest), path(&layer.digest));
        let names = ["shop/web:7".to_owned(), "shop/web:20260131T235959Z".to_owned()];
        let files = files(&Image { names: &names, folder: "here", config, layers: vec![layer] });
        let file = |path: &str| -> Value {
            let (_, bytes) = files.iter().find(|(p, _)| p == path).unwrap();
            serde_json::from_slice(bytes).unwrap()
        };
        let docker = &file("manifest.json")[0];
        assert_eq!(
            (docker["Config"].as_str().unwrap(), docker["Layers"][0].as_str().unwrap()),
            (&*expected.0, &*expected.1)
        );
        let tagged = json!(["docker.io/shop/web:7", "docker.io/shop/web:20260131T235959Z"]);
        assert_eq!(docker["RepoTags"], tagged);
        let index = file("index.json");
        let named = |at: usize| index["manifests"][at]["annotations"]["io.containerd.image.name"].clone();
        assert_eq!(json!([named(0), named(1)]), tagged);
        let entry = &index["manifests"][0];
        let manifest = file(&path(entry["digest"].as_str().unwrap()));
        assert_eq!(path(manifest["layers"][0]["digest"].as_str().unwrap()), expected.1);
        assert_eq!(manifest["layers"][0]["size"], 5);
    }

    #[test]
    fn the_list_of_a_layout_follows_its_blobs() {
        let list = json!([{ "Config": "blobs/sha256/c", "RepoTags": ["a:1"], "Layers": ["blobs/sha256/l"] }]);
        let moved = moved(list.to_string().as_bytes(), "here").unwrap();
        let expected =
            json!([{ "Config": "here/sha256/c", "RepoTags": ["a:1"], "Layers": ["here/sha256/l"] }]);
        assert_eq!(serde_json::from_slice::<Value>(&moved).unwrap(), expected);
    }
}
