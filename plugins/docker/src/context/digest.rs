//! One sum for all that a context holds: names, kinds, permissions, link targets and contents, and no
//! times. Reads the files that the cache does not know.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use cloudpad_plugin_api::Failure;
use sha2::{Digest, Sha256};

use super::Context;
use super::times::{Sum, Times};
use super::walk::{Entry, Kind};
use crate::unreadable;

/// How much of a file is in memory at once, in bytes.
const BUFFER: usize = 128 * 1024;

impl Context {
    /// The sum of `entries`, which a walk has found, less what says how things are deployed and how
    /// they came about. A build may read those files, but a change of them alone is no new image.
    ///
    /// # Errors
    /// `failed`, naming the file that cannot be read.
    pub fn digest(&self, entries: &[Entry], times: &mut Times) -> Result<Sum, Failure> {
        let mut sum = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        for entry in entries.iter().filter(|entry| !is_about(&entry.path)) {
            let (kind, content) = match &entry.kind {
                Kind::File => {
                    let full = self.root.join(&entry.path);
                    let content = times.sum(&entry.path, entry.stamp, || sum_of_file(&full, &mut buffer))?;
                    (b'f', content.to_vec())
                }
                Kind::Directory => (b'd', Vec::new()),
                Kind::Symlink(target) => (b'l', target.clone().into_bytes()),
                Kind::Fifo => (b'p', Vec::new()),
            };
            sum.update([kind]);
            sum.update(entry.mode.to_be_bytes());
            for field in [entry.path.as_bytes(), &content] {
                sum.update((field.len() as u64).to_be_bytes());
                sum.update(field);
            }
        }
        Ok(sum.finalize().into())
    }
}

/// The path of what was changed last, of all that counts. Of a file that is gone it is its directory.
pub fn changed_last(entries: &[Entry]) -> Option<&str> {
    let all = entries.iter().filter(|entry| !is_about(&entry.path));
    let last = all.max_by_key(|entry| (entry.stamp.ctime, entry.kind != Kind::Directory));
    last.map(|entry| entry.path.as_str())
}

/// Whether a path is Cloudpad's config or part of git's folder.
fn is_about(path: &str) -> bool {
    matches!(path.split('/').next(), Some("Cloudpad.toml" | ".git"))
}

fn sum_of_file(path: &Path, buffer: &mut [u8]) -> Result<Sum, Failure> {
    let mut sum = Sha256::new();
    let failed = |error: std::io::Error| unreadable(path, &error);
    let mut file = File::open(path).map_err(failed)?;
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(sum.finalize().into()),
            Ok(count) => sum.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}
