//! Which lab is meant. Several run side by side when each has its own name, loopback prefix and folder.

use std::path::PathBuf;

use super::hosts;
use crate::shell::{self, Result, docker};

/// The label that every container, network and volume of a lab carries; its value is the lab's name.
pub const LABEL: &str = "cloudpad-lab";
/// The label that says whose folder a lab belongs to.
const FOLDER: &str = "cloudpad-lab.folder";

/// One lab's identity.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What its containers begin with (`CLOUDPAD_LAB_NAME`).
    pub name: String,
    /// The first three numbers of its loopback addresses (`CLOUDPAD_LAB_LOOP`): the services listen
    /// on `.10`, the hosts on `.11` and up.
    pub loopback: String,
    /// Where its keys and descriptions are kept, absolute (`CLOUDPAD_LAB_DIR`).
    pub dir: PathBuf,
}

impl Settings {
    /// The lab that the environment names, or this workspace's own.
    pub fn from_environment() -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let dir = variable("CLOUDPAD_LAB_DIR").map_or_else(|| workspace().join(".lab"), PathBuf::from);
        std::fs::create_dir_all(&dir).map_err(|error| format!("cannot make `{}`: {error}", dir.display()))?;
        Ok(Self {
            name: variable("CLOUDPAD_LAB_NAME").unwrap_or_else(|| "cloudpad-lab".into()),
            loopback: variable("CLOUDPAD_LAB_LOOP").unwrap_or_else(|| "127.0.0".into()),
            dir: dir.canonicalize().map_err(|error| format!("cannot open `{}`: {error}", dir.display()))?,
        })
    }

    /// `--filter` for what is this lab's.
    pub fn filter(&self) -> String {
        format!("label={LABEL}={}", self.name)
    }

    /// `--label` arguments for what is made for this lab.
    pub fn labels(&self) -> [String; 4] {
        let folder = format!("{FOLDER}={}", self.dir.display());
        ["--label".into(), format!("{LABEL}={}", self.name), "--label".into(), folder]
    }

    /// The container of host `number`, or of a service.
    pub fn container(&self, what: impl std::fmt::Display) -> String {
        format!("{}-{what}", self.name)
    }

    /// The loopback address that ends with `last`.
    pub fn address(&self, last: u8) -> String {
        format!("{}.{last}", self.loopback)
    }

    /// Refuses when a lab of this name runs that was raised from another folder. One that does not run was left by an
    /// engine that ended without it, and gives way.
    pub fn claim(&self) -> Result<()> {
        if let Some(other) = self.another_folder(&["ps"])? {
            return Err(format!(
                "a lab named `{}` was raised from `{other}`\nhint: give this one its own \
                 CLOUDPAD_LAB_NAME and CLOUDPAD_LAB_LOOP, such as `lab2` and `127.0.2`",
                self.name
            ));
        }
        match self.another_folder(&["ps", "--all"])? {
            Some(_) => hosts::remove(self),
            None => Ok(()),
        }
    }

    /// The folder that one of the listed containers of this name was made from, if that is not this lab's.
    fn another_folder(&self, list: &[&str]) -> Result<Option<String>> {
        let format = format!("{{{{.Label \"{FOLDER}\"}}}}");
        let filter = self.filter();
        let wanted = ["--filter", &filter, "--format", &format];
        let folders = shell::output(&mut docker(list.iter().copied().chain(wanted)))?;
        Ok(folders.lines().find(|folder| *folder != self.dir.display().to_string()).map(Into::into))
    }
}

/// The workspace's folder, absolute: where this package was built, one up.
pub fn workspace() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}
