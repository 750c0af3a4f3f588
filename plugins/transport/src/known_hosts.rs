//! The file format `known_hosts`, and what it says about a key. Pure.
//!
//! libssh2 has a reader of its own, which takes no notice of `@revoked`, `@cert-authority` and
//! patterns. Format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".

mod line;

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use line::{Line, Marker};

/// Lines of any number of `known_hosts` files.
#[derive(Debug, Default)]
pub(crate) struct KnownHosts {
    lines: Vec<(Place, Line)>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// The names under which a host's key is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// `host`, `[host]:port` where the port is not 22, or the alias for its key.
    pub full: String,
    /// The host without its port, where `full` has one. A key that is known for the host is good on
    /// each of its ports; OpenSSH holds it so, too.
    pub bare: Option<String>,
}

impl Names {
    pub(crate) fn new(hostname: &str, port: u16, alias: Option<&str>) -> Self {
        let host = hostname.to_lowercase();
        match (alias, port) {
            (Some(alias), _) => Self { full: alias.to_lowercase(), bare: None },
            (None, 22) => Self { full: host, bare: None },
            (None, port) => Self { full: format!("[{host}]:{port}"), bare: Some(host) },
        }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.full.as_str()).chain(self.bare.as_deref())
    }
}

/// What the files say about the key that a host has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the host's.
    Known,
    /// Nothing is known of the host.
    Unknown,
    /// The host has another key of the same type.
    Changed(Place),
    /// The host has keys of other types only.
    OtherTypes(Place),
    /// Somebody has declared it stolen.
    Revoked(Place),
    /// The host is known by a certificate authority only.
    CertificateOnly(Place),
}

impl KnownHosts {
    /// Adds the lines of one file. What is not understood is passed over, as OpenSSH does.
    pub(crate) fn add(&mut self, file: &Path, text: &str) {
        for (index, text) in text.lines().enumerate() {
            if let Some(line) = Line::parse(text) {
                self.lines.push((Place { file: file.to_owned(), line: index + 1 }, line));
            }
        }
    }

    /// The types of the keys that are known for `names`.
    pub(crate) fn types<'a>(&'a self, names: &'a Names) -> Vec<&'a str> {
        let mut types: Vec<&str> = Vec::new();
        for name in names.all() {
            for (_, line) in self.of(name, None) {
                if !types.contains(&line.key_type.as_str()) {
                    types.push(&line.key_type);
                }
            }
        }
        types
    }

    /// What is known about `key`, the blob that a server has shown, for `names`.
    pub(crate) fn verdict(&self, names: &Names, key: &[u8]) -> Verdict {
        for name in names.all() {
            if let Some((place, _)) = self.of(name, Some(Marker::Revoked)).find(|(_, line)| line.key == key) {
                return Verdict::Revoked(place.clone());
            }
        }
        let knows = |name: &str| self.of(name, None).any(|(_, line)| line.key == key);
        let of_host = || self.of(&names.full, None);
        if knows(&names.full) {
            return Verdict::Known;
        }
        if let Some((place, _)) = of_host().find(|(_, line)| line.is_of_type_of(key)) {
            return Verdict::Changed(place.clone());
        }
        // Another key under the bare name may be that of another port's server, so it means nothing.
        if names.bare.as_deref().is_some_and(knows) {
            return Verdict::Known;
        }
        if let Some((place, _)) = of_host().next() {
            return Verdict::OtherTypes(place.clone());
        }
        match names.all().find_map(|name| self.of(name, Some(Marker::CertAuthority)).next()) {
            Some((place, _)) => Verdict::CertificateOnly(place.clone()),
            None => Verdict::Unknown,
        }
    }

    fn of<'a>(&'a self, name: &'a str, marker: Option<Marker>) -> impl Iterator<Item = &'a (Place, Line)> {
        self.lines.iter().filter(move |(_, line)| line.marker == marker && line.hosts.matches(name))
    }
}

/// The text of a `known_hosts` file with `key` as that of `name`, in place of others of its type.
///
/// # Errors
/// The line that speaks of other hosts too, and so cannot be changed.
pub(crate) fn with_key(text: &str, name: &str, key: &[u8]) -> Result<String, usize> {
    let mut lines = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let about = Line::parse(text).filter(|line| {
            line.marker.is_none() && line.is_of_type_of(key) && line.key != key && line.hosts.matches(name)
        });
        match about {
            Some(line) if line.hosts.is_one() => {}
            Some(_) => return Err(index + 1),
            None => lines.push(text.to_owned()),
        }
    }
    lines.push(format!("{name} {} {}", key_type(key).unwrap_or_default(), BASE64.encode(key)));
    Ok(lines.join("\n") + "\n")
}

/// The type of a key, such as `ssh-ed25519`: the first string of its blob.
pub(crate) fn key_type(blob: &[u8]) -> Option<&str> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let name = rest.get(..u32::from_be_bytes(*length) as usize)?;
    std::str::from_utf8(name).ok()
}

#[cfg(test)]
mod tests;
