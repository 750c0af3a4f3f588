//! What an author compiles before the first line of a plugin. Asks cargo.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeSet;
use std::process::Command;

/// The most crates that this one may bring, itself included.
const MOST: usize = 25;

#[test]
fn an_author_compiles_few_crates() {
    let mut tree = Command::new(env!("CARGO"));
    tree.args([
        "tree",
        "--locked",
        "--package",
        "cloudpad-plugin-api",
        "--edges",
        "normal",
        "--prefix",
        "none",
    ]);
    let output = tree.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<_> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("serde_json"), "the list is broken: {crates:?}");
    assert!(crates.len() <= MOST, "{} crates, and {MOST} are enough: {crates:?}", crates.len());
}
