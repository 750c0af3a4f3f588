//! The program while it runs, and what it prints meanwhile.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use super::Project;

/// The program, running.
pub struct Following {
    child: Child,
    lines: BufReader<ChildStdout>,
    said: BufReader<ChildStderr>,
}

impl Following {
    /// Starts it.
    pub fn new(project: &Project, args: &[&str]) -> Self {
        let mut command = project.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("cloudpad");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let said = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, lines, said }
    }

    /// The next line on stdout.
    #[track_caller]
    pub fn next_line(&mut self) -> String {
        next(&mut self.lines)
    }

    /// Reads stdout until each of these lines has come.
    #[track_caller]
    pub fn await_lines(&mut self, expected: &[String]) {
        let mut left: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
        while !left.is_empty() {
            let line = self.next_line();
            assert!(!line.is_empty(), "the program has ended, and this was not printed: {left:?}");
            left.remove(line.as_str());
        }
    }

    /// Reads stdout until a line with all of these words has come, and returns it.
    #[track_caller]
    pub fn await_words(&mut self, words: &[&str]) -> String {
        await_words(&mut self.lines, words)
    }

    /// Reads stderr until each of these has been in one of its lines, and returns those lines.
    #[track_caller]
    pub fn await_said(&mut self, words: &[&str]) -> Vec<String> {
        let mut left: BTreeSet<&str> = words.iter().copied().collect();
        let mut found = Vec::new();
        while !left.is_empty() {
            let line = next(&mut self.said);
            assert!(!line.is_empty(), "the program has ended, and this was not said: {left:?}");
            let before = left.len();
            left.retain(|word| !line.contains(word));
            if left.len() < before {
                found.push(line);
            }
        }
        found
    }

    /// Ends it by a signal; its exit code, and what is left on stderr.
    pub fn end(self, signal: &str) -> (Option<i32>, String) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(kill.is_ok_and(|status| status.success()));
        self.wait()
    }

    /// Reads no more of stdout, does something, and waits for its end.
    pub fn close(self, then: impl FnOnce()) -> (Option<i32>, String) {
        let Self { child, lines, said } = self;
        drop(lines);
        then();
        wait(child, said)
    }

    fn wait(self) -> (Option<i32>, String) {
        wait(self.child, self.said)
    }
}

fn wait(mut child: Child, mut said: BufReader<ChildStderr>) -> (Option<i32>, String) {
    let mut left = String::new();
    said.read_to_string(&mut left).expect("text");
    (child.wait().expect("cloudpad is lost").code(), left)
}

fn next(lines: &mut impl BufRead) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).expect("a line");
    line.trim_end().to_owned()
}

#[track_caller]
fn await_words(lines: &mut impl BufRead, words: &[&str]) -> String {
    let mut read = Vec::new();
    loop {
        let line = next(lines);
        assert!(!line.is_empty(), "the program has ended without a line with {words:?}: {read:#?}");
        if words.iter().all(|word| line.contains(word)) {
            return line;
        }
        read.push(line);
    }
}
