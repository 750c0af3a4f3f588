//! The last lines that a plugin has written to standard error. Pure.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::plugin::mask::Mask;

/// How many lines are kept.
const LINES: usize = 20;
/// How much is kept of a line while it comes: more than is shown, so that a secret is not cut and then missed.
pub const KEPT: usize = 8 * 1024;
/// How many characters are shown of a line.
const SHOWN: usize = 500;

/// The last lines, as they may be shown.
pub struct Tail {
    mask: Arc<Mask>,
    lines: VecDeque<String>,
    line: Vec<u8>,
    /// Whether the last line was a frame of Rust's backtrace.
    in_trace: bool,
}

impl Tail {
    /// No lines yet.
    pub fn new(mask: Arc<Mask>) -> Self {
        Self { mask, lines: VecDeque::new(), line: Vec::new(), in_trace: false }
    }

    /// Takes more of what is written.
    /// Tells each line that is whole.
    pub fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(&str)) {
        let mut parts = bytes.split(|byte| *byte == b'\n');
        if let Some(first) = parts.next() {
            self.extend(first);
        }
        for part in parts {
            self.end_line(&mut tell);
            self.extend(part);
        }
    }

    fn extend(&mut self, part: &[u8]) {
        let room = KEPT.saturating_sub(self.line.len());
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn end_line(&mut self, mut tell: impl FnMut(&str)) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = self.mask.text(line.trim_end());
        if line.is_empty() {
            return;
        }
        let line = shorten(&line, SHOWN);
        tell(&line);
        // A backtrace of any length would leave no room for the panic that it belongs to.
        self.in_trace = is_frame(&line) || (self.in_trace && line.trim_start().starts_with("at "));
        if self.in_trace {
            return;
        }
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The lines so far, an unfinished one included.
    pub fn lines(&mut self) -> impl Iterator<Item = &str> {
        self.end_line(|_| {});
        self.lines.iter().map(String::as_str)
    }
}

/// Whether it is a frame as Rust writes it: `   3: core::panicking::panic_fmt`.
fn is_frame(line: &str) -> bool {
    let number = line.strip_prefix("  ").map(str::trim_start).and_then(|rest| rest.split_once(": "));
    number.is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The beginning of a text, and `…` where that is not all of it.
pub fn shorten(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(chunks: &[&[u8]]) -> Vec<String> {
        let mut tail = Tail::new(Arc::new(Mask::new(["s3cret".to_owned()])));
        chunks.iter().for_each(|chunk| tail.push(chunk, |_| {}));
        tail.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_last_lines_are_kept() {
        assert_eq!(tail(&[b"one\ntw", b"o\r\n\n \nthree"]), ["one", "two", "three"]);
        let many: Vec<_> = (0..100).map(|number| format!("{number}\n")).collect();
        let kept = tail(&[many.concat().as_bytes()]);
        assert_eq!((kept.len(), kept[0].as_str(), kept[19].as_str()), (20, "80", "99"));
        assert_eq!(tail(&[b"\xff\n"]), ["\u{fffd}"]);
    }

    #[test]
    fn frames_of_a_backtrace_leave_room_for_the_panic() {
        let frames: String =
            (0..40).map(|n| format!("{n:4}: core::f\n             at ./src/lib.rs:{n}:5\n")).collect();
        let text = format!("thread 'main' panicked at src/lib.rs:1:1:\nno luck\nstack backtrace:\n{frames}");
        let kept = tail(&[text.as_bytes(), b"note: done\n    at Object.<anonymous> (a.js:1:2)\n"]);
        let expected = [
            "thread 'main' panicked at src/lib.rs:1:1:",
            "no luck",
            "stack backtrace:",
            "note: done",
            "    at Object.<anonymous> (a.js:1:2)",
        ];
        assert_eq!(kept, expected);
    }

    #[test]
    fn lines_are_told_once_they_are_whole() {
        let (mut tail, mut told) = (Tail::new(Arc::new(Mask::new(["s3cret".to_owned()]))), Vec::new());
        tail.push(b"one\n\nt", |line| told.push(line.to_owned()));
        tail.push(b"wo s3cret\nthr", |line| told.push(line.to_owned()));
        assert_eq!(told, ["one", "two ***"]);
    }

    #[test]
    fn secrets_are_masked_before_lines_are_cut() {
        assert_eq!(tail(&[b"the s3c", b"ret\n"]), ["the ***"]);
        let long = [vec![b'x'; 497], b"s3cret".to_vec(), vec![b'y'; 100_000]].concat();
        assert_eq!(tail(&[&long]), [format!("{}***…", "x".repeat(497))]);
    }
}
