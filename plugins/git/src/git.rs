//! One git command: which environment it gets, and what is said when it fails. I/O.

use std::path::Path;
use std::process::Command;

use cloudpad_plugin_api::tool::{Line, Stream, Tail, Tool};
use cloudpad_plugin_api::{Context, Event, Failure, FailureKind};

use crate::{progress, url};

/// Variables with which git tells the commands that it starts, such as hooks, which repository they are
/// in. `git rev-parse --local-env-vars` lists them. Those that carry configuration stay: CI systems hand
/// out credentials that way.
const OF_ONE_REPOSITORY: [&str; 12] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Takes from `command` what would make git work on another repository than the one it is started in.
pub fn forget_repository(command: &mut Command) {
    for name in OF_ONE_REPOSITORY {
        command.env_remove(name);
    }
}

/// The user's git, for one call.
pub struct Git<'a> {
    program: &'static str,
    /// The call.
    pub cx: &'a Context,
    url: String,
}

/// What a git command has said.
pub struct Output {
    /// Whether it succeeded.
    pub ok: bool,
    /// The lines of its standard output.
    pub lines: Vec<String>,
    /// The last lines of its standard error.
    pub errors: Tail,
}

impl<'a> Git<'a> {
    /// `program` for the repository at `url`, whose password is kept out of all that is said.
    pub fn new(program: &'static str, cx: &'a Context, url: &str) -> Self {
        Self { program, cx, url: url.to_owned() }
    }

    /// Runs `git ARGS` in `dir`.
    ///
    /// # Errors
    /// `failed` when git cannot be started, `cancelled` when the caller asked to stop. A git that ran and
    /// failed is no error here.
    pub fn run(&self, dir: &Path, args: &[&str]) -> Result<Output, Failure> {
        let (mut lines, mut errors) = (Vec::new(), Tail::default());
        let status = Tool::new(self.command(dir, args)).listen(self.cx, |line| match line {
            Line { stream: Stream::Out, text, .. } => lines.push(text),
            Line { text, transient, .. } => match progress::parse(&text) {
                Some(progress) => self.cx.emit(Event::Progress(progress)),
                None if transient => (),
                None => errors.push(self.without_password(text)),
            },
        });
        Ok(Output { ok: status?.success(), lines, errors })
    }

    fn command(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        forget_repository(&mut command);
        command.current_dir(dir).env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        // A look at the user's own repository must not take its locks.
        command.env("GIT_OPTIONAL_LOCKS", "0");
        // Housekeeping that goes on in the background would go on after our lock is given back.
        command.args(["-c", "gc.autoDetach=false", "-c", "maintenance.autoDetach=false"]);
        command.args(["-c", "advice.detachedHead=false"]).args(args);
        command
    }

    fn without_password(&self, line: String) -> String {
        match self.url.is_empty() {
            true => line,
            false => line.replace(&self.url, &url::shown(&self.url)),
        }
    }
}

impl Output {
    /// The lines of its standard output, if it succeeded; else a failure with git's own words.
    pub fn or(self, kind: FailureKind, message: impl FnOnce() -> String) -> Result<Vec<String>, Failure> {
        if self.ok {
            return Ok(self.lines);
        }
        Err(self.errors.quoted_by(Failure::new(kind, message())))
    }
}
