//! One repository's files on this machine, kept between runs. Talks to the remote.
//!
//! ```text
//! CACHE/git       the repository: the commits that were needed so far, without their history
//! CACHE/tree      the files of one commit, and `.git`, a file of one line that leads to the above
//! CACHE/history   commits without files; only where an abbreviated id had to be looked up
//! CACHE/complete  what the tree looked like when it was complete
//! CACHE/lock      who works here
//! ```
//!
//! The repository stands outside the tree, so that it does not travel into build contexts, where its
//! ever-changing files would also defeat the build cache; with the one-line file, `git describe` and the
//! like work in `prepare` commands all the same.

use std::fs;
use std::path::{Path, PathBuf};

use cloudpad_plugin_api::{Failure, FailureKind};

use crate::git::Git;
use crate::{remote, url};

/// The place, and the repository that it is for.
pub struct Cache<'a> {
    /// The user's git.
    pub git: Git<'a>,
    /// The repository.
    pub url: &'a str,
    /// The directory that is ours.
    pub root: &'a Path,
}

/// Where the files are in the cache at `root`.
pub fn tree(root: &Path) -> PathBuf {
    root.join("tree")
}

/// Why the tree could not be brought to a revision.
enum Trouble {
    /// Doing it again would not help: the remote is at fault, or the caller asked to stop.
    Final(Failure),
    /// What an earlier run left behind may be at fault.
    Cache(Failure),
}

impl Trouble {
    fn into_failure(self) -> Failure {
        match self {
            Trouble::Final(failure) | Trouble::Cache(failure) => failure,
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Trouble::Final(failure)
    }
}

type Tried<T = ()> = Result<T, Trouble>;

impl Cache<'_> {
    /// Where the files are.
    pub fn tree(&self) -> PathBuf {
        tree(self.root)
    }

    fn repository(&self) -> PathBuf {
        self.root.join("git")
    }

    /// Makes the tree exactly that of `revision`; whether it was at another one. A cache that an
    /// interrupted run has left unusable is thrown away, and all is brought again.
    ///
    /// # Errors
    /// `unreachable` when the remote does not answer, `failed` when it does not have the commit.
    pub fn bring(&self, revision: &str) -> Result<bool, Failure> {
        let used = self.repository().exists();
        let changed = !used || self.head()?.as_deref() != Some(revision);
        match self.update(revision) {
            Err(Trouble::Cache(_)) if used => self.anew(revision)?,
            tried => tried.map_err(Trouble::into_failure)?,
        }
        Ok(changed)
    }

    fn anew(&self, revision: &str) -> Result<(), Failure> {
        remote::remove(&self.repository())?;
        remote::remove(&self.tree())?;
        self.update(revision).map_err(Trouble::into_failure)
    }

    fn head(&self) -> Result<Option<String>, Failure> {
        let output =
            self.git.run(self.root, &["--git-dir=git", "rev-parse", "--verify", "--quiet", "HEAD"])?;
        Ok(output.lines.into_iter().next().filter(|_| output.ok))
    }

    fn update(&self, revision: &str) -> Tried {
        self.lay(revision)?;
        if !self.has(revision)? {
            self.fetch(revision)?;
        }
        self.check_out(revision)
    }

    /// Makes the repository and the way to it, where they are not there.
    fn lay(&self, revision: &str) -> Tried {
        let tree = crate::make(&self.tree())?;
        if !self.repository().exists() {
            let format = if revision.len() == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
            let init = ["init", "--quiet", format, "--separate-git-dir=git", "tree"];
            self.must(self.root, &init)?;
        }
        let link = tree.join(".git");
        fs::write(&link, "gitdir: ../git\n").map_err(|error| crate::no_file("write", &link, &error))?;
        self.must(&tree, &["config", "remote.origin.url", self.url])
    }

    fn has(&self, revision: &str) -> Tried<bool> {
        let commit = format!("{revision}^{{commit}}");
        Ok(self.git.run(&self.tree(), &["cat-file", "-e", &commit])?.ok)
    }

    /// Brings the one commit, or, where the remote does not hand out single commits, all of them.
    fn fetch(&self, revision: &str) -> Tried {
        const FETCH: [&str; 4] = ["fetch", "--progress", "--no-recurse-submodules", "--force"];
        let one = [&FETCH[..], &["--depth=1", "--no-tags", "origin", revision]].concat();
        if self.git.run(&self.tree(), &one)?.ok {
            return Ok(());
        }
        remote::list(&self.git, self.url, &["HEAD"])?;
        let all = ["--tags", "origin", "+refs/heads/*:refs/remotes/origin/*"];
        self.must(&self.tree(), &[&FETCH[..], &all].concat())?;
        if self.has(revision)? {
            return Ok(());
        }
        // Commits that were brought without their history hide those before them: not so in a new cache.
        Err(Trouble::Cache(
            Failure::failed(format!("`{}` has no commit `{revision}`", url::shown(self.url)))
                .hint("it may have been there until someone pushed with force"),
        ))
    }

    fn check_out(&self, revision: &str) -> Tried {
        let tree = self.tree();
        self.must(
            &tree,
            &["checkout", "--quiet", "--force", "--no-recurse-submodules", "--detach", revision],
        )?;
        self.must(&tree, &["clean", "--quiet", "-ffdx"])?;
        if !tree.join(".gitmodules").exists() {
            return Ok(());
        }
        self.update_submodules()?;
        self.must(&tree, &["submodule", "--quiet", "foreach", "--recursive", "git clean --quiet -ffdx"])
    }

    fn update_submodules(&self) -> Tried {
        const UPDATE: [&str; 5] = ["submodule", "update", "--init", "--recursive", "--force"];
        let tree = self.tree();
        if self.git.run(&tree, &[&UPDATE[..], &["--depth=1"]].concat())?.ok {
            return Ok(());
        }
        // Some remotes do not hand out the single commits that submodules are pinned to; or the URL is
        // another now.
        self.must(&tree, &["submodule", "--quiet", "deinit", "--all", "--force"])?;
        remote::remove(&self.repository().join("modules"))?;
        self.must(&tree, &UPDATE)
    }

    /// Runs a git command that only fails when the cache is at fault, or what it was fetched from.
    fn must(&self, dir: &Path, args: &[&str]) -> Tried {
        let command = args.iter().find(|arg| !arg.starts_with('-')).copied().unwrap_or_default();
        let said = || format!("`git {command}` failed for `{}`", url::shown(self.url));
        self.git.run(dir, args)?.or(FailureKind::Failed, said).map_err(Trouble::Cache).map(drop)
    }
}
