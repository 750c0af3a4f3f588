//! The table `[stages.inventory.config]`. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU16;

use cloudpad_plugin_api::{Context, Failure};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::address::{self, Address, From};
use crate::filter::{self, Filter, Values};
use crate::hosts::is_word;

/// What the user says; all of it may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// A profile of the aws tool; its default one where none is named.
    pub profile: Option<String>,
    /// Where to look; the aws tool's own region where none is named.
    pub regions: Values,
    /// What to speak to in place of AWS.
    pub endpoint_url: Option<String>,
    /// Tags that an instance has to have, with one of these values.
    pub tags: BTreeMap<String, Values>,
    /// EC2's own filters, by their names.
    pub filters: BTreeMap<String, Values>,
    /// The tag that names the host.
    pub name_tag: String,
    /// Which of an instance's addresses is the host's.
    pub address: From,
    /// Who logs in.
    pub user: Option<String>,
    /// Where sshd listens.
    #[serde(deserialize_with = "port")]
    pub port: Option<NonZeroU16>,
    /// Roles of every host.
    pub roles: Values,
    /// The tag that lists more of them.
    pub roles_tag: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            profile: None,
            regions: Values::default(),
            endpoint_url: None,
            tags: BTreeMap::new(),
            filters: BTreeMap::new(),
            name_tag: "Name".to_owned(),
            address: From::PrivateIp,
            user: None,
            port: None,
            roles: Values::default(),
            roles_tag: None,
        }
    }
}

impl Config {
    /// The config of a call.
    ///
    /// # Errors
    /// `invalid`, with the key that is wrong.
    pub(crate) fn read(cx: &Context) -> Result<Self, Failure> {
        let config = match cx.config::<Value>()? {
            Value::Null => Self::default(),
            table => serde_path_to_error::deserialize(table).map_err(|error| {
                let place = error.path().to_string();
                let why = error.into_inner();
                match place.as_str() {
                    "." => invalid(why),
                    // It names the key itself.
                    _ if why.to_string().starts_with("unknown field") => invalid(why),
                    key => invalid(format!("`{key}`: {why}")),
                }
            })?,
        };
        config.checked().map_err(invalid)
    }

    fn checked(self) -> Result<Self, String> {
        let texts = [
            ("profile", &self.profile),
            ("endpoint_url", &self.endpoint_url),
            ("user", &self.user),
            ("roles_tag", &self.roles_tag),
            ("name_tag", &Some(self.name_tag.clone())),
        ];
        if let Some((key, _)) = texts.iter().find(|(_, text)| text.as_deref() == Some("")) {
            return Err(format!("`{key}` is empty"));
        }
        if self.endpoint_url.as_ref().is_some_and(|url| !url.starts_with("http")) {
            return Err("`endpoint_url` is no URL such as `https://ec2.example.com`".to_owned());
        }
        if let Some(user) = &self.user {
            address::check_word(user).map_err(|why| format!("`user`: {why}"))?;
        }
        if let Some(role) = self.roles.0.iter().find(|role| !is_word(role)) {
            return Err(format!(
                "`roles`: `{role}` cannot be a role: it has other than letters, digits, `.`, `_`, `-`"
            ));
        }
        self.regions_checked()?;
        self.filters_checked()?;
        Ok(self)
    }

    fn regions_checked(&self) -> Result<(), String> {
        for (index, region) in self.regions.0.iter().enumerate() {
            let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if region.is_empty() || !region.chars().all(known) {
                return Err(format!("`regions`: `{region}` is no region such as `eu-central-1`"));
            }
            if self.regions.0[..index].contains(region) {
                return Err(format!("`regions` has `{region}` twice"));
            }
        }
        Ok(())
    }

    fn filters_checked(&self) -> Result<(), String> {
        for (key, table) in [("tags", &self.tags), ("filters", &self.filters)] {
            for (name, values) in table {
                if name.is_empty() {
                    return Err(format!("`{key}` has a value without a name"));
                }
                if values.0.is_empty() {
                    return Err(format!("`{key}.{name}` is an empty list, which nothing matches"));
                }
            }
        }
        let twice = self.tags.keys().find(|tag| self.filters.contains_key(&format!("tag:{tag}")));
        match twice {
            Some(tag) => Err(format!("tag `{tag}` is in `tags` and, as `tag:{tag}`, in `filters`")),
            None => Ok(()),
        }
    }

    /// The regions to ask; none stands for the aws tool's own.
    pub(crate) fn regions(&self) -> Vec<Option<&str>> {
        match self.regions.0.is_empty() {
            true => vec![None],
            false => self.regions.0.iter().map(|region| Some(region.as_str())).collect(),
        }
    }

    /// Which instances are meant.
    pub(crate) fn filters(&self) -> Vec<Filter> {
        filter::of(&self.tags, &self.filters)
    }

    /// ` in region …`, where regions are named.
    pub(crate) fn place(&self) -> String {
        let named: Vec<_> = self.regions.0.iter().map(|region| format!("`{region}`")).collect();
        match named.len() {
            0 => String::new(),
            1 => format!(" in region {}", named[0]),
            _ => format!(" in regions {}", named.join(", ")),
        }
    }

    /// An address with what it leaves open.
    pub(crate) fn complete(&self, address: Address) -> Address {
        Address { user: address.user.or(self.user.clone()), port: address.port.or(self.port), ..address }
    }
}

fn port<'de, D: Deserializer<'de>>(from: D) -> Result<Option<NonZeroU16>, D::Error> {
    let number = i64::deserialize(from)?;
    let port = u16::try_from(number).ok().and_then(NonZeroU16::new);
    port.map(Some).ok_or_else(|| D::Error::custom(format!("{number} is not between 1 and 65535")))
}

fn invalid(why: impl fmt::Display) -> Failure {
    Failure::invalid(format!("this provider's `config` table is not understood: {why}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloudpad_plugin_api::{Cancel, FailureKind};
    use serde_json::json;

    use super::*;

    fn read(config: Value) -> Result<Config, Failure> {
        Config::read(&Context::new(config, Arc::new(|_| ()), Cancel::new()))
    }

    #[test]
    fn nothing_has_to_be_said() {
        assert_eq!(read(Value::Null), Ok(Config::default()));
        assert_eq!(read(json!({})), Ok(Config::default()));
    }

    #[test]
    fn all_that_can_be_said_is_understood() {
        let config = read(json!({
            "profile": "shop", "regions": ["eu-central-1", "eu-west-1"], "endpoint_url": "http://127.0.0.1:5000",
            "tags": { "env": "prod", "tier": ["web", "api"] }, "filters": { "vpc-id": "vpc-1" },
            "name_tag": "host", "address": "tag:ssh", "user": "admin", "port": 2222,
            "roles": ["web"], "roles_tag": "roles",
        }))
        .unwrap();
        assert_eq!(config.tags["tier"], Values(vec!["web".into(), "api".into()]));
        assert_eq!(config.address, From::Tag("ssh".into()));
        assert_eq!(config.regions(), [Some("eu-central-1"), Some("eu-west-1")]);
        assert_eq!(config.place(), " in regions `eu-central-1`, `eu-west-1`");
        assert_eq!(read(json!({ "regions": "eu-west-1" })).unwrap().regions(), [Some("eu-west-1")]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_key() {
        let cases = [
            (json!({ "regoin": "x" }), "unknown field `regoin`"),
            (
                json!({ "tags": { "tier": 1 } }),
                "`tags.tier`: invalid type: integer `1`, expected a string or a list of strings",
            ),
            (
                json!({ "filters": { "a": ["b", true] } }),
                "`filters.a[1]`: invalid type: boolean `true`, expected a string",
            ),
            (json!({ "port": 0 }), "`port`: 0 is not between 1 and 65535"),
            (json!({ "port": 70_000 }), "`port`: 70000 is not between 1 and 65535"),
            (
                json!({ "regions": 1 }),
                "`regions`: invalid type: integer `1`, expected a string or a list of strings",
            ),
            (json!({ "address": "private" }), "`address`: `private` is none of `private-ip`, "),
            (json!({ "address": "tag:" }), "`address`: `tag:` has no tag's name"),
            (json!({ "regions": [""] }), "`regions`: `` is no region such as `eu-central-1`"),
            (json!({ "regions": ["a", "b", "a"] }), "`regions` has `a` twice"),
            (json!({ "profile": "" }), "`profile` is empty"),
            (json!({ "name_tag": "" }), "`name_tag` is empty"),
            (json!({ "user": "-x" }), "`user`: `-x` begins with `-`"),
            (json!({ "user": "a b" }), "`user`: `a b` has ` `"),
            (json!({ "endpoint_url": "localhost" }), "`endpoint_url` is no URL"),
            (json!({ "roles": ["a*"] }), "`roles`: `a*` cannot be a role"),
            (json!({ "tags": { "": "x" } }), "`tags` has a value without a name"),
            (json!({ "tags": { "env": [] } }), "`tags.env` is an empty list, which nothing matches"),
            (
                json!({ "tags": { "a": "x" }, "filters": { "tag:a": "y" } }),
                "tag `a` is in `tags` and, as `tag:a`, in `filters`",
            ),
        ];
        for (config, expected) in cases {
            let failure = read(config.clone()).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Invalid);
            let (_, why) = failure.message.split_once("not understood: ").unwrap();
            assert!(why.starts_with(expected), "{config}: {why}");
        }
    }
}
