//! What the engine says while it pushes. Pure.
//!
//! The stream of `POST /images/{name}/push`: one JSON object a line. Its `progressDetail` counts the
//! bytes of a layer before they are compressed; a layer that the registry has gets none.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A line of the stream.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Line {
    id: String,
    #[serde(rename = "progressDetail")]
    detail: Detail,
    aux: Aux,
    /// Why the push has failed.
    pub error: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    current: u64,
    total: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Aux {
    digest: Option<String>,
}

/// How far the push is.
#[derive(Debug, Default)]
pub struct Layers {
    sent: BTreeMap<String, (u64, u64)>,
    /// The image's digest in the registry, once all is there.
    pub digest: Option<String>,
}

impl Layers {
    /// Takes a line in; whether more bytes are sent than before.
    pub fn take(&mut self, line: Line) -> bool {
        if let Some(digest) = line.aux.digest {
            self.digest = Some(digest);
        }
        if line.detail.current == 0 {
            return false;
        }
        let (current, total) = self.sent.entry(line.id).or_default();
        *total = (*total).max(line.detail.total);
        let more = line.detail.current > *current;
        *current = (*current).max(line.detail.current);
        more
    }

    /// Bytes sent so far.
    pub fn done(&self) -> u64 {
        self.sent.values().map(|(current, _)| current).sum()
    }

    /// Bytes of the layers of which anything was sent. A layer is counted without the headers of its
    /// files, but sent with them.
    pub fn total(&self) -> u64 {
        self.sent.values().map(|(current, total)| current.max(total)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(lines: &[&str]) -> Layers {
        let mut layers = Layers::default();
        for line in lines {
            layers.take(serde_json::from_str(line).unwrap());
        }
        layers
    }

    #[test]
    fn only_what_is_sent_counts_layer_by_layer() {
        let layers = taken(&[
            r#"{"status":"The push refers to repository [r/x]"}"#,
            r#"{"status":"Preparing","progressDetail":{},"id":"a"}"#,
            r#"{"status":"Layer already exists","progressDetail":{},"id":"b"}"#,
            r#"{"status":"Pushing","progressDetail":{"current":10,"total":100},"progress":"[>]","id":"a"}"#,
            r#"{"status":"Pushing","progressDetail":{"current":50,"total":100},"id":"c"}"#,
            r#"{"status":"Pushing","progressDetail":{"current":110,"total":100},"id":"a"}"#,
            r#"{"status":"Pushed","progressDetail":{},"id":"a"}"#,
            r#"{"progressDetail":{},"aux":{"Tag":"1","Digest":"sha256:12","Size":526}}"#,
        ]);
        assert_eq!((layers.done(), layers.total()), (160, 210));
        assert_eq!(layers.digest.as_deref(), Some("sha256:12"));
    }

    #[test]
    fn an_error_is_read() {
        let line: Line = serde_json::from_str(r#"{"errorDetail":{"message":"no"},"error":"no"}"#).unwrap();
        assert_eq!(line.error.as_deref(), Some("no"));
    }
}
