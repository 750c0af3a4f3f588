//! Repositories to fetch from, and calls whose events are kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use cloudpad_git::GitSource;
use cloudpad_plugin_api::stage::source::{Fetch, Fetched, GitReference, Location, Resolve, Resolved, Source};
use cloudpad_plugin_api::{Cancel, Context, Event, Failure};
use tempfile::TempDir;

/// The provider as it ships.
pub const GIT: GitSource = GitSource { program: "git" };

/// Runs `git ARGS` in `dir`; its output.
pub fn git(dir: &Path, args: &[&str]) -> String {
    const ME: [&str; 6] =
        ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"];
    let output = Command::new("git").current_dir(dir).args(ME).args(args).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository that somebody works in.
pub struct Repo {
    pub dir: TempDir,
}

impl Repo {
    /// One without commits; `main` is its branch.
    pub fn empty() -> Self {
        let repo = Repo { dir: tempfile::tempdir().unwrap() };
        git(repo.path(), &["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    /// One with a file `a` that says `1`, in one commit.
    pub fn new() -> Self {
        let repo = Self::empty();
        repo.commit("a", "1");
        repo
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Its URL by which git speaks its protocol, as over a network.
    pub fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    pub fn git(&self, args: &[&str]) -> String {
        git(self.path(), args)
    }

    /// Writes a file and commits it; the commit's id.
    pub fn commit(&self, file: &str, text: &str) -> String {
        fs::write(self.path().join(file), text).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", text]);
        self.head()
    }

    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }
}

/// One call, with its events.
#[derive(Clone, Default)]
pub struct Call {
    events: Arc<Mutex<Vec<Event>>>,
    pub cancel: Cancel,
}

impl Call {
    pub fn cx(&self) -> Context {
        let events = self.events.clone();
        let emit = Arc::new(move |event| events.lock().unwrap().push(event));
        Context::new(serde_json::Value::Null, emit, self.cancel.clone())
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// The lines that were printed, each behind its source.
    pub fn output(&self) -> Vec<String> {
        let line = |event| match event {
            Event::Output { source, line, .. } => Some(format!("{source}| {line}")),
            _ => None,
        };
        self.events().into_iter().filter_map(line).collect()
    }
}

/// A source with a cache of its own.
pub struct Sourced {
    pub dir: TempDir,
    pub url: String,
}

impl Sourced {
    pub fn new(url: impl Into<String>) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), url: url.into() }
    }

    pub fn cache(&self) -> PathBuf {
        self.dir.path().join("cache")
    }

    /// The file's text in the fetched tree, if it is there.
    pub fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.cache().join("tree").join(file)).ok()
    }

    fn request(&self, reference: GitReference) -> Resolve {
        let location = Location::Git { url: self.url.clone(), reference };
        Resolve { name: "app".into(), location, cache: self.cache() }
    }

    pub fn resolve(&self, reference: GitReference) -> Result<Resolved, Failure> {
        GIT.resolve(&Call::default().cx(), &self.request(reference))
    }

    /// The commit that `reference` stands for.
    pub fn id(&self, reference: GitReference) -> String {
        self.resolve(reference).unwrap().revision.unwrap()
    }

    pub fn fetch(&self, revision: &str) -> Result<Fetched, Failure> {
        self.fetch_in(&Call::default(), revision, &[])
    }

    pub fn fetch_in(&self, call: &Call, revision: &str, prepare: &[&[&str]]) -> Result<Fetched, Failure> {
        GIT.fetch(&call.cx(), &self.fetch_request(revision, prepare))
    }

    pub fn fetch_request(&self, revision: &str, prepare: &[&[&str]]) -> Fetch {
        let words = |command: &&[&str]| command.iter().map(|word| (*word).to_owned()).collect();
        Fetch {
            source: self.request(GitReference::Default),
            revision: Some(revision.to_owned()),
            prepare: prepare.iter().map(words).collect(),
        }
    }
}

pub fn branch(name: &str) -> GitReference {
    GitReference::Branch(name.into())
}

pub fn tag(name: &str) -> GitReference {
    GitReference::Tag(name.into())
}

pub fn revision(id: &str) -> GitReference {
    GitReference::Revision(id.into())
}
