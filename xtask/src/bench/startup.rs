//! How long the program takes to say who it is. Talks to the program and the docker client.

use std::path::Path;
use std::process::Command;

use super::Row;
use super::measure::{cost, in_turns};
use crate::shell::Result;

const TIMES: usize = 20;

/// `cloudpad --version` against `docker --version`.
pub fn measure(program: &Path) -> Result<Vec<Row>> {
    let version = |program: &Path| cost(Command::new(program).arg("--version")).map(|cost| cost.seconds);
    let (ours, theirs) = in_turns(TIMES, || version(program), || version(Path::new("docker")))?;
    Ok(vec![Row::ratio("--version", "s", ours, (theirs, "docker --version"), 0.5)])
}
