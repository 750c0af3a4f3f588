//! A local directory as a source: it is used as it is. Looks at it, with git where it is in a repository.

use std::path::Path;

use cloudpad_plugin_api::stage::source::Resolved;
use cloudpad_plugin_api::{Failure, FailureKind, Level};

use crate::git::Git;
use crate::refs;

/// What the directory at `path` stands for now. Only its files can say exactly, so it is never pinned.
///
/// # Errors
/// `failed` when it is not a directory.
pub fn resolve(git: &Git, name: &str, path: &Path) -> Result<Resolved, Failure> {
    check(path)?;
    let (revision, dirty) = if in_repository(path) { look(git, path)? } else { (None, false) };
    Ok(Resolved { name: name.to_owned(), revision, dirty, path: path.to_owned(), pinned: false })
}

/// That there is a directory at `path`.
///
/// # Errors
/// `failed` when there is none.
pub fn check(path: &Path) -> Result<(), Failure> {
    let meta = std::fs::metadata(path).map_err(|error| crate::no_file("find the directory", path, &error))?;
    match meta.is_dir() {
        true => Ok(()),
        false => Err(Failure::failed(format!("`{}` is not a directory", path.display()))),
    }
}

/// A directory without version control needs no git to be installed.
fn in_repository(path: &Path) -> bool {
    path.ancestors().any(|above| above.join(".git").exists())
}

/// The commit that is checked out, and whether anything below `path` differs from it.
fn look(git: &Git, path: &Path) -> Result<(Option<String>, bool), Failure> {
    let args = ["status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", "."];
    let said = || format!("the revision of `{}` is not known, because git says", path.display());
    match git.run(path, &args)?.or(FailureKind::Failed, said) {
        Ok(lines) => Ok(read(&lines)),
        Err(failure) => {
            git.cx.log(Level::Warn, failure.to_string());
            Ok((None, false))
        }
    }
}

/// Reads `git status --porcelain=v2 --branch`.
pub fn read(lines: &[String]) -> (Option<String>, bool) {
    let oid = lines.iter().find_map(|line| line.strip_prefix("# branch.oid "));
    let dirty = lines.iter().any(|line| !line.starts_with('#'));
    (oid.filter(|oid| refs::is_full_id(oid)).map(str::to_owned), dirty)
}
