//! What a reference stands for, and what it costs to know.

use std::net::TcpListener;

use cloudpad_git::GitSource;
use cloudpad_plugin_api::stage::source::{GitReference, Location, Resolve, Source};
use cloudpad_plugin_api::{Failure, FailureKind};

use crate::serve;
use crate::support::{Call, Repo, Sourced, branch, git, revision, tag};

fn told(failure: &Failure) -> String {
    format!("{failure} {}", failure.hint.clone().unwrap_or_default())
}

#[test]
fn branches_tags_and_the_default_are_known_without_a_clone() {
    let repo = Repo::new();
    let first = repo.head();
    repo.git(&["tag", "light"]);
    repo.git(&["tag", "--annotate", "--message", "x", "v1"]);
    repo.git(&["branch", "feature/x"]);
    let second = repo.commit("a", "2");
    let source = Sourced::new(repo.url());
    assert_eq!(source.id(GitReference::Default), second);
    assert_eq!(source.id(branch("main")), second);
    assert_eq!(source.id(branch("feature/x")), first);
    assert_eq!(source.id(tag("light")), first);
    assert_eq!(source.id(tag("v1")), first, "an annotated tag is its commit");
    assert!(!source.cache().exists());
}

#[test]
fn it_is_pinned_and_says_where_the_files_will_be() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    let resolved = source.resolve(GitReference::Default).unwrap();
    assert!(resolved.pinned && !resolved.dirty);
    assert_eq!(resolved.name, "app");
    assert_eq!(source.fetch(&repo.head()).unwrap().path, resolved.path);
}

#[test]
fn a_whole_commit_id_needs_no_remote() {
    let source = Sourced::new("git://127.0.0.1:1/nothing");
    for id in ["0123456789abcdef".repeat(4), "0A".repeat(20)] {
        assert_eq!(source.id(revision(&id)), id.to_lowercase());
    }
    assert!(!source.cache().exists());
}

#[test]
fn an_abbreviated_commit_id_is_looked_up() {
    let repo = Repo::new();
    let first = repo.head();
    repo.commit("a", "2");
    let source = Sourced::new(repo.url());
    assert_eq!(source.id(revision(&first[..8])), first);
    let third = repo.commit("a", "3");
    assert_eq!(source.id(revision(&third[..8].to_uppercase())), third, "made after the first look");
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let frugal = Sourced::new(repo.url());
    assert_eq!(frugal.id(revision(&first[..8])), first);
    let objects = git(&frugal.cache().join("history"), &["count-objects", "-v"]);
    assert!(
        objects.contains("count: 3") || objects.contains("in-pack: 3"),
        "three commits, no files: {objects}"
    );
    let fourth = repo.commit("a", "4");
    assert_eq!(frugal.id(revision(&fourth[..8])), fourth);
}

#[test]
fn an_abbreviated_commit_id_is_looked_up_after_an_interruption() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    let history = source.cache().join("history");
    std::fs::create_dir_all(history.join("objects")).unwrap();
    std::fs::write(history.join("config.lock"), "").unwrap();
    assert_eq!(source.id(revision(&repo.head()[..8])), repo.head());
}

#[test]
fn what_is_not_there_is_told_with_what_is_nearest() {
    let repo = Repo::new();
    repo.git(&["tag", "v1.0"]);
    let source = Sourced::new(repo.url());
    let url = repo.url();
    let failure = source.resolve(branch("mian")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert_eq!(told(&failure), format!("`{url}` has no branch `mian` did you mean `main`?"));
    let failure = source.resolve(tag("main")).unwrap_err();
    assert!(told(&failure).contains("but a branch of that name"), "{failure}");
    let failure = source.resolve(revision("0000000")).unwrap_err();
    assert!(told(&failure).contains("has no commit `0000000`"), "{failure}");
    let failure = source.resolve(revision("v1.0")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid);
}

#[test]
fn a_deleted_branch_is_not_there() {
    let repo = Repo::new();
    repo.git(&["branch", "old"]);
    let source = Sourced::new(repo.url());
    source.fetch(&source.id(branch("old"))).unwrap();
    repo.git(&["branch", "-D", "old"]);
    assert_eq!(source.resolve(branch("old")).unwrap_err().kind, FailureKind::Failed);
}

#[test]
fn a_repository_without_commits_says_so() {
    let failure = Sourced::new(Repo::empty().url()).resolve(GitReference::Default).unwrap_err();
    assert!(failure.message.ends_with("has no commits"), "{failure}");
}

#[test]
fn a_remote_that_is_not_there_is_unreachable_in_git_s_words() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let urls = [
        ("file:///nonexistent/repo.git".to_owned(), "does not"),
        (format!("https://127.0.0.1:{port}/x.git"), "connect"),
        (format!("git://127.0.0.1:{port}/x.git"), "refused"),
    ];
    for (url, why) in urls {
        let failure = Sourced::new(url.as_str()).resolve(GitReference::Default).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
        assert!(failure.message.contains(&url), "{failure}");
        assert!(failure.causes.join("\n").contains(why), "{failure}");
    }
}

#[test]
fn a_password_is_neither_asked_for_nor_shown() {
    let url = serve::locked();
    let failure = Sourced::new(format!("{url}/x.git")).resolve(GitReference::Default).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(told(&failure).contains("terminal prompts disabled"), "{failure}");
    let url = url.replace("http://", "http://me:hush@");
    let failure = Sourced::new(format!("{url}/x.git")).resolve(GitReference::Default).unwrap_err();
    assert!(told(&failure).contains("me:***@") && !told(&failure).contains("hush"), "{failure}");
}

#[test]
fn urls_that_run_commands_are_refused() {
    for url in ["--upload-pack=false", "ext::sh -c false"] {
        let failure = Sourced::new(url).resolve(GitReference::Default).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Invalid);
        assert_eq!(Sourced::new(url).fetch(&"0".repeat(40)).unwrap_err().kind, FailureKind::Invalid);
    }
}

#[test]
fn without_git_it_says_so() {
    let repo = Repo::new();
    let location = Location::Git { url: repo.url(), reference: GitReference::Default };
    let request = Resolve { name: "app".into(), location, cache: "/nonexistent/cache".into() };
    let failure =
        GitSource { program: "/nonexistent/git" }.resolve(&Call::default().cx(), &request).unwrap_err();
    assert_eq!(failure.message, "could not run `/nonexistent/git`: there is no such program");
}
