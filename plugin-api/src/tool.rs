//! Runs a program for a call: without a shell, its lines as events, and ended when the call is cancelled.
//! I/O: processes.
//!
//! ```
//! use std::process::Command;
//!
//! use cloudpad_plugin_api::tool::Tool;
//! use cloudpad_plugin_api::{Context, Failure};
//!
//! fn plan(cx: &Context) -> Result<serde_json::Value, Failure> {
//!     let mut command = Command::new("terraform");
//!     command.args(["output", "-json"]).current_dir("/srv/infrastructure");
//!     let printed = Tool::new(command).hint("install terraform 1.5 or newer").output(cx)?;
//!     serde_json::from_slice(&printed).map_err(|error| Failure::failed(error.to_string()))
//! }
//! ```
//!
//! A program gets a session of its own: it cannot ask the user anything on the terminal, for nobody could
//! answer while progress is drawn there, and all that it starts can be ended with it. When the call is
//! cancelled, it gets five seconds to end. What it leaves running in the background after its own end is not
//! waited for.

use std::process::{Command, ExitStatus};

use crate::{Context, Failure};

mod child;
mod split;
mod tail;
#[cfg(test)]
mod tests;
mod words;

use child::{Said, Streams};
pub use split::{Line, Stream};
pub use tail::Tail;
use words::Words;

/// The most that [`Tool::output`] takes, in bytes.
const MOST_OUTPUT: usize = 64 * 1024 * 1024;

/// A program to be run.
pub struct Tool {
    command: Command,
    input: Vec<u8>,
    words: Words,
}

impl Tool {
    /// The program that `command` starts, with its arguments, directory and environment. Secrets are no
    /// arguments, which everyone can read: hand them over by [`input`](Self::input).
    pub fn new(command: Command) -> Self {
        let words = Words::of(&command);
        Self { command, input: Vec::new(), words }
    }

    /// A program that a config names, with its arguments, in the project's folder: a path to it is relative to that.
    pub fn in_project(cx: &Context, words: impl IntoIterator<Item = String>) -> Self {
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        let project = cx.path("");
        // A plugin is there already.
        if !project.as_os_str().is_empty() {
            command.current_dir(project);
        }
        Self::new(command)
    }

    /// What it is called in failures; its program's name where nothing else is said.
    #[must_use]
    pub fn called(mut self, name: impl Into<String>) -> Self {
        self.words.name = name.into();
        self
    }

    /// Whose lines they are in [`Event::Output`](crate::Event::Output); the program's where nothing else is
    /// said.
    #[must_use]
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.words.source = source.into();
        self
    }

    /// What it gets on standard input, which is empty otherwise.
    #[must_use]
    pub fn input(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self { input: bytes.into(), ..self }
    }

    /// What the user can do when there is no such program.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.words.hint = Some(hint.into());
        self
    }

    /// Runs it, each line that it prints being an event.
    ///
    /// # Errors
    /// `failed` when it cannot be started, or ends with an error: with its last lines as causes; `cancelled`
    /// when the caller asked to stop.
    pub fn run(self, cx: &Context) -> Result<(), Failure> {
        let Self { command, input, words } = self;
        let mut tail = Tail::default();
        let status = child::run(cx, command, input, Streams::Together, |said| {
            words.show(cx, said, &mut tail);
            true
        });
        words.checked(status, tail)
    }

    /// Runs it, each line that it prints on standard error being an event; what it has printed on standard
    /// output.
    ///
    /// # Errors
    /// As for [`run`](Self::run); also `failed` when it prints more than 64 MiB.
    pub fn output(self, cx: &Context) -> Result<Vec<u8>, Failure> {
        let Self { command, input, words } = self;
        let (mut output, mut tail) = (Vec::new(), Tail::default());
        let status = child::run(cx, command, input, Streams::Data, |said| {
            match said {
                Said::Data(data) => output.extend_from_slice(&data),
                line @ Said::Line(_) => words.show(cx, line, &mut tail),
            }
            output.len() <= MOST_OUTPUT
        });
        words.checked(status, tail).map(|()| output)
    }

    /// Runs it, and hands on each line that it prints; how it ended.
    ///
    /// # Errors
    /// `failed` when it cannot be started; `cancelled` when the caller asked to stop. A program that ran and
    /// failed is no error here.
    pub fn listen(self, cx: &Context, mut on_line: impl FnMut(Line)) -> Result<ExitStatus, Failure> {
        let Self { command, input, words } = self;
        let status = child::run(cx, command, input, Streams::Apart, |said| {
            if let Said::Line(line) = said {
                on_line(line);
            }
            true
        });
        status.map_err(|why| words.not_run(why))
    }
}
