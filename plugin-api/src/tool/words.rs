//! What is said of a program: its lines as events, and why it did not do what it should. Reads the file system
//! where a program cannot be started.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::child::{NotRun, Said};
use super::{MOST_OUTPUT, Tail};
use crate::{Context, Failure, Outcome};

/// What a program is called, and what there is to say of it.
pub(super) struct Words {
    pub(super) name: String,
    pub(super) source: String,
    pub(super) hint: Option<String>,
    program: String,
    directory: Option<PathBuf>,
}

impl Words {
    pub(super) fn of(command: &Command) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        let directory = command.get_current_dir().map(Path::to_owned);
        Self { name: program.clone(), source: program.clone(), hint: None, program, directory }
    }

    /// Makes an event of a line, unless the next one would have replaced it on a terminal.
    pub(super) fn show(&self, cx: &Context, said: Said, tail: &mut Tail) {
        if let Said::Line(line) = said
            && !line.transient
        {
            cx.output(self.source.as_str(), line.text.as_str());
            tail.push(line.text);
        }
    }

    /// Nothing, when it ended well.
    pub(super) fn checked(&self, ended: Result<ExitStatus, NotRun>, tail: Tail) -> Result<(), Failure> {
        let status = ended.map_err(|why| self.not_run(why))?;
        if status.success() {
            return Ok(());
        }
        let place = self.directory.as_ref().map(|path| format!(" in `{}`", path.display()));
        let message = format!("`{}` failed{}: {status}", self.name, place.unwrap_or_default());
        Err(tail.quoted_by(Failure::failed(message).outcome(Outcome::Unknown)))
    }

    /// Whether there is a file where a path leads. A name is looked for on PATH.
    fn is_there(&self) -> bool {
        let place = self.directory.as_deref().unwrap_or(Path::new(""));
        self.program.contains('/') && place.join(&self.program).is_file()
    }

    pub(super) fn not_run(&self, why: NotRun) -> Failure {
        match why {
            NotRun::Cancelled(outcome) => Failure::cancelled().outcome(outcome),
            NotRun::TooMuch => {
                let limit = MOST_OUTPUT / 1024 / 1024;
                let message = format!("`{}` was ended because it printed more than {limit} MiB", self.name);
                Failure::failed(message).outcome(Outcome::Unknown)
            }
            NotRun::NotStarted(error) => self.not_started(&error),
        }
    }

    fn not_started(&self, error: &io::Error) -> Failure {
        let because = |why: &str| Failure::failed(format!("could not run `{}`: {why}", self.name));
        if error.kind() == io::ErrorKind::PermissionDenied {
            let hint = format!("it has to be executable: `chmod +x {}`", self.program);
            return because(&error.to_string()).hint(hint);
        }
        if error.kind() != io::ErrorKind::NotFound {
            return because(&error.to_string());
        }
        // The system says the same of both.
        if let Some(directory) = self.directory.as_ref().filter(|directory| !directory.is_dir()) {
            return because(&format!("there is no directory `{}`", directory.display()));
        }
        if self.is_there() {
            return because("it is there, but not what its first line says it is run by");
        }
        let failure = match self.name == self.program {
            true => because("there is no such program"),
            false => because(&format!("there is no program `{}`", self.program)),
        };
        let hint = || format!("install `{}`, or see to it that it is on PATH", self.program);
        failure.hint(self.hint.clone().unwrap_or_else(hint))
    }
}
