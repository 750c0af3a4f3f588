//! Runs programs and says what they said when they fail. Talks to processes.

use std::process::{Command, Output, Stdio};

/// What a task answers; the error is one message for people.
pub type Result<T> = std::result::Result<T, String>;

/// Runs a program and returns its stdout without the last newline.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(failed(command, &output)) }
}

/// Whether a program ends with exit code 0, whatever it prints.
pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Runs a program that shares our terminal.
pub fn attached(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", line(command))) }
}

/// `docker ARGS` on this machine's engine, whatever the caller's context is.
pub fn docker<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new("docker");
    command.args(args).env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT");
    command
}

/// Whether a program is there, or a file where its absolute path is given.
pub fn has(program: &str) -> bool {
    let folders = std::env::var("PATH").unwrap_or_default();
    folders.split(':').chain(["/usr/sbin", "/sbin"]).any(|folder| {
        let path = std::path::Path::new(folder).join(program);
        path.is_file()
    })
}

/// A command as one would type it, in backticks.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!("`{}`", words.join(" "))
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start {}: {error}", line(command))
}

fn failed(command: &Command, output: &Output) -> String {
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    format!("{} ended with {}\n{stdout}{stderr}", line(command), output.status)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
