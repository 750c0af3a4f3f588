//! What a remote stands for now, asked without a clone where it can say. Talks to the remote.

use std::path::Path;

use cloudpad_plugin_api::stage::source::GitReference;
use cloudpad_plugin_api::{Failure, FailureKind};

use crate::git::Git;
use crate::refs::{self, Ref};
use crate::{lock, url};

/// The full commit id that `reference` stands for at `url`.
///
/// # Errors
/// `unreachable` when the remote does not answer, `failed` when it has no such thing.
pub fn resolve(git: &Git, url: &str, reference: &GitReference, cache: &Path) -> Result<String, Failure> {
    if let GitReference::Revision(id) = reference {
        return revision(git, url, &id.to_lowercase(), cache);
    }
    let names = refs::names(reference);
    let found = list(git, url, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
    match refs::pick(reference, &found) {
        Some(id) => Ok(id.to_owned()),
        None => Err(refs::missing(&url::shown(url), reference, &list(git, url, &[])?)),
    }
}

/// The remote's refs: those whose names end with one of `names`, or all.
///
/// # Errors
/// `unreachable` when the remote does not answer or does not let us in.
pub fn list(git: &Git, url: &str, names: &[&str]) -> Result<Vec<Ref>, Failure> {
    let args = [&["ls-remote", "--quiet", "--", url], names].concat();
    let shown = url::shown(url);
    let output = git.run(Path::new("/"), &args)?;
    output
        .or(FailureKind::Unreachable, || format!("could not ask `{shown}` for its branches and tags"))
        .map_err(|failure| {
            failure.hint(format!("`git ls-remote {shown}` must work here without asking for a password"))
        })
        .map(|lines| refs::parse(&lines))
}

fn revision(git: &Git, url: &str, id: &str, cache: &Path) -> Result<String, Failure> {
    if refs::is_full_id(id) {
        return Ok(id.to_owned());
    }
    if !refs::is_short_id(id) {
        return Err(Failure::invalid(format!("`{id}` is not a commit id"))
            .hint("a commit id is 4 to 64 hexadecimal digits; for a name write `branch` or `tag`"));
    }
    abbreviated(git, url, id, cache)
}

/// No remote says what an abbreviated id stands for, so all commits are brought here, without their files
/// where the remote can leave them out.
fn abbreviated(git: &Git, url: &str, id: &str, cache: &Path) -> Result<String, Failure> {
    let root = crate::make(cache)?;
    let _held = lock::hold(git.cx, &root)?;
    let history = root.join("history");
    if let Some(full) = lookup(git, &history, id)? {
        return Ok(full);
    }
    if let Err(failure) = bring_history(git, url, &history) {
        // Either the remote is at fault, which then says so itself, or what an earlier run left here.
        list(git, url, &["HEAD"])?;
        remove(&history)?;
        git.cx.check_cancelled()?;
        bring_history(git, url, &history).map_err(|_| failure)?;
    }
    lookup(git, &history, id)?.ok_or_else(|| {
        Failure::failed(format!(
            "`{}` has no commit `{id}`, or more than one that begins so",
            url::shown(url)
        ))
        .hint("write the full commit id")
    })
}

fn lookup(git: &Git, history: &Path, id: &str) -> Result<Option<String>, Failure> {
    if !history.join("objects").exists() {
        return Ok(None);
    }
    let commit = format!("{id}^{{commit}}");
    let output = git.run(history, &["--git-dir=.", "rev-parse", "--verify", "--quiet", &commit])?;
    Ok(output.lines.into_iter().next().filter(|full| output.ok && refs::is_full_id(full)))
}

fn bring_history(git: &Git, url: &str, history: &Path) -> Result<(), Failure> {
    let shown = url::shown(url);
    let said = || format!("could not fetch the history of `{shown}`");
    let path = crate::make(history)?;
    let format =
        if list(git, url, &["HEAD"])?.iter().any(|head| head.id.len() == 64) { "sha256" } else { "sha1" };
    let format = format!("--object-format={format}");
    git.run(&path, &["init", "--quiet", "--bare", &format, "."])?.or(FailureKind::Failed, said)?;
    let fetch =
        ["--git-dir=.", "fetch", "--progress", "--prune", "--no-recurse-submodules", "--filter=tree:0"];
    let all = ["--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    git.run(&path, &[&fetch[..], &all].concat())?.or(FailureKind::Failed, said)?;
    Ok(())
}

/// Removes a directory with all that is in it; that there is none is fine.
///
/// # Errors
/// `failed` when the system refuses.
pub fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(crate::no_file("remove", path, &error))
        }
        _ => Ok(()),
    }
}
