//! The text of a `.dockerignore` as cleaned patterns. Pure.

use super::clean::clean;
use super::pattern::Pattern;

/// The longest line that Docker's clients read, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// A line that cannot be a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadIgnoreFile {
    /// Which line, from 1.
    pub line: usize,
    /// What it says.
    pub text: String,
    /// Why that is no pattern.
    pub reason: &'static str,
}

/// Every pattern, in the order of the file.
pub fn parse(bytes: &[u8]) -> Result<Vec<Pattern>, BadIgnoreFile> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut patterns = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let text = String::from_utf8_lossy(line);
        let bad = |reason| BadIgnoreFile { line: index + 1, text: shown(&text), reason };
        if line.len() >= MAX_LINE {
            return Err(bad("the line is longer than 64 KiB"));
        }
        if let Some(cleaned) = cleaned(&text) {
            patterns.extend(Pattern::new(&cleaned).map_err(bad)?);
        }
    }
    Ok(patterns)
}

/// A line without its comment, its white space and its leading `/`, in its shortest form.
fn cleaned(line: &str) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let line = line.trim();
    let (mark, path) = match line.strip_prefix('!') {
        Some(rest) => ("!", rest.trim()),
        None => ("", line),
    };
    match (mark, path) {
        ("", "") => None,
        (_, "") => Some(mark.to_owned()),
        _ => {
            let path = clean(path);
            let relative = path.strip_prefix('/').filter(|rest| !rest.is_empty()).unwrap_or(&path);
            Some(format!("{mark}{relative}"))
        }
    }
}

/// As much of a line as fits into a message.
fn shown(text: &str) -> String {
    text.trim().chars().take(80).collect()
}
