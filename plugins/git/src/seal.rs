//! Whether the tree is as the last complete fetch left it. Reads and writes one file beside the tree.

use std::fs;
use std::path::PathBuf;

use cloudpad_plugin_api::{Failure, FailureKind};
use sha2::{Digest, Sha256};

use crate::cache::Cache;
use crate::directory;

/// Whether the tree at `revision` was fetched and prepared with these commands, to the end, and nothing
/// has changed it since.
pub fn holds(cache: &Cache, revision: &str, prepare: &[Vec<String>]) -> Result<bool, Failure> {
    let Ok(sealed) = fs::read_to_string(path(cache)) else { return Ok(false) };
    let Ok(lines) = status(cache) else {
        cache.git.cx.check_cancelled()?;
        return Ok(false);
    };
    Ok(directory::read(&lines).0.as_deref() == Some(revision) && sealed == print(&lines, prepare))
}

/// Takes the seal away before anything is changed, so that what is broken off is not taken for complete.
pub fn lift(cache: &Cache) -> Result<(), Failure> {
    match fs::remove_file(path(cache)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(crate::no_file("remove", &path(cache), &error))
        }
        _ => Ok(()),
    }
}

/// Says that the tree is complete as it is now.
pub fn set(cache: &Cache, prepare: &[Vec<String>]) -> Result<(), Failure> {
    let print = print(&status(cache)?, prepare);
    fs::write(path(cache), print).map_err(|error| crate::no_file("write", &path(cache), &error))
}

fn path(cache: &Cache) -> PathBuf {
    cache.root.join("complete")
}

/// The commit that is checked out, and all that differs from it: `prepare` commands may make files,
/// ignored ones too.
fn status(cache: &Cache) -> Result<Vec<String>, Failure> {
    let args = ["status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--ignored"];
    let output = cache.git.run(&cache.tree(), &args)?;
    output.or(FailureKind::Failed, || format!("could not look at `{}`", cache.tree().display()))
}

fn print(status: &[String], prepare: &[Vec<String>]) -> String {
    let mut hash = Sha256::new();
    for line in status.iter().chain(prepare.iter().flatten()) {
        hash.update(line);
        hash.update([0]);
    }
    for command in prepare {
        hash.update(command.len().to_le_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
