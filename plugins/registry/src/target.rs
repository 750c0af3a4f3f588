//! Under which reference an image is pushed. Pure.

use cloudpad_plugin_api::Failure;
use serde::Deserialize;

/// The table `[stages.push.config]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `HOST[:PORT]`.
    pub registry: String,
    /// What comes between the registry and the image's name, such as `team/x`.
    pub namespace: String,
}

impl Config {
    /// Whether it names a registry, and a namespace that can be one.
    ///
    /// # Errors
    /// `invalid`, saying what it does not name.
    pub fn check(&self) -> Result<(), Failure> {
        registry(&self.registry).and(namespace(&self.namespace)).map(drop)
    }
}

/// Where an image goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// `HOST[:PORT]`.
    pub registry: String,
    /// The whole name without the tag.
    pub name: String,
    /// The tag.
    pub tag: String,
}

impl Target {
    /// Where the image `NAME:TAG` of this machine goes.
    ///
    /// # Errors
    /// `invalid` when the configuration names no registry, or the reference has no tag.
    pub fn of(config: &Config, local: &str) -> Result<Self, Failure> {
        config.check()?;
        let tagged = local.rsplit_once(':').filter(|(_, tag)| !local.contains('@') && !tag.contains('/'));
        let (name, tag) =
            tagged.ok_or_else(|| Failure::invalid(format!("`{local}` cannot be pushed: it has no tag")))?;
        Ok(Self { tag: tag.to_owned(), ..Self::repository(config, name)? })
    }

    /// Where images go that are called `name` on this machine, with no tag.
    ///
    /// # Errors
    /// `invalid` when the configuration names no registry, or the name is none of a repository.
    pub fn repository(config: &Config, name: &str) -> Result<Self, Failure> {
        let registry = registry(&config.registry)?;
        let namespace = namespace(&config.namespace)?;
        if !is_repository(name) {
            return Err(Failure::invalid(format!("`{name}` is no repository of a registry")));
        }
        let parts = [registry, namespace, name];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Ok(Self { registry: registry.to_owned(), name: parts.join("/"), tag: String::new() })
    }

    /// The reference with its tag.
    pub fn reference(&self) -> String {
        format!("{}:{}", self.name, self.tag)
    }

    /// The same repository, with the tag of `local`.
    pub fn tagged(&self, local: &str) -> Self {
        let tag = local.rsplit_once(':').map_or(local, |(_, tag)| tag).to_owned();
        Self { registry: self.registry.clone(), name: self.name.clone(), tag }
    }

    /// The reference that can never mean another image.
    pub fn by_digest(&self, digest: &str) -> String {
        format!("{}@{digest}", self.name)
    }
}

fn registry(text: &str) -> Result<&str, Failure> {
    const HINT: &str = "write `registry = \"HOST[:PORT]\"`, and what follows the host as `namespace`";
    if text.is_empty() {
        return Err(Failure::invalid("the push provider `registry` is not told which registry").hint(HINT));
    }
    // The rule by which Docker tells a registry from the first part of a repository's name.
    let is_host = text.contains(['.', ':']) || text == "localhost";
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '[' | ']');
    if is_host && text.chars().all(allowed) && !text.ends_with(':') {
        return Ok(text);
    }
    Err(Failure::invalid(format!("`{text}` is not the address of a registry")).hint(HINT))
}

fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        part.starts_with(edge) && part.ends_with(edge) && part.chars().all(inner)
    };
    text.split('/').all(part)
}

fn namespace(text: &str) -> Result<&str, Failure> {
    if text.is_empty() || is_repository(text) {
        return Ok(text);
    }
    Err(Failure::invalid(format!("`{text}` is not a namespace of a registry"))
        .hint("it is lower-case words with `/` between them, such as `team/x`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(registry: &str, namespace: &str, local: &str) -> Result<String, String> {
        let config = Config { registry: registry.into(), namespace: namespace.into() };
        Target::of(&config, local).map(|target| target.reference()).map_err(|failure| failure.message)
    }

    #[test]
    fn the_name_is_put_behind_registry_and_namespace() {
        let cases = [
            ("127.0.0.1:5000", "", "shop-web:abc", "127.0.0.1:5000/shop-web:abc"),
            ("ghcr.io", "team/x", "shop-web:abc", "ghcr.io/team/x/shop-web:abc"),
            ("localhost", "t", "a/b:1", "localhost/t/a/b:1"),
            ("[::1]:5000", "", "a:1", "[::1]:5000/a:1"),
        ];
        for (registry, namespace, local, expected) in cases {
            assert_eq!(of(registry, namespace, local).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_registry_is_refused() {
        for text in ["", "https://ghcr.io", "ghcr.io/team", "registry", "a b.c", "r.io:"] {
            assert!(of(text, "", "a:1").is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_namespace_is_refused() {
        for text in ["/team", "team/", "Team", "a//b", "-a", "a b", "a:1"] {
            let message = of("r.io", text, "a:1").unwrap_err();
            assert!(message.contains(&format!("`{text}`")), "{message}");
        }
    }

    #[test]
    fn only_a_tag_can_be_pushed() {
        for local in ["a", "a@sha256:12", "r.io:5000/a"] {
            assert!(of("r.io", "", local).unwrap_err().ends_with("it has no tag"), "{local}");
        }
    }
}
