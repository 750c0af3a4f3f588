//! Cuts what a plugin writes into lines, none longer than a limit. Pure.

/// A line was longer than it may be.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

/// What has come of a line so far.
pub struct Lines {
    line: Vec<u8>,
    limit: usize,
}

/// A buffer that has once held a long line is not kept.
const KEPT: usize = 256 * 1024;

impl Lines {
    /// Lines of at most `limit` bytes, their ends not counted.
    pub fn new(limit: usize) -> Self {
        Self { line: Vec::new(), limit }
    }

    /// Takes more bytes, and hands on each line that is complete, without its end.
    ///
    /// # Errors
    /// When a line is too long, or what `each` answers; nothing after it is read.
    pub fn push<E: From<TooLong>>(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            self.fits(line)?;
            if self.line.is_empty() {
                each(line)?;
            } else {
                self.line.extend_from_slice(line);
                each(&self.line)?;
                self.line.clear();
                self.line.shrink_to(KEPT);
            }
            rest = after;
        }
        self.fits(rest)?;
        self.line.extend_from_slice(rest);
        Ok(())
    }

    /// What is there of the last line, which has no end.
    pub fn rest(&self) -> &[u8] {
        &self.line
    }

    fn fits(&self, more: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + more.len() > self.limit { Err(TooLong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&str]) -> (Vec<String>, String, bool) {
        let (mut lines, mut seen) = (Lines::new(4), Vec::new());
        let mut each = |line: &[u8]| {
            seen.push(String::from_utf8(line.to_vec()).unwrap());
            Ok::<_, TooLong>(())
        };
        let fit = chunks.iter().all(|chunk| lines.push(chunk.as_bytes(), &mut each).is_ok());
        let rest = String::from_utf8(lines.rest().to_vec()).unwrap();
        (seen, rest, fit)
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let cases: [(&[&str], &[&str], &str); 5] = [
            (&["a\nbc\n"], &["a", "bc"], ""),
            (&["a", "b\nc", "\n", "\n"], &["ab", "c", ""], ""),
            (&["a\nb"], &["a"], "b"),
            (&["abcd\nabc", "d\n"], &["abcd", "abcd"], ""),
            (&[], &[], ""),
        ];
        for (chunks, expected, rest) in cases {
            let (seen, left, fit) = lines(chunks);
            assert!(fit && left == rest, "{chunks:?}");
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn long_lines_are_refused_before_they_are_kept() {
        for chunks in [&["abcde\n"][..], &["abcde"], &["ab", "cd", "e"], &["a\nab", "cde\n"]] {
            let (_, rest, fit) = lines(chunks);
            assert!(!fit && rest.len() <= 4, "{chunks:?}");
        }
    }
}
