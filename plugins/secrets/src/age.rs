//! Provider `age`: a file that is encrypted with age (<https://age-encryption.org>) and kept with the project.
//! I/O: files, the program `age`.
//!
//! The program does the work, not a library: so keys are whatever the user's `age` takes, those of SSH and of its
//! plugins (hardware, clouds) too.

mod document;
mod keys;
mod store;

use std::collections::BTreeMap;
use std::path::PathBuf;

use cloudpad_plugin_api::stage::secrets::{
    Found, Get, List, Names, Open, Opened, Save, Secrets, Set, Values,
};
use cloudpad_plugin_api::{Context, Failure, Secret};

use store::Store;

/// What a file that is not there yet begins with, for whoever edits it.
const FIRST: &str = "# One secret a line: NAME = \"value\"\n";

pub(crate) struct Age;

/// What `[stages.secrets.config]` may say.
#[derive(Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// The encrypted file, relative to the project.
    file: PathBuf,
    /// For whom it is encrypted: public keys (`age1…`, `ssh-ed25519 …`), or files in which each line is one.
    recipients: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { file: "secrets.age".into(), recipients: Vec::new() }
    }
}

impl Secrets for Age {
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<Config>().map(drop)
    }

    fn get(&self, cx: &Context, request: &Get) -> Result<Found, Failure> {
        let mut all = all(&Store::of(cx)?)?;
        all.retain(|name, _| request.names.contains(name));
        Ok(Found { values: Values(all) })
    }

    fn list(&self, cx: &Context, _: &List) -> Result<Names, Failure> {
        Ok(Names { names: all(&Store::of(cx)?)?.into_keys().collect() })
    }

    fn set(&self, cx: &Context, request: &Set) -> Result<(), Failure> {
        let store = Store::of(cx)?;
        let kept = store.read()?;
        let text = kept.as_ref().map_or("", |kept| kept.text.expose());
        let changed = document::with(text, &request.name, request.value.expose());
        let changed = changed.map_err(|why| store.broken(&why))?;
        if kept.as_ref().is_some_and(|kept| kept.text.expose() == changed) {
            return Ok(());
        }
        store.write(&Secret::from(changed), kept.map(|kept| kept.mark).as_deref().unwrap_or_default())
    }

    fn open(&self, cx: &Context, _: &Open) -> Result<Opened, Failure> {
        let kept = Store::of(cx)?.read()?;
        let first = || Opened { text: Secret::from(FIRST.to_owned()), mark: String::new() };
        Ok(kept.map_or_else(first, |kept| Opened { text: kept.text, mark: kept.mark }))
    }

    fn save(&self, cx: &Context, request: &Save) -> Result<(), Failure> {
        document::read(request.text.expose()).map_err(Failure::invalid)?;
        Store::of(cx)?.write(&request.text, &request.mark)
    }
}

/// All secrets; none where there is no file.
fn all(store: &Store<'_>) -> Result<BTreeMap<String, Secret>, Failure> {
    let Some(kept) = store.read()? else { return Ok(BTreeMap::new()) };
    document::read(kept.text.expose()).map_err(|why| store.broken(&why))
}
