//! The user's own commands that make a source ready to build. Runs them.

use std::path::Path;
use std::process::Command;

use cloudpad_plugin_api::tool::Tool;
use cloudpad_plugin_api::{Context, Failure};

use crate::git;

/// For who takes a command for a line of the shell.
const HINT: &str =
    "a `prepare` command is a program and its arguments; for a shell's line write `[\"sh\", \"-c\", \"…\"]`";

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
    let mut command = Command::new(program);
    command.args(args).current_dir(dir);
    git::forget_repository(&mut command);
    Tool::new(command).source(format!("prepare: {shown}")).called(shown).hint(HINT).run(cx)
}
