//! The last lines that a program has printed. Pure.

use std::collections::VecDeque;

use crate::Failure;

/// How many are kept.
const KEPT: usize = 20;

/// The last lines that a program has printed: what a failure quotes.
#[derive(Default)]
pub struct Tail(VecDeque<String>);

impl Tail {
    /// Adds a line, and forgets the oldest of more than twenty.
    pub fn push(&mut self, line: String) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    /// A failure with the lines as its causes.
    #[must_use]
    pub fn quoted_by(self, failure: Failure) -> Failure {
        self.0.into_iter().fold(failure, Failure::cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_quoted_in_order() {
        let mut tail = Tail::default();
        (1..=25).for_each(|number| tail.push(number.to_string()));
        let failure = tail.quoted_by(Failure::failed("no"));
        assert_eq!(
            (failure.causes.len(), failure.causes[0].as_str(), failure.causes[19].as_str()),
            (20, "6", "25")
        );
    }
}
