//! Stage `source`: where source code comes from. Pure.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::context::NoConfig;
use crate::lenient::{or_empty, or_true, yes};
use crate::{Context, Failure};

/// Brings source code here.
pub trait Source: Send + Sync {
    /// Whether the configuration in `cx` is one that the provider can work with. Touches nothing.
    ///
    /// # Errors
    /// `invalid`, saying what is wrong with it.
    fn check(&self, cx: &Context) -> Result<(), Failure> {
        cx.config::<NoConfig>().map(|_| ())
    }

    /// What the source stands for now, at the least cost: no clone where the remote can say it.
    ///
    /// # Errors
    /// `failed` when there is no such branch, tag, revision or directory; `unreachable` when the
    /// remote does not answer.
    fn resolve(&self, cx: &Context, request: &Resolve) -> Result<Resolved, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("source.resolve"))
    }

    /// Brings exactly `revision` to [`Resolved::path`], then runs the source's `prepare` commands there.
    ///
    /// # Errors
    /// As for `resolve`; `failed` with the last lines of its output when a `prepare` command fails.
    fn fetch(&self, cx: &Context, request: &Fetch) -> Result<Fetched, Failure> {
        let _ = (cx, request);
        Err(Failure::unsupported("source.fetch"))
    }
}

/// Where a source comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Location {
    /// A git repository.
    Git {
        /// Anything that `git clone` takes.
        url: String,
        /// Which of its revisions.
        reference: GitReference,
    },
    /// A directory on this machine, absolute.
    Directory {
        /// Where it is.
        path: PathBuf,
    },
}

/// Which revision of a git repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "name", rename_all = "snake_case")]
pub enum GitReference {
    /// The remote's `HEAD`.
    Default,
    /// The tip of a branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// A commit, by its full or abbreviated id.
    Revision(String),
}

/// The request `source.resolve`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolve {
    /// The source's name in `Cloudpad.toml`.
    pub name: String,
    /// Where it comes from.
    pub location: Location,
    /// An absolute directory that is this source's own, kept between runs, and may not exist yet.
    pub cache: PathBuf,
}

/// The reply to `source.resolve`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The source's name in `Cloudpad.toml`.
    pub name: String,
    /// The full commit id, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Whether what is built differs from `revision` (a directory with uncommitted changes).
    #[serde(default, deserialize_with = "or_empty")]
    pub dirty: bool,
    /// Where its files are, or will be once it has been fetched.
    pub path: PathBuf,
    /// Whether `revision` alone says what the files are. Where not, the files are at `path` now and
    /// whoever wants to know must look at them.
    #[serde(default, deserialize_with = "or_empty")]
    pub pinned: bool,
}

/// The request `source.fetch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// What was resolved.
    pub source: Resolve,
    /// The revision that was found then; none for a directory without version control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Commands to run in the source's directory afterwards, each an argument list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prepare: Vec<Vec<String>>,
}

/// The reply to `source.fetch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// Where the files are.
    pub path: PathBuf,
    /// Whether anything had to be brought here.
    #[serde(default = "yes", deserialize_with = "or_true")]
    pub changed: bool,
}
