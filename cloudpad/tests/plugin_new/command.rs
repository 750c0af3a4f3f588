//! The command itself: what it writes where, and what it refuses.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cloudpad_plugin_api::Stage;

use crate::made::{cloudpad, make};
use crate::{Made, STAGES};

/// Every file below `dir`, sorted, with its text.
fn files(dir: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            all.extend(files(&path).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            all.push((name, std::fs::read_to_string(&path).expect("a text")));
        }
    }
    all.sort();
    all
}

fn names(dir: &Path) -> Vec<String> {
    files(dir).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn these_files_are_made() {
    let ci = ".github/workflows/test.yml";
    for (language, expected) in [
        ("python", vec![ci, "README.md", "cloudpad-acme-push", "test_plugin.py"]),
        ("sh", vec![ci, "README.md", "cloudpad-acme-push", "test.sh"]),
        ("c", vec![ci, ".gitignore", "Makefile", "README.md", "cloudpad_plugin.h", "plugin.c", "test.c"]),
        (
            "rust",
            vec![ci, ".gitignore", "Cargo.toml", "README.md", "src/lib.rs", "src/main.rs", "tests/plugin.rs"],
        ),
    ] {
        let made = Made::new("push", language);
        assert_eq!(names(&made.dir), expected, "{language}");
        for (name, text) in files(&made.dir) {
            let mode = std::fs::metadata(made.dir.join(&name)).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o111 != 0, text.starts_with("#!"), "{language}: {name}");
        }
    }
}

#[test]
fn no_word_is_left_unfilled() {
    let words = ["name", "stage", "Stage", "provider", "tests", "language", "config", "file", "crate"];
    for language in ["rust", "python", "sh", "c"] {
        for stage in STAGES {
            let made = Made::new(stage, language);
            for (name, text) in files(&made.dir) {
                let left = words.iter().find(|word| text.contains(&format!("@{word}@")));
                assert_eq!(left, None, "{language}, {stage}: {name}");
            }
        }
    }
    assert_eq!(Stage::ALL.map(Stage::name), STAGES);
}

#[test]
fn what_is_there_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("no temporary folder");
    let dir = make(folder.path(), "acme", "source", "sh");
    let before = files(&dir);
    let output = cloudpad(folder.path(), &["plugin", "new", "acme", "--stage", "source", "--lang", "python"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cloudpad-acme-source` is there already, and is not overwritten"), "{said}");
    assert_eq!(files(&dir), before);
}

#[test]
fn names_that_no_provider_can_have_are_refused() {
    let folder = tempfile::tempdir().expect("no temporary folder");
    for (name, stage, expected) in [
        ("Acme", "push", "`Acme` cannot be the name of a provider"),
        ("1a", "push", "`1a` cannot be the name of a provider"),
        ("../a", "push", "`../a` cannot be the name of a provider"),
        ("", "push", "`` cannot be the name of a provider"),
        ("a", "secret", "invalid value 'secret' for '--stage <STAGE>'"),
    ] {
        let output = cloudpad(folder.path(), &["plugin", "new", name, "--stage", stage, "--lang", "sh"]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(expected), "{name}: {said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 0);
}
