use std::collections::BTreeMap;
use std::path::Path;

use cloudpad_plugin_api::stage::build::{Build, Built, ImageState, Images, Observe, Recipe, Run};
use cloudpad_plugin_api::{Context, Failure, Handler, Provider, register};

register! {
    Provider { name: "@name@", about: "not written yet", handler: Handler::Build(&Plugin) },
}

/// The provider.
pub struct Plugin;

impl Build for Plugin {
    /// A reference for each image, with a tag made from all that goes into its build, and whether it is built.
    ///
    /// Here all that is asked goes into every tag. That is never wrong, and builds more often than it has to.
    fn observe(&self, _: &Context, asked: &Observe) -> Result<Images, Failure> {
        let mut hash = Hash::default();
        for recipe in &asked.recipes {
            add(&mut hash, recipe)?;
        }
        let image = |recipe: &Recipe| ImageState {
            name: recipe.name.clone(),
            reference: format!("{}:{:016x}", recipe.repository, hash.0),
            ..ImageState::default()
        };
        Ok(Images {
            images: asked.recipes.iter().map(image).collect(),
        })
    }

    /// Builds the image of `recipe`, and tags it `reference`. When that tag is there, nothing is done.
    fn run(&self, _: &Context, _: &Run) -> Result<Built, Failure> {
        Err(not_written("`build.run`")) // Ok(Built { id: "sha256:…".to_owned(), cached: false })
    }
}

fn add(hash: &mut Hash, recipe: &Recipe) -> Result<(), Failure> {
    let mut kept = Recipe {
        secrets: BTreeMap::new(),
        ..recipe.clone()
    };
    if !recipe.source.pinned {
        // Its revision does not say what its files are.
        add_files(hash, &recipe.source.path).map_err(|error| {
            Failure::failed(format!(
                "cannot read all of `{}`: {error}",
                recipe.source.path.display()
            ))
        })?;
    }
    kept.source.path = Default::default();
    hash.add(format!("{kept:?}").as_bytes());
    Ok(())
}

fn add_files(hash: &mut Hash, dir: &Path) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        hash.add(name.as_encoded_bytes());
        if kind.is_dir() && name != ".git" && name != ".cloudpad" {
            add_files(hash, &entry.path())?;
        } else if kind.is_file() {
            hash.add(&std::fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// FNV-1a, to begin with: a tag that strangers can influence needs SHA-256.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    fn add(&mut self, bytes: &[u8]) {
        let length = bytes.len().to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

fn not_written(what: &str) -> Failure {
    Failure::failed(format!("{what} of provider `@name@`: not written yet"))
        .hint("write it in `src/lib.rs`")
}
