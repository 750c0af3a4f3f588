//! `Cloudpad.lock`: which plugins a project is used with, by sum. I/O: the lock file.
//!
//! A project without the file runs whatever is found. Once it is there, it has to list every plugin that is
//! used, as with other tools' locks in CI: one that lets a new plugin pass would guard nothing.

mod change;

use std::collections::BTreeMap;
use std::env::consts::{ARCH, OS};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::sum::Sum;
use crate::project::{read_if_there, write_shared};
use crate::refusal::Refusal;
pub use change::Change;

/// The lock file's name.
pub const FILE: &str = "Cloudpad.lock";

/// The platform of what runs on every platform.
pub const ANY: &str = "any";

const VERSION: u32 = 1;

const HEAD: &str =
    "# The plugins of this project, as `cloudpad plugin lock` has found them. Commit this file.\n";

/// What this machine is, in the lock file: `x86_64-linux`.
pub fn platform() -> String {
    format!("{ARCH}-{OS}")
}

/// What the lock file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    plugins: BTreeMap<String, Entry>,
}

/// What it says of one plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    file: String,
    version: Option<String>,
    /// By platform.
    sums: BTreeMap<String, Sum>,
}

/// A plugin as it is on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// Its name: what follows `cloudpad-`.
    pub name: String,
    /// Its file's name.
    pub file: String,
    /// Its version, where it was asked.
    pub version: Option<String>,
    /// [`platform()`], or [`ANY`] for a script.
    pub platform: String,
    /// Its file's sum.
    pub sum: Sum,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u32,
    #[serde(default)]
    plugin: Vec<TextEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextEntry {
    name: String,
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    sha256: BTreeMap<String, Sum>,
}

/// The lock of the project in `dir`, where it has one.
///
/// # Errors
/// When it cannot be read or understood.
pub fn read(dir: &Path) -> Result<Option<Lock>, Refusal> {
    let file = dir.join(FILE);
    let Some(text) = read_if_there(&file)? else { return Ok(None) };
    let lock = Lock::parse(&text).map_err(|why| {
        Refusal::new(format!("`{}` is not a list of plugins: {why}", file.display()))
            .hint("take it from version control again, or remove it and type `cloudpad plugin lock`")
    });
    lock.map(Some)
}

/// Writes the lock of the project in `dir`.
///
/// # Errors
/// When it cannot be written.
pub fn write(dir: &Path, lock: &Lock) -> Result<(), Refusal> {
    write_shared(&dir.join(FILE), &lock.text())
}

impl Lock {
    /// Reads a lock file's text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let wrong = |error: toml::de::Error| error.message().replace('\n', ", ");
        match toml::from_str::<Version>(text).map_err(wrong)?.version {
            VERSION => {}
            version => {
                return Err(format!(
                    "it has version {version}, and this Cloudpad understands version {VERSION}"
                ));
            }
        }
        let mut plugins = BTreeMap::new();
        for entry in toml::from_str::<Text>(text).map_err(wrong)?.plugin {
            let TextEntry { name, file, version, sha256: sums } = entry;
            if plugins.insert(name.clone(), Entry { file, version, sums }).is_some() {
                return Err(format!("plugin `{name}` is there twice"));
            }
        }
        Ok(Self { plugins })
    }

    /// The text of the file: the same lock gives the same bytes.
    pub fn text(&self) -> String {
        let entry = |(name, entry): (&String, &Entry)| TextEntry {
            name: name.clone(),
            file: entry.file.clone(),
            version: entry.version.clone(),
            sha256: entry.sums.clone(),
        };
        let text = Text { version: VERSION, plugin: self.plugins.iter().map(entry).collect() };
        // Strings and numbers in tables can all be written.
        HEAD.to_owned() + &toml::to_string(&text).unwrap_or_default()
    }

    /// The sum that a plugin has to have on `platform`.
    ///
    /// # Errors
    /// Why it may not be used.
    pub fn expects(&self, name: &str, platform: &str) -> Result<Sum, String> {
        let entry =
            self.plugins.get(name).ok_or_else(|| format!("plugin `{name}` is not listed in `{FILE}`"))?;
        let sum = entry.sums.get(platform).or_else(|| entry.sums.get(ANY));
        sum.copied().ok_or_else(|| format!("`{FILE}` has no sum of plugin `{name}` for `{platform}`"))
    }

    /// Whether it lists a plugin, for whatever platform.
    pub fn lists(&self, name: &str) -> bool {
        self.plugins.contains_key(name)
    }

    /// The version of a plugin that it lists, where that was asked.
    pub fn version(&self, name: &str) -> Option<&str> {
        self.plugins.get(name)?.version.as_deref()
    }

    /// The lock after `cloudpad plugin lock`: the plugins that are used, and no others. What is known of them
    /// for other platforms stays, unless their version has changed.
    #[must_use]
    pub fn with(self, used: &[Present]) -> Self {
        self.renewed(used).0
    }

    /// As [`with`](Self::with), and what it has listed beside them.
    #[must_use]
    pub fn and(self, used: &[Present]) -> Self {
        let (mut new, beside) = self.renewed(used);
        new.plugins.extend(beside.plugins);
        new
    }

    /// The lock with these plugins, and the rest of it.
    fn renewed(mut self, used: &[Present]) -> (Self, Self) {
        let mut plugins = BTreeMap::new();
        for Present { name, file, version, platform, sum } in used.iter().cloned() {
            let known = self.plugins.remove(&name).filter(|known| known.version == version);
            let mut sums = known.map(|known| known.sums).unwrap_or_default();
            if platform == ANY {
                sums.clear();
            } else {
                sums.remove(ANY);
            }
            sums.insert(platform, sum);
            plugins.insert(name, Entry { file, version, sums });
        }
        (Self { plugins }, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(of: &str) -> Sum {
        Sum::of(&mut of.as_bytes()).unwrap()
    }

    fn present(name: &str, version: &str, platform: &str, content: &str) -> Present {
        Present {
            name: name.into(),
            file: format!("cloudpad-{name}"),
            version: Some(version.into()),
            platform: platform.into(),
            sum: sum(content),
        }
    }

    #[test]
    fn the_text_is_stable_and_reads_as_the_same() {
        let used =
            [present("zoo", "1.0", "x86_64-linux", "zoo"), present("aws-inventory", "0.1", ANY, "aws")];
        let lock = Lock::default().with(&used);
        let (zoo, aws) = (sum("zoo"), sum("aws"));
        let expected = format!(
            "{HEAD}version = 1\n\n\
             [[plugin]]\nname = \"aws-inventory\"\nfile = \"cloudpad-aws-inventory\"\nversion = \"0.1\"\n\n\
             [plugin.sha256]\nany = \"{aws}\"\n\n\
             [[plugin]]\nname = \"zoo\"\nfile = \"cloudpad-zoo\"\nversion = \"1.0\"\n\n\
             [plugin.sha256]\nx86_64-linux = \"{zoo}\"\n"
        );
        assert_eq!(lock.text(), expected);
        assert_eq!(Lock::parse(&expected), Ok(lock));
        assert_eq!(Lock::parse(&Lock::default().text()), Ok(Lock::default()));
    }

    #[test]
    fn a_plugin_has_to_be_listed_for_its_platform() {
        let used = [present("aws", "1", "x86_64-linux", "a"), present("gcp", "1", ANY, "g")];
        let lock = Lock::default().with(&used);
        assert_eq!(lock.expects("aws", "x86_64-linux"), Ok(sum("a")));
        assert_eq!(lock.expects("gcp", "x86_64-linux"), Ok(sum("g")));
        let errors = [
            (
                lock.expects("aws", "aarch64-linux"),
                "`Cloudpad.lock` has no sum of plugin `aws` for `aarch64-linux`",
            ),
            (lock.expects("zoo", "x86_64-linux"), "plugin `zoo` is not listed in `Cloudpad.lock`"),
        ];
        for (found, expected) in errors {
            assert_eq!(found, Err(expected.to_owned()));
        }
    }

    #[test]
    fn locking_again_keeps_what_still_holds_of_other_platforms() {
        let lock =
            Lock::default().with(&[present("aws", "1", "x86_64-linux", "x"), present("gcp", "1", ANY, "")]);
        let both = lock.with(&[present("aws", "1", "aarch64-linux", "a")]);
        assert_eq!(both.expects("aws", "x86_64-linux"), Ok(sum("x")));
        assert_eq!(both.expects("aws", "aarch64-linux"), Ok(sum("a")));
        assert!(both.expects("gcp", ANY).is_err(), "it is not used any more");
        let new = both.clone().with(&[present("aws", "2", "aarch64-linux", "a2")]);
        assert!(new.expects("aws", "x86_64-linux").is_err(), "that was of version 1");
        let script = both.with(&[present("aws", "1", ANY, "s")]);
        assert_eq!(script.expects("aws", "x86_64-linux"), Ok(sum("s")), "the script takes the place of both");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let entry =
            format!("[[plugin]]\nname = \"a\"\nfile = \"f\"\n[plugin.sha256]\nany = \"{}\"\n", sum(""));
        let cases = [
            ("", "missing field `version`"),
            ("version = 2", "it has version 2"),
            ("version = 1\nplugins = 3", "unknown field `plugins`"),
            ("version = 1\n[[plugin]]\nname = \"a\"", "missing field `file`"),
            (
                "version = 1\n[[plugin]]\nname = \"a\"\nfile = \"f\"\n[plugin.sha256]\nany = \"1\"",
                "`1` is no sha256",
            ),
            (&format!("version = 1\n{entry}{entry}"), "plugin `a` is there twice"),
        ];
        for (text, expected) in cases {
            let why = Lock::parse(text).unwrap_err();
            assert!(why.contains(expected), "{expected}: {why}");
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_no_missing_lock() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap().is_none());
        std::os::unix::fs::symlink("nowhere", dir.path().join(FILE)).unwrap();
        assert!(read(dir.path()).is_err());
    }
}
