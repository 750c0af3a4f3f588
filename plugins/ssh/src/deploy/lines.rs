//! Cuts what a container prints into lines. Pure.

/// The longest line in bytes; what is longer goes on in the next.
const LONGEST: usize = 64 * 1024;

/// One stream of output, of which the last line may not be whole yet.
#[derive(Default)]
pub(super) struct Lines {
    open: Vec<u8>,
}

impl Lines {
    /// Takes more of the stream, and hands on each line that is whole by now, without its end.
    pub(super) fn push(&mut self, bytes: &[u8], mut line: impl FnMut(String)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.open.extend_from_slice(piece);
            while self.open.len() > LONGEST {
                let rest = self.open.split_off(LONGEST);
                self.end(&mut line);
                self.open = rest;
            }
            if self.open.ends_with(b"\n") {
                self.end(&mut line);
            }
        }
    }

    /// The stream has ended: hands on what is left of it.
    pub(super) fn finish(&mut self, mut line: impl FnMut(String)) {
        if !self.open.is_empty() {
            self.end(&mut line);
        }
    }

    fn end(&mut self, line: &mut impl FnMut(String)) {
        let whole = self.open.strip_suffix(b"\n").unwrap_or(&self.open);
        let whole = whole.strip_suffix(b"\r").unwrap_or(whole);
        line(String::from_utf8_lossy(whole).into_owned());
        self.open.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut told) = (Lines::default(), Vec::new());
        pieces.iter().for_each(|piece| lines.push(piece, |line| told.push(line)));
        lines.finish(|line| told.push(line));
        told
    }

    #[test]
    fn lines_are_whole_wherever_they_are_cut() {
        assert_eq!(cut(&[b"one\r\ntw", b"o\n", b"\nthree"]), ["one", "two", "", "three"]);
        assert_eq!(cut(&["p\u{e4}".as_bytes().split_at(2).0, &[0xa4], b"\n"]), ["p\u{e4}"]);
        assert_eq!(cut(&[]), [""; 0]);
    }

    #[test]
    fn a_line_has_an_end() {
        let told = cut(&[&[b'x'; 3 * LONGEST], b"y\n"]);
        assert_eq!(told.iter().map(String::len).collect::<Vec<_>>(), [LONGEST, LONGEST, LONGEST, 1]);
    }
}
