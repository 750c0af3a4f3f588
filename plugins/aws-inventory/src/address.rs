//! Where a host is reached: `[user@]host[:port]`, from one of an instance's addresses or from a tag. Pure.

use std::fmt;
use std::num::NonZeroU16;

use serde::{Deserialize, Deserializer, de::Error};

use crate::instance::Instance;

/// What stands for this machine in a host's address, and so for no instance.
const LOCAL: &str = "local";
/// What a tag's name begins with where it is chosen.
const TAG: &str = "tag:";

/// Which of an instance's addresses is the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum From {
    PrivateIp,
    PublicIp,
    Ipv6,
    PrivateDns,
    PublicDns,
    Tag(String),
}

/// Those that have a fixed name.
const NAMED: [(&str, From); 5] = [
    ("private-ip", From::PrivateIp),
    ("public-ip", From::PublicIp),
    ("ipv6", From::Ipv6),
    ("private-dns", From::PrivateDns),
    ("public-dns", From::PublicDns),
];

impl From {
    fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix(TAG) {
            Some("") => return Err("`tag:` has no tag's name".to_owned()),
            Some(tag) => return Ok(Self::Tag(tag.to_owned())),
            None => {}
        }
        let named = NAMED.into_iter().find(|(name, _)| *name == text);
        let names = NAMED.map(|(name, _)| format!("`{name}`")).join(", ");
        named.map(|(_, from)| from).ok_or_else(|| format!("`{text}` is none of {names} and `tag:NAME`"))
    }

    /// What is there, as it is written; nothing where the instance has no such address.
    pub(crate) fn of<'a>(&self, instance: &'a Instance) -> Option<&'a str> {
        let text = match self {
            Self::PrivateIp => instance.private_ip_address.as_deref(),
            Self::PublicIp => instance.public_ip_address.as_deref(),
            Self::Ipv6 => instance.ipv6(),
            Self::PrivateDns => instance.private_dns_name.as_deref(),
            Self::PublicDns => instance.public_dns_name.as_deref(),
            Self::Tag(tag) => instance.tag(tag),
        };
        text.filter(|text| !text.is_empty())
    }
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMED.into_iter().find(|(_, from)| from == self) {
            Some((name, _)) => f.write_str(name),
            None => match self {
                Self::Tag(tag) => write!(f, "{TAG}{tag}"),
                _ => Ok(()),
            },
        }
    }
}

impl<'de> Deserialize<'de> for From {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// Where to connect. What it leaves open, the config or the user's `~/.ssh/config` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<NonZeroU16>,
}

impl Address {
    /// Reads `[user@]host[:port]`. An IPv6 address with a port is written in brackets.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, text),
        };
        let (host, port) = split_port(rest)?;
        check_word(host)?;
        user.map_or(Ok(()), check_word)?;
        if host == LOCAL {
            return Err("`local` is this machine, and no instance".to_owned());
        }
        Ok(Self { user: user.map(str::to_owned), host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.port {
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

fn split_port(text: &str) -> Result<(&str, Option<NonZeroU16>), String> {
    let port = |text: &str| text.parse().map(Some).map_err(|_| format!("`{text}` is no port"));
    if let Some((host, after)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Ok((host, if after.is_empty() { None } else { port(after.trim_start_matches(':'))? }));
    }
    match text.split_once(':') {
        Some((host, rest)) if !rest.contains(':') => Ok((host, port(rest)?)),
        _ => Ok((text, None)),
    }
}

/// Refuses what could be taken for an option or for several words.
pub(crate) fn check_word(word: &str) -> Result<(), String> {
    let known = |c: &char| c.is_alphanumeric() || ".-_:%+@\\".contains(*c);
    match word.chars().find(|c| !known(c)) {
        _ if word.is_empty() => Err("it is empty where a name should be".to_owned()),
        _ if word.starts_with('-') => Err(format!("`{word}` begins with `-`")),
        Some(odd) => Err(format!("`{word}` has `{}`", odd.escape_debug())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_was_read() {
        for text in
            ["h", "u@h", "u@corp@h:22", "192.0.2.1:2222", "2001:db8::1", "u@[2001:db8::1]:22", "a_b.example"]
        {
            assert_eq!(Address::parse(text).map(|address| address.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(Address::parse("[::1]").unwrap().to_string(), "::1");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, why) in [
            ("", "it is empty where a name should be"),
            ("u@", "it is empty where a name should be"),
            ("@h", "it is empty where a name should be"),
            ("local", "`local` is this machine, and no instance"),
            ("root@local:22", "`local` is this machine, and no instance"),
            ("h:0", "`0` is no port"),
            ("h:", "`` is no port"),
            ("[::1]x", "`x` is no port"),
            ("-oProxyCommand=x", "`-oProxyCommand=x` begins with `-`"),
            ("-u@h", "`-u` begins with `-`"),
            ("a b", "`a b` has ` `"),
            ("h;x", "`h;x` has `;`"),
        ] {
            assert_eq!(Address::parse(text).unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn each_source_has_a_name() {
        for text in ["private-ip", "public-ip", "ipv6", "private-dns", "public-dns", "tag:ssh", "tag:a:b c"] {
            assert_eq!(From::parse(text).unwrap().to_string(), text);
        }
    }
}
