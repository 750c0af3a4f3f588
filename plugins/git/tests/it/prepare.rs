//! The user's commands after an update.

use std::fs;
use std::thread;

use cloudpad_plugin_api::FailureKind;
use cloudpad_plugin_api::stage::source::{Fetch, Location, Resolve, Source};

use crate::support::{Call, GIT, Repo, Sourced};

#[test]
fn commands_run_in_the_tree_in_order_and_are_heard() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    let call = Call::default();
    source.fetch_in(&call, &repo.head(), &[&["sh", "-c", "cat a; echo; echo x > b"], &["cat", "b"]]).unwrap();
    assert_eq!(call.output(), ["prepare: sh -c cat a; echo; echo x > b| 1", "prepare: cat b| x"]);
}

#[test]
fn the_first_that_fails_ends_it_with_its_last_words() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    let script = "for i in $(seq 100); do echo line $i; done; echo no rule >&2; exit 3";
    let call = Call::default();
    let prepare: &[&[&str]] = &[&["sh", "-c", script], &["touch", "never"]];
    let failure = source.fetch_in(&call, &repo.head(), prepare).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Failed);
    assert!(failure.message.contains(script) && failure.message.contains("exit status: 3"), "{failure}");
    assert_eq!(failure.causes.last().unwrap(), "no rule");
    assert_eq!(failure.causes.len(), 20);
    assert_eq!(source.read("never"), None);
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    let failure = source.fetch_in(&Call::default(), &repo.head(), &[&["no-such-program", "x"]]).unwrap_err();
    assert_eq!(failure.message, "could not run `no-such-program x`: there is no program `no-such-program`");
}

/// Fetches, and says how often the commands have run in all.
fn runs(source: &Sourced, id: &str, script: &str) -> usize {
    let count = source.dir.path().join("runs");
    let script = format!("echo >> {}; {script}", count.display());
    let _ = source.fetch_in(&Call::default(), id, &[&["sh", "-c", &script]]);
    fs::read_to_string(count).unwrap().len()
}

#[test]
fn they_run_again_only_when_they_have_to() {
    let repo = Repo::new();
    let first = repo.commit(".gitignore", "made");
    let source = Sourced::new(repo.url());
    let make = "echo > made; echo > new; echo 2 > a";
    assert_eq!(runs(&source, &first, make), 1);
    assert_eq!(runs(&source, &first, make), 1, "nothing has changed but by themselves");
    assert_eq!(runs(&source, &first, "true"), 2, "they are other commands");
    assert_eq!(runs(&source, &repo.commit("a", "2"), "true"), 3, "the tree is another");
    assert_eq!(runs(&source, &repo.head(), "exit 1"), 4);
    assert_eq!(runs(&source, &repo.head(), "exit 1"), 5, "they had not finished");
}

#[test]
fn what_they_left_half_done_is_not_taken_for_complete() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    let go = source.dir.path().join("go");
    let script = format!("echo half > a; test -e {} && echo whole > a", go.display());
    let fetch = || source.fetch_in(&Call::default(), &repo.head(), &[&["sh", "-c", &script]]);
    fs::write(&go, "").unwrap();
    fetch().unwrap();
    fs::write(source.cache().join("tree/new"), "").unwrap();
    fs::remove_file(&go).unwrap();
    fetch().unwrap_err();
    fs::write(&go, "").unwrap();
    fetch().unwrap();
    assert_eq!(source.read("a").as_deref(), Some("whole\n"));
}

#[test]
fn they_find_the_tree_as_it_was_committed() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    let half = ["sh", "-c", "echo half > a; echo > made; exit 1"];
    source.fetch_in(&Call::default(), &repo.head(), &[&half]).unwrap_err();
    let look = ["sh", "-c", "cat a; ls"];
    let call = Call::default();
    source.fetch_in(&call, &repo.head(), &[&look]).unwrap();
    assert_eq!(call.output(), ["prepare: sh -c cat a; ls| 1a"]);
}

#[test]
fn git_works_in_them() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    let call = Call::default();
    source.fetch_in(&call, &repo.head(), &[&["git", "rev-parse", "HEAD"]]).unwrap();
    assert_eq!(call.output(), [format!("prepare: git rev-parse HEAD| {}", repo.head())]);
}

#[test]
fn cancelling_ends_them() {
    let repo = Repo::new();
    let source = Sourced::new(repo.url());
    let fifo = source.dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let script = format!("echo > {}; sleep 600", fifo.display());
    let call = Call::default();
    let failure = thread::scope(|scope| {
        let run = scope.spawn(|| source.fetch_in(&call, &repo.head(), &[&["sh", "-c", &script]]));
        // It has been started when the other end is opened.
        fs::read(&fifo).unwrap();
        call.cancel.cancel();
        run.join().unwrap().unwrap_err()
    });
    assert_eq!(failure.kind, FailureKind::Cancelled);
}

#[test]
fn in_a_directory_they_run_every_time() {
    let dir = tempfile::tempdir().unwrap();
    let location = Location::Directory { path: dir.path().to_owned() };
    let source = Resolve { name: "here".into(), location, cache: dir.path().join("cache") };
    let prepare = vec![vec!["sh".into(), "-c".into(), "echo >> runs".into()]];
    let request = Fetch { source, revision: None, prepare };
    for _ in 0..2 {
        let fetched = GIT.fetch(&Call::default().cx(), &request).unwrap();
        assert!(!fetched.changed && fetched.path == dir.path());
    }
    assert_eq!(fs::read_to_string(dir.path().join("runs")).unwrap().len(), 2);
    assert!(!dir.path().join("cache").exists());
}
