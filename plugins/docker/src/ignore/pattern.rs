//! One pattern of a `.dockerignore`, and whether a path matches it. Pure.
//!
//! Docker's clients turn a pattern into a regular expression of Go's, and what they forget to escape
//! (`{`, `|`, `^`) means there what it means in an expression. It does so here.

use regex::Regex;

use super::clean::clean;
use super::go_regex;

/// Characters that make a pattern more than a path.
const GLOB: [char; 6] = ['*', '[', ']', '?', '^', '\\'];

/// A pattern, ready to be asked.
#[derive(Debug)]
pub struct Pattern {
    /// Whether it brings back what an earlier one leaves out.
    pub exception: bool,
    text: String,
    how: How,
}

/// How a path is compared.
#[derive(Debug)]
enum How {
    Equal,
    Prefix,
    Suffix,
    Expression(Regex),
}

impl Pattern {
    /// The pattern that a cleaned line means; none where nothing is left of it.
    pub fn new(line: &str) -> Result<Option<Self>, &'static str> {
        let line = line.trim();
        if line.is_empty() {
            return Ok(None);
        }
        let cleaned = clean(line);
        let (exception, text) = match cleaned.strip_prefix('!') {
            Some("") => return Err("`!` alone brings nothing back"),
            Some(rest) => (true, rest),
            None => (false, cleaned.as_str()),
        };
        if !is_well_formed(text) {
            return Err("the pattern is not well formed");
        }
        let how = compile(text).ok_or("the pattern is not well formed")?;
        Ok(Some(Self { exception, text: text.to_owned(), how }))
    }

    /// Whether exactly this path matches, its parents not considered.
    pub fn is_match(&self, path: &str) -> bool {
        match &self.how {
            How::Equal => path == self.text,
            How::Prefix => self.text.strip_suffix("**").is_some_and(|prefix| path.starts_with(prefix)),
            How::Suffix => self.text.strip_prefix("**").is_some_and(|suffix| ends_with(path, suffix)),
            How::Expression(expression) => expression.is_match(path),
        }
    }

    /// Whether all but a trailing `/*` or `/**` is a plain path.
    pub fn has_literal_prefix(&self) -> bool {
        !self.without_trailing_glob().contains(GLOB)
    }

    /// Whether its literal part is the directory `path` or lies below it.
    pub fn is_at_or_below(&self, path: &str) -> bool {
        let literal = self.without_trailing_glob();
        literal.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn without_trailing_glob(&self) -> &str {
        let text = self.text.strip_suffix("/**").unwrap_or(&self.text);
        text.strip_suffix("/*").unwrap_or(text)
    }
}

/// `**/name` matches `name` at the root, too.
fn ends_with(path: &str, suffix: &str) -> bool {
    path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path)
}

/// The cheapest comparison that does what the pattern says.
fn compile(text: &str) -> Option<How> {
    #[derive(PartialEq)]
    enum Kind {
        Equal,
        Prefix,
        Suffix,
        Expression,
    }
    let mut expression = String::from("^");
    let mut kind = Kind::Equal;
    let mut chars = text.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                // `**/` is `**`: any number of directories, none included.
                chars.next_if_eq(&'/');
                if chars.peek().is_some() {
                    expression.push_str("(.*/)?");
                    kind = Kind::Expression;
                } else if kind == Kind::Equal {
                    kind = Kind::Prefix;
                } else {
                    expression.push_str(".*");
                    kind = Kind::Expression;
                }
                if first {
                    kind = Kind::Suffix;
                }
            }
            '*' => {
                expression.push_str("[^/]*");
                kind = Kind::Expression;
            }
            '?' => {
                expression.push_str("[^/]");
                kind = Kind::Expression;
            }
            '.' | '+' | '(' | ')' | '$' => expression.extend(['\\', c]),
            '\\' => {
                expression.push('\\');
                if let Some(next) = chars.next() {
                    expression.push(next);
                    kind = Kind::Expression;
                }
            }
            '[' | ']' => {
                expression.push(c);
                kind = Kind::Expression;
            }
            other => expression.push(other),
        }
        first = false;
    }
    Some(match kind {
        Kind::Equal => How::Equal,
        Kind::Prefix => How::Prefix,
        Kind::Suffix => How::Suffix,
        Kind::Expression => How::Expression(go_regex::compile(&(expression + "$"))?),
    })
}

/// Whether Go's `filepath.Match` takes it: classes are closed and not empty, nothing ends in `\`.
fn is_well_formed(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let mut rest = chars.as_slice();
    while !rest.is_empty() {
        let (chunk, after) = split_chunk(rest);
        if !is_chunk_well_formed(chunk) {
            return false;
        }
        rest = after;
    }
    true
}

/// What lies before the next star outside of a class, and what after.
fn split_chunk(chars: &[char]) -> (&[char], &[char]) {
    let stars = chars.iter().take_while(|c| **c == '*').count();
    let chars = &chars[stars..];
    let (mut at, mut in_class) = (0, false);
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    chars.split_at(at.min(chars.len()))
}

fn is_chunk_well_formed(mut chunk: &[char]) -> bool {
    while let Some((first, rest)) = chunk.split_first() {
        chunk = match first {
            '[' => match after_class(rest) {
                Some(after) => after,
                None => return false,
            },
            '\\' => match rest.split_first() {
                Some((_, after)) => after,
                None => return false,
            },
            _ => rest,
        };
    }
    true
}

/// What follows a class whose `[` has been read.
fn after_class(chars: &[char]) -> Option<&[char]> {
    let mut rest = chars.strip_prefix(&['^']).unwrap_or(chars);
    let mut ranges = 0;
    loop {
        if ranges > 0
            && let Some(after) = rest.strip_prefix(&[']'])
        {
            return Some(after);
        }
        rest = after_class_char(rest)?;
        if let Some(high) = rest.strip_prefix(&['-']) {
            rest = after_class_char(high)?;
        }
        ranges += 1;
    }
}

/// What follows one character of a class; something always must.
fn after_class_char(chars: &[char]) -> Option<&[char]> {
    let rest = match chars.split_first()? {
        ('-' | ']', _) => return None,
        ('\\', rest) => rest.split_first()?.1,
        (_, rest) => rest,
    };
    (!rest.is_empty()).then_some(rest)
}
