//! The small files of the archive that is sent: an OCI image layout that is a `docker save` archive at
//! the same time, so that engines of every age and either image store take it. Pure.

use cloudpad_engine::Reference;
use serde_json::{Value, json};

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
    /// The name under which the image is loaded.
    pub(super) reference: &'a str,
    /// The image's configuration.
    pub(super) config: Blob,
    /// Its layers, uncompressed, from the bottom up.
    pub(super) layers: Vec<Blob>,
}

/// Where a blob stands in the archive.
pub(super) fn path(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

/// The small files, with their paths.
pub(super) fn files(image: &Image<'_>) -> Vec<(String, Vec<u8>)> {
    let manifest = manifest(image).to_string().into_bytes();
    let manifest_blob = Blob { digest: digest(&manifest), size: manifest.len() as u64 };
    vec![
        (path(&manifest_blob.digest), manifest),
        ("index.json".into(), index(image.reference, &manifest_blob).to_string().into_bytes()),
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
fn index(reference: &str, manifest: &Blob) -> Value {
    let mut entry = descriptor("manifest.v1+json", manifest);
    let (name, tag) = named(reference);
    entry["annotations"] = json!({
        "io.containerd.image.name": format!("{name}:{tag}"),
        "org.opencontainers.image.ref.name": tag,
    });
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    })
}

/// The list that `docker load` looks for first.
fn docker_manifest(image: &Image<'_>) -> Value {
    let (name, tag) = named(image.reference);
    json!([{
        "Config": path(&image.config.digest),
        "RepoTags": [format!("{name}:{tag}")],
        "Layers": image.layers.iter().map(|layer| path(&layer.digest)).collect::<Vec<_>>(),
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
        let expected = (path(&config.digest), path(&layer.digest));
        let files = files(&Image { reference: "shop/web:7", config, layers: vec![layer] });
        let file = |path: &str| -> Value {
            let (_, bytes) = files.iter().find(|(p, _)| p == path).unwrap();
            serde_json::from_slice(bytes).unwrap()
        };
        let docker = &file("manifest.json")[0];
        assert_eq!(
            (docker["Config"].as_str().unwrap(), docker["Layers"][0].as_str().unwrap()),
            (&*expected.0, &*expected.1)
        );
        assert_eq!(docker["RepoTags"][0], "docker.io/shop/web:7");
        let entry = &file("index.json")["manifests"][0];
        assert_eq!(entry["annotations"]["io.containerd.image.name"], "docker.io/shop/web:7");
        let manifest = file(&path(entry["digest"].as_str().unwrap()));
        assert_eq!(path(manifest["layers"][0]["digest"].as_str().unwrap()), expected.1);
        assert_eq!(manifest["layers"][0]["size"], 5);
    }
}
