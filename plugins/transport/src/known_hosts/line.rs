//! One line of a `known_hosts` file. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use super::key_type;

/// A line that speaks of a key.
#[derive(Debug)]
pub(super) struct Line {
    pub marker: Option<Marker>,
    pub hosts: Hosts,
    pub key_type: String,
    pub key: Vec<u8>,
}

/// What a line says of its key, other than that it is a host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    CertAuthority,
    Revoked,
}

/// Which hosts a line is about.
#[derive(Debug)]
pub(super) enum Hosts {
    /// Patterns with `*` and `?`; one with `!` before it excludes.
    Patterns(Vec<String>),
    /// One name, hidden: its HMAC-SHA1, and the key for that.
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl Line {
    /// None for comments, empty lines, and what is not understood.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
        let mut word = words.next()?;
        let marker = match word {
            "@cert-authority" => Some(Marker::CertAuthority),
            "@revoked" => Some(Marker::Revoked),
            _ if word.starts_with(['#', '@']) => return None,
            _ => None,
        };
        if marker.is_some() {
            word = words.next()?;
        }
        let hosts = Hosts::parse(word)?;
        let type_as_written = words.next()?;
        let key = BASE64.decode(words.next()?.trim_end()).ok()?;
        (key_type(&key)? == type_as_written).then(|| Self {
            marker,
            hosts,
            key_type: type_as_written.to_owned(),
            key: key.clone(),
        })
    }

    /// Whether `key` is of the same type as the line's.
    pub(super) fn is_of_type_of(&self, key: &[u8]) -> bool {
        key_type(key) == Some(&self.key_type)
    }
}

impl Hosts {
    fn parse(word: &str) -> Option<Self> {
        let Some(hashed) = word.strip_prefix('|') else {
            return Some(Self::Patterns(word.split(',').map(str::to_lowercase).collect()));
        };
        let (salt, hash) = hashed.strip_prefix("1|")?.split_once('|')?;
        Some(Self::Hashed { salt: BASE64.decode(salt).ok()?, hash: BASE64.decode(hash).ok()? })
    }

    /// Whether it is about one host alone.
    pub(super) fn is_one(&self) -> bool {
        match self {
            Self::Patterns(patterns) => {
                matches!(patterns.as_slice(), [one] if !one.contains(['*', '?', '!']))
            }
            Self::Hashed { .. } => true,
        }
    }

    /// Whether the line is about the host `name`, which is in lower case.
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Patterns(patterns) => matches_list(patterns, name),
            Self::Hashed { salt, hash } => hashes_to(name, salt, hash),
        }
    }
}

fn matches_list(patterns: &[String], name: &str) -> bool {
    let mut matched = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(excluded) if matches(excluded.as_bytes(), name.as_bytes()) => return false,
            Some(_) => {}
            None => matched |= matches(pattern.as_bytes(), name.as_bytes()),
        }
    }
    matched
}

/// Whether `name` is what `pattern` describes, in time that grows with the product of their lengths.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    // Where to go on when what follows the last `*` does not fit.
    let mut retry = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

fn hashes_to(name: &str, salt: &[u8], hash: &[u8]) -> bool {
    let Ok(mac) = Hmac::<Sha1>::new_from_slice(salt) else { return false };
    mac.chain_update(name).verify_slice(hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("web", "web", true),
            ("web", "web1", false),
            ("web", "we", false),
            ("*", "anything", true),
            ("*", "", true),
            ("w?b", "web", true),
            ("w?b", "wb", false),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("[web]:2222", "[web]:2222", true),
            ("[web]:*", "[web]:2222", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn an_exclusion_wins_wherever_it_stands() {
        let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        assert!(matches_list(&list("*.a,!x.a"), "y.a"));
        assert!(!matches_list(&list("*.a,!x.a"), "x.a"));
        assert!(!matches_list(&list("!x.a,*.a"), "x.a"));
        assert!(!matches_list(&list("!x.a"), "y.a"));
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_it_panic(text in ".*", name in ".*") {
            if let Some(line) = Line::parse(&text) {
                line.hosts.matches(&name);
            }
        }

        #[test]
        fn no_pattern_takes_for_ever(pattern in "[*?ab]{0,200}", name in "[ab]{0,200}") {
            matches(pattern.as_bytes(), name.as_bytes());
        }
    }
}
