//! The files of exactly one commit, brought at little cost.

use std::fs;
use std::thread;

use cloudpad_plugin_api::{Event, FailureKind};

use crate::serve;
use crate::support::{Call, Repo, Sourced, branch, git, tag};

#[test]
fn the_tree_follows_the_revision() {
    let repo = Repo::new();
    let first = repo.head();
    let second = repo.commit("b", "2");
    let source = Sourced::new(repo.url());
    assert!(source.fetch(&first).unwrap().changed);
    assert_eq!((source.read("a"), source.read("b")), (Some("1".into()), None));
    assert!(source.fetch(&second).unwrap().changed);
    assert_eq!(source.read("b").as_deref(), Some("2"));
    assert!(!source.fetch(&second).unwrap().changed);
    assert!(source.fetch(&first).unwrap().changed, "and back");
    assert_eq!(source.read("b"), None);
}

#[test]
fn history_is_not_brought() {
    let repo = Repo::new();
    repo.commit("a", "2");
    let third = repo.commit("a", "3");
    let source = Sourced::new(repo.url());
    source.fetch(&third).unwrap();
    assert_eq!(git(&source.cache().join("tree"), &["rev-list", "--count", "HEAD"]), "1");
}

#[test]
fn a_commit_that_is_there_is_not_fetched_again() {
    let repo = Repo::new();
    let first = repo.head();
    let second = repo.commit("a", "2");
    let source = Sourced::new(repo.url());
    source.fetch(&first).unwrap();
    source.fetch(&second).unwrap();
    fs::remove_dir_all(repo.path()).unwrap();
    assert!(source.fetch(&first).unwrap().changed);
    assert_eq!(source.read("a").as_deref(), Some("1"));
}

#[test]
fn the_repository_is_outside_the_tree() {
    let repo = Repo::new();
    repo.git(&["tag", "v1"]);
    let source = Sourced::new(repo.url());
    source.fetch(&repo.head()).unwrap();
    assert!(fs::metadata(source.cache().join("tree/.git")).unwrap().len() < 100);
    assert_eq!(git(&source.cache().join("tree"), &["rev-parse", "HEAD"]), repo.head());
}

#[test]
fn what_does_not_belong_to_the_tree_is_removed() {
    let repo = Repo::new();
    let first = repo.commit(".gitignore", "ignored");
    let source = Sourced::new(repo.url());
    source.fetch(&first).unwrap();
    let tree = source.cache().join("tree");
    for (file, text) in [("a", "changed"), ("ignored", ""), ("untracked", "")] {
        fs::write(tree.join(file), text).unwrap();
        assert!(!source.fetch(&first).unwrap().changed, "nothing had to be brought");
        assert_eq!(source.read("a").as_deref(), Some("1"));
        assert!(!tree.join("ignored").exists() && !tree.join("untracked").exists());
    }
    git(&tree, &["init", "--quiet", "nested"]);
    source.fetch(&repo.commit("a", "2")).unwrap();
    assert!(!tree.join("nested").exists());
}

#[test]
fn a_branch_that_was_pushed_with_force_is_followed() {
    let repo = Repo::new();
    repo.commit("a", "2");
    let source = Sourced::new(repo.url());
    source.fetch(&source.id(branch("main"))).unwrap();
    repo.git(&["reset", "--quiet", "--hard", "HEAD~"]);
    repo.commit("a", "other");
    source.fetch(&source.id(branch("main"))).unwrap();
    assert_eq!(source.read("a").as_deref(), Some("other"));
}

#[test]
fn a_commit_that_the_remote_does_not_have_is_told() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    source.fetch(&repo.head()).unwrap();
    let failure = source.fetch(&"0123456789".repeat(4)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert!(failure.message.contains("has no commit"), "{failure}");
}

#[test]
fn an_unreachable_remote_is_told_and_the_cache_stays() {
    let repo = Repo::new();
    let first = repo.head();
    let source = Sourced::new(repo.url());
    source.fetch(&first).unwrap();
    let second = repo.commit("a", "2");
    let away = repo.path().with_extension("away");
    fs::rename(repo.path(), &away).unwrap();
    assert_eq!(source.fetch(&second).unwrap_err().kind, FailureKind::Unreachable);
    assert_eq!(source.read("a").as_deref(), Some("1"));
    fs::rename(&away, repo.path()).unwrap();
    source.fetch(&second).unwrap();
}

#[test]
fn a_remote_that_hands_out_no_single_commits_is_fetched_whole() {
    let repo = Repo::new();
    let first = repo.head();
    repo.git(&["tag", "v1"]);
    let second = repo.commit("a", "2");
    repo.git(&["update-server-info"]);
    let source = Sourced::new(format!("{}/.git", serve::files(repo.path())));
    source.fetch(&second).unwrap();
    assert_eq!(source.read("a").as_deref(), Some("2"));
    source.fetch(&source.id(tag("v1"))).unwrap();
    assert_eq!((source.id(tag("v1")), source.read("a")), (first, Some("1".into())));
}

#[test]
fn a_remote_that_refuses_all_but_the_tips_is_fetched_whole() {
    let repo = Repo::new();
    let ids: Vec<_> = (0..4).map(|i| repo.commit("a", &format!("{i}"))).collect();
    let source = Sourced::new(serve::old_server(repo.path()));
    source.fetch(&ids[3]).unwrap();
    assert_eq!(git(&source.cache().join("tree"), &["rev-list", "--count", "HEAD"]), "1");
    source.fetch(&ids[1]).unwrap();
    assert_eq!(source.read("a").as_deref(), Some("1"));
    source.fetch(&ids[2]).unwrap();
    assert_eq!(source.read("a").as_deref(), Some("2"));
    assert_eq!(source.fetch(&"0123456789".repeat(4)).unwrap_err().kind, FailureKind::Failed);
}

#[test]
fn sha256_repositories_work() {
    let repo = Repo { dir: tempfile::tempdir().unwrap() };
    repo.git(&["init", "--quiet", "--initial-branch=main", "--object-format=sha256"]);
    let id = repo.commit("a", "1");
    let source = Sourced::new(repo.url());
    assert_eq!(source.id(branch("main")), id);
    assert_eq!(source.id(crate::support::revision(&id[..10])), id);
    source.fetch(&id).unwrap();
    assert_eq!(source.read("a").as_deref(), Some("1"));
}

#[test]
fn another_url_in_the_same_cache_is_another_repository() {
    let (one, two) = (Repo::new(), Repo::empty());
    two.commit("a", "two");
    let mut source = Sourced::new(one.url());
    source.fetch(&one.head()).unwrap();
    source.url = two.url();
    source.fetch(&two.head()).unwrap();
    assert_eq!(source.read("a").as_deref(), Some("two"));
}

#[test]
fn submodules_come_along_and_go_again() {
    let base = tempfile::tempdir().unwrap();
    let url = serve::daemon(base.path());
    let (deep, lib, app) = (Repo::new(), Repo::new(), Repo::new());
    let publish = |repo: &Repo, name: &str| {
        let target = base.path().join(name);
        let _ = fs::remove_dir_all(&target);
        git(base.path(), &["clone", "--quiet", "--bare", repo.path().to_str().unwrap(), name]);
    };
    publish(&deep, "deep");
    lib.git(&["submodule", "--quiet", "add", &format!("{url}/deep"), "deep"]);
    lib.commit("l", "pinned");
    publish(&lib, "lib");
    app.git(&["remote", "add", "origin", &format!("{url}/app")]);
    app.git(&["submodule", "--quiet", "add", "../lib", "sub/lib"]);
    // Left behind by its branch, so that only the exact commit will do.
    lib.commit("l", "newer");
    publish(&lib, "lib");
    let with = app.commit("a", "with");
    publish(&app, "app");
    let source = Sourced::new(format!("{url}/app"));
    source.fetch(&with).unwrap();
    assert_eq!(source.read("sub/lib/l").as_deref(), Some("pinned"));
    assert_eq!(source.read("sub/lib/deep/a").as_deref(), Some("1"));
    assert_eq!(git(&source.cache().join("tree/sub/lib"), &["rev-list", "--count", "HEAD"]), "1");
    assert!(!source.fetch(&with).unwrap().changed);

    fs::write(source.cache().join("tree/sub/lib/l"), "changed").unwrap();
    fs::write(source.cache().join("tree/sub/lib/new"), "").unwrap();
    source.fetch(&with).unwrap();
    assert_eq!((source.read("sub/lib/l"), source.read("sub/lib/new")), (Some("pinned".into()), None));

    lib.commit("l", "moved");
    publish(&lib, "elsewhere");
    fs::remove_dir_all(base.path().join("lib")).unwrap();
    app.git(&["submodule", "--quiet", "set-url", "sub/lib", "../elsewhere"]);
    git(&app.path().join("sub/lib"), &["pull", "--quiet"]);
    let moved = app.commit("a", "moved");
    publish(&app, "app");
    source.fetch(&moved).unwrap();
    assert_eq!(source.read("sub/lib/l").as_deref(), Some("moved"));

    app.git(&["rm", "--quiet", "sub/lib"]);
    let without = app.commit("a", "without");
    publish(&app, "app");
    source.fetch(&without).unwrap();
    assert!(!source.cache().join("tree/sub").exists());
}

#[test]
fn a_submodule_that_cannot_be_had_is_named() {
    let repo = Repo::new();
    let id = repo.head();
    fs::write(
        repo.path().join(".gitmodules"),
        "[submodule \"gone\"]\npath = gone\nurl = git://127.0.0.1:1/gone\n",
    )
    .unwrap();
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{id},gone")]);
    repo.git(&["add", ".gitmodules"]);
    repo.git(&["commit", "--quiet", "--message", "x"]);
    let failure = Sourced::new(repo.url()).fetch(&repo.head()).unwrap_err();
    assert!(failure.causes.join("\n").contains("gone"), "{failure}");
}

#[test]
fn two_runs_at_once_do_not_meet() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    let ids: Vec<_> = (0..4).map(|i| repo.commit("a", &format!("{i}"))).collect();
    thread::scope(|scope| {
        let runs: Vec<_> = ids.iter().map(|id| scope.spawn(|| source.fetch(id))).collect();
        runs.into_iter().for_each(|run| assert!(run.join().unwrap().is_ok()));
    });
    source.fetch(&ids[0]).unwrap();
    assert_eq!(source.read("a").as_deref(), Some("0"));
}

#[test]
fn progress_is_told() {
    let repo = Repo::new();
    let call = Call::default();
    Sourced::new(repo.url()).fetch_in(&call, &repo.head(), &[]).unwrap();
    let receiving =
        |event| matches!(event, Event::Progress(p) if p.label.contains("objects") && p.total.is_some());
    assert!(call.events().into_iter().any(receiving), "{:?}", call.events());
}
