//! The user's own commands that make a source ready to build. Runs them.

use std::io;
use std::path::Path;
use std::process::Command;

use cloudpad_plugin_api::{Context, Failure};

use crate::child::{self, NotRun, Streams, Tail};
use crate::git;

/// Runs `commands` in `dir`, in order, until one fails. Each of their lines is an event.
///
/// # Errors
/// `failed` with the last lines of the command that failed, `cancelled` when the caller asked to stop.
pub fn run(cx: &Context, dir: &Path, commands: &[Vec<String>]) -> Result<(), Failure> {
    commands.iter().try_for_each(|command| one(cx, dir, command))
}

fn one(cx: &Context, dir: &Path, words: &[String]) -> Result<(), Failure> {
    let [program, args @ ..] = words else {
        return Err(Failure::invalid("a `prepare` command is empty"));
    };
    let shown = words.join(" ");
    let source = format!("prepare: {shown}");
    let mut command = Command::new(program);
    command.args(args).current_dir(dir);
    git::forget_repository(&mut command);
    let mut tail = Tail::default();
    let status = child::run(cx, command, Streams::Together, |line| {
        if !line.transient {
            cx.output(source.as_str(), line.text.as_str());
            tail.push(line.text);
        }
    });
    let status = status.map_err(|why| not_run(&shown, program, why))?;
    if status.success() {
        return Ok(());
    }
    let failure = Failure::failed(format!("`{shown}` failed in `{}`: {status}", dir.display()));
    Err(tail.0.iter().fold(failure, |failure, line| failure.cause(line)))
}

fn not_run(shown: &str, program: &str, why: NotRun) -> Failure {
    match why {
        NotRun::Cancelled => git::cancelled(),
        NotRun::NotStarted(error) if error.kind() == io::ErrorKind::NotFound => {
            Failure::failed(format!("could not run `{shown}`: there is no program `{program}`"))
                .hint("a `prepare` command is a program and its arguments; for a shell's line write `[\"sh\", \"-c\", \"…\"]`")
        }
        NotRun::NotStarted(error) => Failure::failed(format!("could not run `{shown}`: {error}")),
    }
}
