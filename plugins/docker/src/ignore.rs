//! `.dockerignore`: which files of a context an image's build may see. Pure.
//!
//! The rules are those of BuildKit's clients today, and not those of `.gitignore`: patterns are anchored
//! at the context's root, the last pattern that matches wins, and `!` brings files back even out of a
//! directory that is left out. [`parse`] turns the file into cleaned patterns, [`pattern`] decides for
//! one pattern, and [`Ignore`] for all of them, with what they said of the parent directory.
//!
//! The clients of engine 20.10 look at one parent directory per pattern, and leave a directory unless
//! an exception names it literally. Both were found to be faults and were mended; here they are mended too.

mod clean;
mod go_regex;
mod parse;
mod pattern;

pub use parse::BadIgnoreFile;
use pattern::Pattern;

/// The patterns of a `.dockerignore`.
#[derive(Debug, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

/// Which patterns have matched a directory; its children inherit that.
#[derive(Clone, Debug, Default)]
pub struct Matches(Vec<bool>);

impl Ignore {
    /// Reads the file's bytes, whatever they are.
    ///
    /// # Errors
    /// A line that Docker's clients refuse too.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadIgnoreFile> {
        parse::parse(bytes).map(|patterns| Self { patterns })
    }

    /// Whether `path` (relative, with `/`) is left out, given what was said of its parent directory,
    /// and what to tell its children. Entries of the root have the default as their parent's.
    pub fn leaves_out(&self, path: &str, parent: &Matches) -> (bool, Matches) {
        let mut out = false;
        let mut matches = vec![false; self.patterns.len()];
        for (index, pattern) in self.patterns.iter().enumerate() {
            let inherited = parent.0.get(index).copied().unwrap_or(false);
            // A pattern that could change nothing is not asked, and its children do not inherit from it.
            if !inherited && (pattern.exception != out || !pattern.is_match(path)) {
                continue;
            }
            matches[index] = true;
            out = !pattern.exception;
        }
        (out, Matches(matches))
    }

    /// Whether something below the directory `path`, which itself is left out, may be brought back.
    pub fn may_bring_back_below(&self, path: &str) -> bool {
        let mut exceptions = self.patterns.iter().filter(|pattern| pattern.exception).peekable();
        if exceptions.clone().any(|pattern| !pattern.has_literal_prefix()) {
            return true;
        }
        exceptions.any(|pattern| pattern.is_at_or_below(path))
    }
}

#[cfg(test)]
mod tests;
