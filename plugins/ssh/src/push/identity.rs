//! Which layer a directory of a `docker save` archive holds. Pure.
//!
//! Engines before 25 name these directories by an id of their own, and the list that says which is
//! which comes last in the archive, too late for whoever reads it as a stream. But the id is a
//! checksum: of the directory's `json`, with the layer's chain id and the parent's id put in
//! (`image/v1.CreateID` in moby). So each layer that it could be is tried, and the one that gives the
//! id is it, beyond doubt.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// `sha256:…` of `bytes`.
pub(super) fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// The chain ids of layers, each the identity of a layer together with all below it (OCI image spec).
pub(super) fn chain_ids(diff_ids: &[String]) -> Vec<String> {
    let mut chain: Vec<String> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        let id = match chain.last() {
            Some(below) => digest(format!("{below} {diff_id}").as_bytes()),
            None => diff_id.clone(),
        };
        chain.push(id);
    }
    chain
}

/// The layer, counted from the bottom, that the directory `id` with this `json` holds.
pub(super) fn layer(id: &str, json: &[u8], chain_ids: &[String]) -> Option<usize> {
    let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(json).ok()?;
    let expected = format!("sha256:{id}");
    (0..chain_ids.len()).find(|&n| {
        // The topmost layer's id was computed with the image's `os`, the others' without.
        [false, true].iter().any(|&os| computed(&fields, &chain_ids[n], os).as_ref() == Some(&expected))
    })
}

/// The id that a directory with these fields has when it holds the layer with this chain id.
fn computed(fields: &BTreeMap<String, Box<RawValue>>, chain_id: &str, os: bool) -> Option<String> {
    let mut fields = fields.clone();
    fields.remove("id");
    if !os {
        fields.remove("os");
    }
    if let Some(parent) = fields.remove("parent") {
        let parent: String = serde_json::from_str(parent.get()).ok()?;
        fields.insert("parent".into(), raw(&format!("sha256:{parent}"))?);
    }
    fields.insert("layer_id".into(), raw(chain_id)?);
    // Both sides write the names in order and the values as they were.
    Some(digest(&serde_json::to_vec(&fields).ok()?))
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_id_is_the_checksum_of_the_one_below_and_the_layer() {
        let a = digest(b"a");
        let b = digest(b"b");
        assert_eq!(a, "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
        let expected = digest(format!("{a} {b}").as_bytes());
        assert_eq!(chain_ids(&[a.clone(), b]), [a, expected]);
    }

    #[test]
    fn what_gives_no_known_id_is_no_layer() {
        assert_eq!(layer("00", b"{\"id\":\"00\"}", &[digest(b"a")]), None);
        assert_eq!(layer("00", b"not json", &[digest(b"a")]), None);
    }
}
