//! Image references, taken apart as Docker does. Pure.

/// An image reference: `[registry/]repository[:tag][@digest]`.
///
/// The first part is a registry when it has a dot, a colon or is `localhost`; else the repository is
/// Docker Hub's (the rule of `distribution/reference`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The registry's host, with its port where one is named; `docker.io` where none is.
    pub registry: String,
    /// The repository within the registry, such as `library/nginx`.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest, such as `sha256:…`.
    pub digest: Option<String>,
}

impl Reference {
    /// The registry that is meant when none is named.
    pub const HUB: &str = "docker.io";

    /// Takes `text` apart. It is not checked: the engine does that.
    pub fn parse(text: &str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.to_owned())),
            _ => (rest, None),
        };
        let (registry, repository) = split_registry(name);
        Self { registry, repository, tag, digest }
    }

    /// The whole name without tag and digest, registry included.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The tag, `latest` where neither a tag nor a digest is named.
    pub fn tag_or_latest(&self) -> Option<&str> {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => Some(tag),
            (None, None) => Some("latest"),
            (None, Some(_)) => None,
        }
    }
}

fn split_registry(name: &str) -> (String, String) {
    match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
            let registry = if first == "index.docker.io" { Reference::HUB } else { first };
            (registry.to_owned(), rest.to_owned())
        }
        Some(_) => (Reference::HUB.to_owned(), name.to_owned()),
        None => (Reference::HUB.to_owned(), format!("library/{name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_apart_as_docker_takes_them() {
        let cases = [
            ("nginx", "docker.io", "library/nginx", None, None),
            ("team/app:1", "docker.io", "team/app", Some("1"), None),
            ("localhost/app", "localhost", "app", None, None),
            ("127.0.0.10:5000/a/b:x", "127.0.0.10:5000", "a/b", Some("x"), None),
            ("127.0.0.10:5000/a", "127.0.0.10:5000", "a", None, None),
            ("ghcr.io/a/b@sha256:12", "ghcr.io", "a/b", None, Some("sha256:12")),
            ("index.docker.io/a/b:t@sha256:12", "docker.io", "a/b", Some("t"), Some("sha256:12")),
        ];
        for (text, registry, repository, tag, digest) in cases {
            let got = Reference::parse(text);
            let got = (&*got.registry, &*got.repository, got.tag.as_deref(), got.digest.as_deref());
            assert_eq!(got, (registry, repository, tag, digest), "{text}");
        }
    }

    #[test]
    fn the_tag_is_latest_only_where_nothing_else_is_said() {
        assert_eq!(Reference::parse("a").tag_or_latest(), Some("latest"));
        assert_eq!(Reference::parse("a:b").tag_or_latest(), Some("b"));
        assert_eq!(Reference::parse("a@sha256:1").tag_or_latest(), None);
    }
}
