//! What a walk keeps, held against Docker's own clients: against what they were recorded to send
//! (`tests/ignore/corpus.jsonl`, made by `record.py` beside it), and against the client that is here.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use proptest::prelude::*;
use serde::Deserialize;

use super::Context;
use crate::ignore::Ignore;

const CORPUS: &str = include_str!("../../tests/ignore/corpus.jsonl");

#[derive(Deserialize)]
struct Tree {
    tree: Vec<String>,
}

#[derive(Deserialize)]
struct Recorded {
    ignore: String,
    /// By the client of today; none where it refuses.
    kept: Option<Vec<String>>,
    /// By the client of engine 20.10, where that is something else.
    #[serde(default)]
    old: Option<Vec<String>>,
}

fn corpus() -> (Tree, Vec<Recorded>) {
    let (tree, rest) = CORPUS.split_once('\n').unwrap();
    let recorded = rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (serde_json::from_str(tree).unwrap(), recorded)
}

fn make(tree: &Tree, ignore: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for item in &tree.tree {
        let (path, target) =
            item.split_once("->").map_or((item.as_str(), None), |(path, to)| (path, Some(to)));
        let full = dir.path().join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        match target {
            Some(target) => std::os::unix::fs::symlink(target, full).unwrap(),
            None if path.ends_with('/') => std::fs::create_dir_all(full).unwrap(),
            None => std::fs::write(full, "").unwrap(),
        }
    }
    std::fs::write(dir.path().join("Dockerfile"), "FROM scratch\nCOPY . /\n").unwrap();
    std::fs::write(dir.path().join(".dockerignore"), ignore).unwrap();
    dir
}

/// What we keep; none where we refuse.
fn ours(root: &Path, ignore: &str) -> Option<Vec<String>> {
    let context = Context {
        root: root.to_owned(),
        dockerfile_dir: root.to_owned(),
        dockerfile_name: "Dockerfile".into(),
        dockerfile: Vec::new(),
        ignore: Ignore::parse(ignore.as_bytes()).ok()?,
    };
    let mut paths: Vec<String> = context.walk().unwrap().into_iter().map(|entry| entry.path).collect();
    paths.sort();
    Some(paths)
}

/// What the client that is here sends; none where it refuses.
fn theirs(client: &Path, root: &Path) -> Option<Vec<String>> {
    let out = tempfile::tempdir().unwrap();
    let mut build = Command::new(client);
    build.env("DOCKER_BUILDKIT", "1").args(["build", "-o"]).arg(out.path()).arg(root);
    if !build.output().unwrap().status.success() {
        return None;
    }
    let mut found = Vec::new();
    list(out.path(), "", &mut found);
    found.sort();
    Some(found)
}

fn list(dir: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            list(&entry.path(), &format!("{path}/"), found);
        }
        found.push(path);
    }
}

/// A client that can build to a directory, and whether it is one of engine 20.10.
fn client() -> &'static (PathBuf, bool) {
    static CLIENT: OnceLock<(PathBuf, bool)> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let (tree, _) = corpus();
        let dir = make(&tree, "");
        let candidates = ["/usr/bin/docker", "docker"].map(PathBuf::from);
        let found = candidates.into_iter().find(|client| theirs(client, dir.path()).is_some());
        let client = found.expect("these tests need an engine and its own client, one that has BuildKit");
        let version = Command::new(&client).args(["version", "-f", "{{.Client.Version}}"]).output().unwrap();
        (client, version.stdout.starts_with(b"20."))
    })
}

#[test]
fn every_recorded_ignore_file_keeps_what_it_was_recorded_to_keep() {
    let (tree, recorded) = corpus();
    assert!(recorded.len() >= 100);
    for case in recorded {
        let dir = make(&tree, &case.ignore);
        assert_eq!(ours(dir.path(), &case.ignore), case.kept, "{:?}", case.ignore);
    }
}

#[test]
fn the_records_are_what_the_client_here_does() {
    let (client, old) = client();
    let (tree, recorded) = corpus();
    for case in recorded.into_iter().step_by(9) {
        let dir = make(&tree, &case.ignore);
        let want = if *old && case.old.is_some() { case.old } else { case.kept };
        assert_eq!(theirs(client, dir.path()), want, "{:?}", case.ignore);
    }
}

/// A pattern that clients old and new read alike: they differ in `**`, and in exceptions.
fn plain_pattern() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "(a|b|c|x|foo|dir|lib|sub|src|build|out)",
        2 => r"(\*|\?|\*o|f\*|[a-c]\*|\[a-d\]|\[\^a\]|\*\.md|d\?r|\.)",
        1 => r"(\.\.|\.hidden|README\.md|z\.md)",
    ];
    proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"))
}

fn literal_exception() -> impl Strategy<Value = String> {
    proptest::collection::vec("(a|b|foo|dir|lib|sub|src|c|x|z\\.md)", 1..4)
        .prop_map(|parts| format!("!{}", parts.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 8, ..ProptestConfig::default() })]

    #[test]
    fn random_ignore_files_keep_what_the_client_here_keeps(
        patterns in proptest::collection::vec(plain_pattern(), 1..5),
        exceptions in proptest::collection::vec(literal_exception(), 0..3),
    ) {
        let (client, old) = client();
        // To the old client an exception brings back what lies in a directory even where the directory was
        // never left out; today's clients, and we, do not ask about such a directory. The records cover that.
        let exceptions = if *old { Vec::new() } else { exceptions };
        let ignore = [patterns, exceptions].concat().join("\n");
        let dir = make(&corpus().0, &ignore);
        prop_assert_eq!(ours(dir.path(), &ignore), theirs(client, dir.path()), "{:?}", ignore);
    }
}
