//! What an inventory has listed last, as it is kept for when it cannot be asked: `--cached`. Pure.
//!
//! It is no state: nothing but that option uses it, and it is as good as lost at any time.

use std::ffi::OsStr;
use std::path::Path;

use chrono::NaiveDateTime;
use cloudpad_plugin_api::model::Host;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::StageChoice;
use crate::words;

/// The form of the file.
const VERSION: u32 = 1;

/// What a provider has listed, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    version: u32,
    /// The provider's name.
    provider: String,
    /// What tells its config from others. The config itself may have a password in it.
    config: String,
    /// When it was listed, in the form of [`now`](crate::project::now).
    time: String,
    /// The hosts that it has listed.
    pub hosts: Vec<Host>,
}

/// The file's name, by environment.
pub fn file_name(environment: Option<&str>) -> String {
    match environment {
        // No environment has a dot in its name.
        Some(environment) => format!("inventory.{environment}.json"),
        None => "inventory.json".to_owned(),
    }
}

/// Whether that is the name of such a file, of whatever environment.
pub fn is_named_so(file: &Path) -> bool {
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.starts_with("inventory.") && name.ends_with(".json")
}

impl Manifest {
    /// What the chosen provider has listed at `time`.
    pub fn new(choice: &StageChoice, time: String, hosts: Vec<Host>) -> Self {
        Self { version: VERSION, provider: provider(choice), config: mark(choice), time, hosts }
    }

    /// Reads the file's text.
    ///
    /// # Errors
    /// Why it cannot be what was written.
    pub fn read(text: &str) -> Result<Self, String> {
        let manifest: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if manifest.version != VERSION {
            return Err(format!("its version is {}, and this Cloudpad knows {VERSION}", manifest.version));
        }
        match seconds(&manifest.time) {
            Some(_) => Ok(manifest),
            None => Err(format!("`{}` is no time", manifest.time)),
        }
    }

    /// The file's text.
    pub fn text(&self) -> String {
        words::json_line(self)
    }

    /// Whether the chosen provider would be asked the same.
    ///
    /// # Errors
    /// Whose hosts they are instead.
    pub fn check(&self, choice: &StageChoice) -> Result<(), String> {
        let (then, now) = (&self.provider, provider(choice));
        if *then != now {
            return Err(format!("inventory `{then}` has listed it, and now it is inventory `{now}`"));
        }
        match self.config == mark(choice) {
            true => Ok(()),
            false => Err(format!("inventory `{then}` has listed it with another `config`")),
        }
    }

    /// When it was listed, and how long before `now` that is.
    pub fn when(&self, now: &str) -> String {
        let age = seconds(now).zip(seconds(&self.time)).map(|(now, then)| now - then);
        format!("{}, {}", words::time(&self.time), age.map_or_else(String::new, ago))
    }
}

fn provider(choice: &StageChoice) -> String {
    choice.provider.clone().unwrap_or_default()
}

fn mark(choice: &StageChoice) -> String {
    let digest = Sha256::digest(choice.config.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds since 1970.
fn seconds(time: &str) -> Option<i64> {
    NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").ok().map(|time| time.and_utc().timestamp())
}

/// How long ago something was, in words.
pub fn ago(seconds: i64) -> String {
    let (number, unit) = match seconds {
        ..0 => return "which is yet to come".to_owned(),
        0..60 => return "less than a minute ago".to_owned(),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn choice(provider: &str, config: Value) -> StageChoice {
        StageChoice { provider: Some(provider.to_owned()), config }
    }

    fn manifest() -> Manifest {
        let mut host = Host::new("h1", "root@192.0.2.1");
        host.roles.push("web".to_owned());
        Manifest::new(
            &choice("command", json!({ "token": "hunter22" })),
            "20260131T235959Z".to_owned(),
            vec![host],
        )
    }

    #[test]
    fn what_is_written_is_read_and_tells_nothing_of_the_config() {
        let text = manifest().text();
        assert_eq!(Manifest::read(&text), Ok(manifest()));
        assert!(!text.contains("hunter22"), "{text}");
        assert_eq!(
            (file_name(None), file_name(Some("prod"))),
            ("inventory.json".into(), "inventory.prod.json".into())
        );
        for (name, is_named_so) in
            [("inventory.json", true), ("inventory.prod.json", true), ("inventory.json.1.partial", false)]
        {
            assert_eq!(super::is_named_so(&Path::new("/p/.cloudpad").join(name)), is_named_so, "{name}");
        }
    }

    #[test]
    fn what_is_broken_is_told() {
        let written: Value = serde_json::from_str(&manifest().text()).unwrap();
        let with = |key: &str, value: Value| {
            let mut changed = written.clone();
            changed[key] = value;
            changed.to_string()
        };
        for (text, why) in [
            (String::new(), "EOF while parsing"),
            (manifest().text()[..40].to_owned(), "EOF while parsing"),
            (with("hosts", Value::Null), "invalid type: null"),
            (with("hosts", json!([{ "name": "h1" }])), "missing field `address`"),
            (with("version", json!(2)), "its version is 2, and this Cloudpad knows 1"),
            (with("time", json!("today")), "`today` is no time"),
        ] {
            let told = Manifest::read(&text).unwrap_err();
            assert!(told.starts_with(why), "{told}");
        }
    }

    #[test]
    fn another_provider_or_config_has_not_listed_it() {
        let check = |choice: StageChoice| manifest().check(&choice);
        assert_eq!(check(choice("command", json!({ "token": "hunter22" }))), Ok(()));
        let config = check(choice("command", json!({ "token": "other" })));
        assert_eq!(config, Err("inventory `command` has listed it with another `config`".to_owned()));
        let provider = check(choice("aws", json!({ "token": "hunter22" })));
        assert_eq!(
            provider,
            Err("inventory `command` has listed it, and now it is inventory `aws`".to_owned())
        );
    }

    #[test]
    fn its_age_is_told_in_words() {
        for (now, age) in [
            ("20260131T235959Z", "less than a minute ago"),
            ("20260201T000058Z", "less than a minute ago"),
            ("20260201T000059Z", "1 minute ago"),
            ("20260201T005958Z", "59 minutes ago"),
            ("20260201T015959Z", "2 hours ago"),
            ("20260201T235959Z", "1 day ago"),
            ("20260302T000000Z", "29 days ago"),
            ("20260131T235958Z", "which is yet to come"),
        ] {
            assert_eq!(manifest().when(now), format!("2026-01-31 23:59:59 UTC, {age}"), "{now}");
        }
    }
}
