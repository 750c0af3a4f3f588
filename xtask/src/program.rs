//! Builds the program that tasks run. Talks to cargo.

use std::path::PathBuf;
use std::process::Command;

use crate::lab::workspace;
use crate::shell::{self, Result};

/// Cargo, in the workspace.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(workspace());
    command
}

/// Builds `cloudpad`, and says where it is.
pub fn build() -> Result<PathBuf> {
    shell::attached(&mut cargo(&["build", "--package", "cloudpad", "--bin", "cloudpad"]))?;
    beside_us("debug")
}

/// Builds `cloudpad` as it is shipped, and says where it is.
pub fn build_release() -> Result<PathBuf> {
    shell::attached(&mut cargo(&["build", "--release", "--package", "cloudpad", "--bin", "cloudpad"]))?;
    beside_us("release")
}

fn beside_us(profile: &str) -> Result<PathBuf> {
    Ok(target()?.join(profile).join("cloudpad"))
}

/// Where Cargo builds: it puts all profiles into one folder, and us into one of them.
pub fn target() -> Result<PathBuf> {
    let us = std::env::current_exe().map_err(|error| format!("cannot tell where we are: {error}"))?;
    Ok(us.ancestors().nth(2).ok_or("we are in no target folder")?.to_owned())
}
