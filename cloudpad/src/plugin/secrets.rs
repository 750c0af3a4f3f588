//! The values of the secrets that a config names, so that they can be masked. I/O: files, environment.

use std::io::Read;
use std::path::Path;

use cloudpad_plugin_api::stage::build::SecretSource;

use super::mask::Mask;
use crate::config::{Config, Image};
use crate::project;
use crate::project::file;

/// The longest file that is taken for a secret, in bytes; BuildKit takes no longer ones.
const LONGEST: u64 = 500 * 1024;

/// A mask for every secret of the config that can be read. Those that cannot are nobody's to show either.
pub fn mask(config: &Config) -> Mask {
    let built = config.images.values().filter_map(|image| match image {
        Image::Built(image) => Some(image),
        Image::Ready { .. } => None,
    });
    let sources = built.flat_map(|image| image.secrets.values());
    Mask::new(sources.filter_map(|source| match source {
        SecretSource::Env(name) => project::variable(name),
        SecretSource::File(path) => read(path),
    }))
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    file::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}
