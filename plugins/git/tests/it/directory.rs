//! Local directories: used as they are, and marked dirty when they differ from what is committed.

use std::fs;
use std::path::Path;

use cloudpad_plugin_api::Failure;
use cloudpad_plugin_api::stage::source::{Location, Resolve, Resolved, Source};

use crate::support::{Call, GIT, Repo};

fn resolve(path: &Path) -> Result<Resolved, Failure> {
    let location = Location::Directory { path: path.to_owned() };
    GIT.resolve(
        &Call::default().cx(),
        &Resolve { name: "here".into(), location, cache: "/nonexistent".into() },
    )
}

fn dirty(path: &Path) -> bool {
    resolve(path).unwrap().dirty
}

#[test]
fn without_version_control_there_is_no_revision() {
    let dir = tempfile::tempdir().unwrap();
    let resolved = resolve(dir.path()).unwrap();
    assert_eq!((resolved.revision, resolved.dirty, resolved.pinned), (None, false, false));
    assert_eq!(resolved.path, dir.path());
}

#[test]
fn in_a_repository_the_revision_is_the_commit() {
    let repo = Repo::new();
    let resolved = resolve(repo.path()).unwrap();
    assert_eq!((resolved.revision, resolved.dirty, resolved.pinned), (Some(repo.head()), false, false));
}

#[test]
fn any_uncommitted_change_makes_it_dirty() {
    for change in ["modified", "staged", "untracked", "deleted"] {
        let repo = Repo::new();
        match change {
            "modified" => fs::write(repo.path().join("a"), "2").unwrap(),
            "untracked" => fs::write(repo.path().join("b"), "").unwrap(),
            "deleted" => fs::remove_file(repo.path().join("a")).unwrap(),
            _ => {
                fs::write(repo.path().join("b"), "").unwrap();
                repo.git(&["add", "b"]);
            }
        }
        assert!(dirty(repo.path()), "{change}");
    }
}

#[test]
fn ignored_files_do_not_make_it_dirty() {
    let repo = Repo::new();
    repo.commit(".gitignore", "b");
    fs::write(repo.path().join("b"), "").unwrap();
    assert!(!dirty(repo.path()));
}

#[test]
fn only_what_is_below_it_counts() {
    let repo = Repo::new();
    fs::create_dir(repo.path().join("app")).unwrap();
    repo.commit("app/x", "1");
    fs::write(repo.path().join("a"), "2").unwrap();
    let app = repo.path().join("app");
    assert_eq!(resolve(&app).unwrap().revision, Some(repo.head()));
    assert!(!dirty(&app) && dirty(repo.path()));
    fs::write(app.join("x"), "2").unwrap();
    assert!(dirty(&app));
}

#[test]
fn a_repository_without_commits_has_no_revision() {
    let repo = Repo::empty();
    fs::write(repo.path().join("a"), "").unwrap();
    let resolved = resolve(repo.path()).unwrap();
    assert_eq!((resolved.revision, resolved.dirty), (None, true));
}

#[test]
fn what_is_no_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let failure = resolve(&dir.path().join("gone")).unwrap_err();
    assert!(failure.message.starts_with("could not find the directory `"), "{failure}");
    fs::write(dir.path().join("file"), "").unwrap();
    assert!(resolve(&dir.path().join("file")).unwrap_err().message.ends_with("is not a directory"));
}
