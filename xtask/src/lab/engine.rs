//! Starts a Docker engine on a machine where none runs, and stops it again. Talks to `dockerd`.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Settings, packages, settings};
use crate::shell::{self, Result, docker};

/// Whether an engine answers.
pub fn answers() -> bool {
    shell::succeeds(&mut docker(["version"]))
}

/// Starts an engine unless one answers.
pub fn ensure(settings: &Settings) -> Result<()> {
    if answers() {
        return Ok(());
    }
    packages::need_root()?;
    println!("starting dockerd");
    let log = settings.dir.join("dockerd.log");
    let mut child = start(&log)?;
    std::fs::write(pid_file(settings), child.id().to_string())
        .map_err(|error| format!("cannot write `{}`: {error}", pid_file(settings).display()))?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while !answers() {
        let ended = child.try_wait().is_ok_and(|status| status.is_some());
        if ended || Instant::now() > deadline {
            return Err(format!("dockerd did not come up\n{}", tail(&log)));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Stops the engine if this lab started it and no other lab uses it.
pub fn stop_if_ours(settings: &Settings) -> Result<()> {
    let Ok(pid) = std::fs::read_to_string(pid_file(settings)) else { return Ok(()) };
    if others_run()? {
        println!("the engine stays: another lab uses it");
        return Ok(());
    }
    if is_dockerd(&pid) {
        shell::output(Command::new("kill").arg(&pid))?;
        wait_for_end(&pid)?;
        println!("dockerd is stopped");
    }
    std::fs::remove_file(pid_file(settings)).map_err(|error| format!("cannot remove the pid file: {error}"))
}

fn start(log: &PathBuf) -> Result<std::process::Child> {
    let fail = |error| format!("cannot write `{}`: {error}", log.display());
    let out = File::create(log).map_err(fail)?;
    let both = out.try_clone().map_err(fail)?;
    let mut command = Command::new("dockerd");
    // A process group of its own, so that a Ctrl-C meant for us does not end the engine.
    command.stdin(Stdio::null()).stdout(out).stderr(both).process_group(0);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command.spawn().map_err(|error| format!("cannot start `dockerd`: {error}"))
}

fn others_run() -> Result<bool> {
    if !answers() {
        return Ok(false);
    }
    let filter = format!("label={}", settings::LABEL);
    Ok(!shell::output(&mut docker(["ps", "--quiet", "--filter", &filter]))?.is_empty())
}

/// A pid file outlives its process, and the number may be somebody else's by now.
fn is_dockerd(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "dockerd")
}

fn wait_for_end(pid: &str) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while is_dockerd(pid) {
        if Instant::now() > deadline {
            return Err(format!("dockerd (process {pid}) does not end"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn tail(log: &PathBuf) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

fn pid_file(settings: &Settings) -> PathBuf {
    settings.dir.join("dockerd.pid")
}
