//! Source provider `git`: git repositories and local directories. Talks to the user's own `git`.
//!
//! Why the program and not a library: the user's `git` brings their credential helpers, `~/.ssh/config`,
//! URL rewrites, proxies, LFS filters, partial and shallow transfer, and submodules, all set up and all
//! working. No library has all of these, and a private repository that clones by hand but not from here
//! would be the most tiresome of bugs. The price is a process for each step, and that git must be
//! installed, which on a machine that builds from git it is.
//!
//! Read in this order: `refs` (what a remote says, pure), `url` (what is let through, pure),
//! `git` (one git command), `cache` (one repository's files on this machine), `prepare`, `directory`.

use std::path::{Path, PathBuf};

use cloudpad_plugin_api::stage::source::{Fetch, Fetched, Location, Resolve, Resolved, Source};
use cloudpad_plugin_api::{Context, Failure, Handler, Provider, register};

mod cache;
mod directory;
mod git;
mod lock;
mod prepare;
mod progress;
mod refs;
mod remote;
mod seal;
mod url;

use cache::Cache;
use git::Git;

register! {
    Provider {
        name: "git",
        about: "git repositories, by the user's own git, and local directories",
        handler: Handler::Source(&GitSource { program: "git" }),
    },
}

/// The provider.
pub struct GitSource {
    /// The git program: a name to find on `PATH`, or a path.
    pub program: &'static str,
}

impl Source for GitSource {
    fn resolve(&self, cx: &Context, request: &Resolve) -> Result<Resolved, Failure> {
        match &request.location {
            Location::Directory { path } => directory::resolve(&self.git(cx, ""), &request.name, path),
            Location::Git { url, reference } => {
                let url = url::checked(url)?;
                let git = self.git(cx, &url);
                let revision = remote::resolve(&git, &url, reference, &request.cache)?;
                Ok(Resolved {
                    name: request.name.clone(),
                    revision: Some(revision),
                    dirty: false,
                    path: cache::tree(&request.cache),
                    pinned: true,
                })
            }
        }
    }

    fn fetch(&self, cx: &Context, request: &Fetch) -> Result<Fetched, Failure> {
        match &request.source.location {
            Location::Directory { path } => {
                directory::check(path)?;
                prepare::run(cx, path, &request.prepare)?;
                Ok(Fetched { path: path.clone(), changed: false })
            }
            Location::Git { url, .. } => self.fetch_git(cx, url, request),
        }
    }
}

impl GitSource {
    fn git<'a>(&self, cx: &'a Context, url: &str) -> Git<'a> {
        Git::new(self.program, cx, url)
    }

    fn fetch_git(&self, cx: &Context, url: &str, request: &Fetch) -> Result<Fetched, Failure> {
        let url = url::checked(url)?;
        let revision = request.revision.as_deref().filter(|id| refs::is_full_id(id)).ok_or_else(|| {
            Failure::invalid(format!(
                "source `{}` can only be fetched by a full commit id, and there is none",
                request.source.name
            ))
        })?;
        let root = make(&request.source.cache)?;
        let _held = lock::hold(cx, &root)?;
        let cache = Cache { git: self.git(cx, &url), url: &url, root: &root };
        let path = cache.tree();
        if seal::holds(&cache, revision, &request.prepare)? {
            return Ok(Fetched { path, changed: false });
        }
        seal::lift(&cache)?;
        let changed = cache.bring(revision)?;
        prepare::run(cx, &path, &request.prepare)?;
        seal::set(&cache, &request.prepare)?;
        Ok(Fetched { path, changed })
    }
}

/// Makes the directory that is this source's own.
fn make(path: &Path) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(path).map_err(|error| no_file("make", path, &error))?;
    Ok(path.to_owned())
}

/// What is said when a file operation fails.
fn no_file(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("could not {what} `{}`: {error}", path.display()))
}
