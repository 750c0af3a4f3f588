//! Messages as lines of two files. I/O.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use super::{Incoming, Outgoing};
use crate::wire::MAX_LINE;

/// Reads messages, one a line.
pub(super) struct Reader<R> {
    from: BufReader<R>,
    line: Vec<u8>,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from: BufReader::new(from), line: Vec::new() }
    }
}

impl<R: Read> Incoming for Reader<R> {
    fn recv(&mut self) -> Result<Option<&[u8]>, String> {
        self.line.clear();
        let mut bounded = (&mut self.from).take(MAX_LINE as u64 + 1);
        bounded.read_until(b'\n', &mut self.line).map_err(|error| format!("could not read: {error}"))?;
        match self.line.last() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(&self.line)),
            Some(_) if self.line.len() > MAX_LINE => {
                Err(format!("the host has sent a line of more than {MAX_LINE} bytes"))
            }
            // The last one has no end: a host that died in the middle of it is the same as one that is done.
            Some(_) if serde_json::from_slice::<serde::de::IgnoredAny>(&self.line).is_ok() => {
                Ok(Some(&self.line))
            }
            Some(_) => Ok(None),
        }
    }
}

/// Writes messages, one a line.
pub(super) struct Writer(pub(super) File);

impl Outgoing for Writer {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        // In one piece, so that a line is never seen without its end.
        self.0.write_all(&[message, b"\n"].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<Result<String, String>> {
        let mut reader = Reader::new(text);
        let mut lines = Vec::new();
        while let Some(line) = reader.recv().transpose() {
            lines.push(line.map(|line| String::from_utf8(line.to_vec()).unwrap()));
            if lines.last().is_some_and(Result::is_err) {
                break;
            }
        }
        lines
    }

    #[test]
    fn lines_come_one_by_one_and_a_torn_one_is_the_end() {
        assert_eq!(lines(b"{}\n[]\n"), [Ok("{}\n".to_owned()), Ok("[]\n".to_owned())]);
        assert_eq!(lines(b"{}\n{\"a\":1}"), [Ok("{}\n".to_owned()), Ok("{\"a\":1}".to_owned())]);
        assert_eq!(lines(b"{}\n{\"a\":"), [Ok("{}\n".to_owned())]);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn a_line_has_an_end() {
        let mut longest = vec![b' '; MAX_LINE];
        longest.push(b'\n');
        assert!(lines(&longest).iter().all(Result::is_ok));
        longest.insert(0, b' ');
        let too_long = "the host has sent a line of more than 16777216 bytes".to_owned();
        assert_eq!(lines(&longest), [Err(too_long.clone())]);
        assert_eq!(lines(&vec![b' '; MAX_LINE + 9]), [Err(too_long)]);
    }
}
