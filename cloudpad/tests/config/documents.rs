//! The configs that documents and examples of this repository show: they all load.

use std::path::Path;

use super::{load, render};

fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn check(what: &str, text: &str) {
    let staging = text.contains("[environments.staging").then_some("staging");
    for environment in [None, staging] {
        if let Err(problems) = load(text, environment, &|_| None) {
            panic!("{what}:\n{}", render(&problems, text));
        }
    }
}

#[test]
fn the_blocks_of_the_readme() {
    const REST: &str = "[project]\nname = \"shop\"\n[images.web]\n[services.page]\n";
    let readme = read("README.md");
    let blocks: Vec<&str> =
        readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        match block.contains("[project]") {
            true => check("README.md", block),
            false => check("README.md", &format!("{REST}{block}")),
        }
    }
}
