//! The values of build secrets: read when a build begins, sent when BuildKit asks, and hidden in all
//! that a build prints. Reads the environment and files.

use std::collections::BTreeMap;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::build::{Recipe, SecretSource};

/// The most that BuildKit takes, in bytes.
const MAX: usize = 500 * 1024;

/// Shorter values are not hidden: half of what a build prints would be.
const SHORTEST_HIDDEN: usize = 4;

/// Values by the ids under which a Dockerfile mounts them. Cannot be printed.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, Vec<u8>>);

impl Secrets {
    /// Reads every secret that `recipe` names.
    ///
    /// # Errors
    /// `invalid`, naming the secret that is not there or too large.
    pub fn read(recipe: &Recipe) -> Result<Self, Failure> {
        let mut values = BTreeMap::new();
        for (id, source) in &recipe.secrets {
            let refuse = |why: String| {
                Failure::invalid(format!("secret `{id}` of image `{}` cannot be read: {why}", recipe.name))
            };
            let value = match source {
                SecretSource::Env(name) => std::env::var_os(name)
                    .map(std::ffi::OsString::into_encoded_bytes)
                    .ok_or_else(|| refuse(format!("the environment has no `{name}`")))?,
                SecretSource::File(path) => {
                    std::fs::read(path).map_err(|error| refuse(format!("`{}`: {error}", path.display())))?
                }
            };
            if value.len() > MAX {
                return Err(refuse(format!("it is longer than {} KiB", MAX / 1024)));
            }
            values.insert(id.clone(), value);
        }
        Ok(Self(values))
    }

    /// The value of `id`.
    pub fn expose(&self, id: &str) -> Option<&[u8]> {
        self.0.get(id).map(Vec::as_slice)
    }

    /// `line` with `***` in place of every value, and of every line of a value.
    pub fn hide(&self, line: &str) -> String {
        let values = self.0.values().filter_map(|value| std::str::from_utf8(value).ok());
        let lines = values.flat_map(str::lines).map(str::trim).filter(|part| part.len() >= SHORTEST_HIDDEN);
        lines.fold(line.to_owned(), |line, secret| line.replace(secret, "***"))
    }
}
