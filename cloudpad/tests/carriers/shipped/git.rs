//! Source provider `git`, on a repository of its own.

use std::path::Path;
use std::process::Command;

use cloudpad_plugin_api::stage::source::{Fetch, GitReference, Location, Resolve};
use cloudpad_plugin_api::{Request, Stage};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{World, is_the_same_everywhere, without};
use crate::steps::{Step, check};

struct Repository {
    dir: TempDir,
    revision: String,
}

fn git(dir: &Path, args: &[&str]) -> String {
    let mut git = Command::new("git");
    git.current_dir(dir).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args);
    for date in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
        git.env(date, "2026-01-31T23:59:59Z");
    }
    let output = git.output().expect("these tests need `git`");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn repository() -> Repository {
    let dir = tempfile::tempdir().unwrap();
    let app = dir.path().join("app");
    std::fs::create_dir(&app).unwrap();
    git(&app, &["init", "--quiet", "--initial-branch=main"]);
    std::fs::write(app.join("a"), "1").unwrap();
    git(&app, &["add", "a"]);
    git(&app, &["commit", "--quiet", "-m", "one"]);
    let revision = git(&app, &["rev-parse", "HEAD"]);
    Repository { dir, revision }
}

impl Repository {
    fn source(&self, location: Location) -> Resolve {
        Resolve { name: "app".to_owned(), location, cache: self.dir.path().join("cache") }
    }

    fn remote(&self, reference: GitReference) -> Resolve {
        let url = format!("file://{}", self.dir.path().join("app").display());
        self.source(Location::Git { url, reference })
    }

    fn fetch(&self, revision: &str, prepare: &[&str]) -> Request {
        let prepare = match prepare {
            [] => Vec::new(),
            command => vec![command.iter().map(|&word| word.to_owned()).collect()],
        };
        let source = self.remote(GitReference::Branch("main".to_owned()));
        Request::SourceFetch(Fetch { source, revision: Some(revision.to_owned()), prepare })
    }
}

impl World for Repository {
    fn steps(&self) -> Vec<Step> {
        let step = |what, request| Step::new(what, "git", Value::Null, request);
        let config = |what, config| Step::new(what, "git", config, check(Stage::Source));
        let directory = |name: &str| self.source(Location::Directory { path: self.dir.path().join(name) });
        let branch = |name: &str| Request::SourceResolve(self.remote(GitReference::Branch(name.to_owned())));
        let wait = ["sh", "-c", "echo up; exec sleep 300"];
        vec![
            config("a config is fit", Value::Null),
            config("a config is not fit", json!({ "colour": "red" })),
            step("a directory", Request::SourceResolve(directory("app"))),
            step("no directory", Request::SourceResolve(directory("none"))),
            step("a branch", branch("main")),
            step("no branch", branch("mian")),
            step("no revision", self.fetch("main", &[])),
            step("a fetch", self.fetch(&self.revision, &[])).keyed("fetch/app"),
            step("the same fetch again", self.fetch(&self.revision, &[])).keyed("fetch/app"),
            step("prepared", self.fetch(&self.revision, &["sh", "-c", "echo made; echo so >&2"])),
            step("not prepared", self.fetch(&self.revision, &["sh", "-c", "echo no luck; exit 3"])),
            step("cancelled", self.fetch(&self.revision, &wait)).cancelled(),
        ]
    }

    fn hide(&self, message: Value) -> Option<Value> {
        // How far git is, it says as it likes; and two streams of a tool are read in whatever order.
        let told = message["t"] == "event" && message["kind"] != "output";
        let other = message["kind"] == "output" && message["line"] == "so";
        let path = self.dir.path().to_string_lossy();
        (!told && !other).then(|| without(&message, &[&path]))
    }
}

#[test]
fn it_is_the_same_everywhere() {
    let revision = format!("\"revision\":\"{}\"", repository().revision);
    let expected = [
        &revision,
        "unknown field `colour`",
        "\"changed\":true",
        "\"changed\":false",
        "\"line\":\"made\"",
        "no luck",
        "\"kind\":\"cancelled\"",
    ];
    is_the_same_everywhere("git", repository, &expected);
}
