//! What a build step has printed: whole lines out of pieces, and the last of them kept. Pure.

use std::collections::VecDeque;

/// How many lines of a failed step are shown.
const KEPT: usize = 30;

/// Longer lines are cut into pieces of so many bytes, so that a progress bar without end takes no memory.
const LONGEST: usize = 16 * 1024;

/// The output of one step.
#[derive(Default)]
pub struct StepLog {
    partial: Vec<u8>,
    last: VecDeque<String>,
}

impl StepLog {
    /// Takes a piece, and answers the lines that it completes.
    pub fn push(&mut self, piece: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for byte in piece {
            if *byte != b'\n' {
                self.partial.push(*byte);
            }
            if *byte == b'\n' || self.partial.len() >= LONGEST {
                lines.push(self.end_line());
            }
        }
        lines
    }

    /// Takes the end, and answers the line that had none.
    pub fn finish(&mut self) -> Option<String> {
        (!self.partial.is_empty()).then(|| self.end_line())
    }

    /// The last lines, oldest first.
    pub fn last(&self) -> impl Iterator<Item = &String> {
        self.last.iter()
    }

    fn end_line(&mut self) -> String {
        let bytes = std::mem::take(&mut self.partial);
        let text = String::from_utf8_lossy(&bytes);
        // Of a line that was written over with carriage returns, the last state is what was meant.
        let text = text.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default().to_owned();
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(text.clone());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::StepLog;

    #[test]
    fn pieces_become_lines_and_the_last_thirty_are_kept() {
        let mut log = StepLog::default();
        assert_eq!(log.push(b"a\nb"), ["a"]);
        assert_eq!(log.push(b"c\r\n10%\r20%\n"), ["bc", "20%"]);
        assert_eq!(log.finish(), None);
        log.push("line\n".repeat(40).as_bytes());
        log.push(b"end");
        assert_eq!(log.finish().as_deref(), Some("end"));
        assert_eq!((log.last().count(), log.last().last().unwrap().as_str()), (30, "end"));
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut log = StepLog::default();
        let lines = log.push(&vec![b'x'; 100_000]);
        assert_eq!(lines.len(), 6);
    }
}
