//! `docs/plugins.md` against the code: its messages are read, its methods and fields are all there are, its
//! numbers are those that hold. What it lets one type is run in `tests/it`. Reads the workspace's files.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod fields;
mod messages;
mod numbers;

use std::path::{Path, PathBuf};

const BOOK: &str = include_str!("../../../docs/plugins.md");

/// A fenced block: what stands behind its opening fence, and its text.
struct Block<'a> {
    info: &'a str,
    text: &'a str,
}

/// Every block that stands at the beginning of lines, in order.
fn blocks() -> Vec<Block<'static>> {
    let mut blocks = Vec::new();
    let mut rest = BOOK;
    while let Some((_, after)) = rest.split_once("\n```") {
        let info = after.lines().next().unwrap_or_default();
        let body = &after[info.len()..];
        let end = body.find("\n```").unwrap_or_else(|| panic!("```{info} has no end"));
        blocks.push(Block { info, text: &body[1..end + 1] });
        rest = &body[end + 4..];
    }
    blocks
}

/// A section by its heading, as far as the next one of any level.
fn section(heading: &str) -> &'static str {
    let start = format!("\n{heading}\n");
    let (_, rest) = BOOK.split_once(&start).unwrap_or_else(|| panic!("the book has no section `{heading}`"));
    rest.split("\n#").next().unwrap_or(rest)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
