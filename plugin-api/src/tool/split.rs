//! What a program prints, cut into lines. Pure.

/// The longest line, in bytes; what is longer is cut into several.
const LONGEST: usize = 64 * 1024;

/// A line that a program has printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where.
    pub stream: Stream,
    /// What, without its end.
    pub text: String,
    /// Whether it ended with a carriage return, so that on a terminal the next one would replace it.
    pub transient: bool,
}

/// Where a program prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Cuts what is printed into lines as it comes. Empty ones are left out.
pub(super) struct Splitter {
    stream: Stream,
    line: Vec<u8>,
    /// Whether `line` was ended by a carriage return, and what comes next says of which kind it is.
    returned: bool,
}

impl Splitter {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, line: Vec::new(), returned: false }
    }

    pub(super) fn take(&mut self, byte: u8) -> Option<Line> {
        let returned = std::mem::replace(&mut self.returned, byte == b'\r');
        match byte {
            b'\n' => self.line(false),
            b'\r' if !returned => None,
            b'\r' => self.line(true),
            _ => {
                let line = if returned { self.line(true) } else { None };
                self.line.push(byte);
                line.or_else(|| if self.line.len() >= LONGEST { self.line(false) } else { None })
            }
        }
    }

    fn line(&mut self, transient: bool) -> Option<Line> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return None;
        }
        Some(Line { stream: self.stream, text: String::from_utf8_lossy(&line).into_owned(), transient })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(printed: &[u8]) -> Vec<(String, bool)> {
        let mut splitter = Splitter::new(Stream::Err);
        let lines = printed.iter().filter_map(|byte| splitter.take(*byte));
        lines.map(|line| (line.text, line.transient)).collect()
    }

    #[test]
    fn overwritten_states_are_transient() {
        let expected = [("1%", true), ("2%", true), ("3%, done", false), ("last", false)];
        let expected = expected.map(|(text, transient)| (text.to_owned(), transient));
        assert_eq!(lines(b"1%\r2%\r3%, done\r\n\n\r\rlast\n"), expected);
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let printed = [&vec![b'x'; LONGEST + 1][..], b"\n"].concat();
        let lengths: Vec<_> = lines(&printed).iter().map(|(text, _)| text.len()).collect();
        assert_eq!(lengths, [LONGEST, 1]);
    }
}
