//! A run of the program with `--json` that a test watches, and sends signals to.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::Project;

/// The program, under way.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts it with these arguments.
    pub fn start(project: &Project, args: &[&str]) -> Self {
        let mut command = project.command(args);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("cloudpad does not start");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines }
    }

    /// Waits until it prints a line with all of these words.
    #[track_caller]
    pub fn until(&mut self, words: &[&str]) {
        let has_all = |line: String| words.iter().all(|word| line.contains(word));
        let found = self.lines.by_ref().map_while(Result::ok).any(has_all);
        assert!(found, "it ended without {words:?}");
    }

    /// Sends it a signal, such as `-INT`.
    pub fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(kill.is_ok_and(|status| status.success()));
    }

    /// Waits for its end: the exit code and the last line.
    pub fn end(mut self) -> (Option<i32>, String) {
        let last = self.lines.by_ref().map_while(Result::ok).last().unwrap_or_default();
        (self.child.wait().expect("it ends").code(), last)
    }
}
