//! Image references as Docker reads them. Pure.

use cloudpad_plugin_api::stage::deploy::Observation;

/// An image reference taken apart, with what Docker adds to a short one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reference<'a> {
    domain: &'a str,
    path: &'a str,
    /// `latest` where neither tag nor digest is named.
    tag: &'a str,
    digest: &'a str,
}

impl<'a> Reference<'a> {
    fn parse(text: &'a str) -> Self {
        let (name, digest) = text.split_once('@').unwrap_or((text, ""));
        let (name, tag) = match name.rsplit_once(':') {
            // Where there is a digest, a tag is only for people.
            Some((name, tag)) if !tag.contains('/') => (name, if digest.is_empty() { tag } else { "" }),
            _ => (name, if digest.is_empty() { "latest" } else { "" }),
        };
        let (domain, path) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
            _ => ("docker.io", name),
        };
        let domain = if domain == "index.docker.io" { "docker.io" } else { domain };
        let official = if domain == "docker.io" { path.strip_prefix("library/") } else { None };
        Self { domain, path: official.unwrap_or(path), tag, digest }
    }
}

/// Whether two references mean the same: `nginx` is `docker.io/library/nginx:latest`.
fn same(a: &str, b: &str) -> bool {
    a == b || Reference::parse(a) == Reference::parse(b)
}

/// Whether `reference`, however it is written, is one of `images`.
pub(super) fn is_among(reference: &str, images: &[String]) -> bool {
    images.iter().any(|image| image == reference) || images.iter().any(|image| same(image, reference))
}

/// Whether an image is on a host, however its reference is written.
pub(super) fn is_on(reference: &str, seen: &Observation) -> bool {
    let images = if reference.contains('@') { &seen.digests } else { &seen.images };
    is_among(reference, images)
}

/// What stands before the tag, as it is written.
pub(super) fn repository(reference: &str) -> &str {
    let name = reference.split_once('@').map_or(reference, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_forms_mean_the_same() {
        for (a, b) in [
            ("nginx", "nginx:latest"),
            ("nginx", "docker.io/library/nginx:latest"),
            ("index.docker.io/me/app:1", "me/app:1"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("nginx:1@sha256:1", "docker.io/library/nginx@sha256:1"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in
            [("nginx:1", "nginx:2"), ("me/nginx", "nginx"), ("r.test/nginx", "nginx"), ("a@sha256:1", "a")]
        {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(repository("localhost:5000/app"), "localhost:5000/app");
        assert_eq!(repository("localhost:5000/app:1@sha256:ab"), "localhost:5000/app");
    }
}
