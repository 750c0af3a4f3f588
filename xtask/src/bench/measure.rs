//! Time and memory of a command. Talks to processes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::shell::{self, Result};

/// What a run of a command has cost.
pub struct Cost {
    /// Seconds from start to end.
    pub seconds: f64,
    /// The most memory it had at once, in MB.
    pub peak: f64,
    /// What it printed on stdout.
    pub stdout: String,
}

/// Runs a command once; an exit code other than 0 is an error.
pub fn cost(command: &mut Command) -> Result<Cost> {
    let stderr = std::env::temp_dir().join(format!("cloudpad-bench-{}", std::process::id()));
    let log = std::fs::File::create(&stderr)
        .map_err(|error| format!("cannot write `{}`: {error}", stderr.display()))?;
    let since = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut child =
        command.spawn().map_err(|error| format!("cannot start {}: {error}", shell::line(command)))?;
    let watch = std::thread::spawn({
        let id = child.id();
        move || peak_of(id)
    });
    let mut stdout = String::new();
    if let Some(mut out) = child.stdout.take() {
        let _ = std::io::Read::read_to_string(&mut out, &mut stdout);
    }
    let status = child.wait().map_err(|error| format!("{} was lost: {error}", shell::line(command)))?;
    let seconds = since.elapsed().as_secs_f64();
    let said = std::fs::read_to_string(&stderr).unwrap_or_default();
    let _ = std::fs::remove_file(&stderr);
    if !status.success() {
        return Err(format!("{} ended with {status}\n{stdout}\n{said}", shell::line(command)));
    }
    Ok(Cost { seconds, peak: watch.join().unwrap_or_default(), stdout })
}

/// The quickest of several runs of two commands in turns, in seconds: what they cost without the load of others.
pub fn in_turns(
    times: usize,
    mut ours: impl FnMut() -> Result<f64>,
    mut theirs: impl FnMut() -> Result<f64>,
) -> Result<(f64, f64)> {
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..times {
        best = (best.0.min(ours()?), best.1.min(theirs()?));
    }
    Ok(best)
}

/// The kernel keeps the highest mark itself, so looking now and then is enough.
fn peak_of(id: u32) -> f64 {
    let mut peak = 0.0;
    while let Ok(status) = std::fs::read_to_string(format!("/proc/{id}/status")) {
        let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) else { break };
        let kilobytes = line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0);
        peak = kilobytes * 1024.0 / 1e6;
        std::thread::sleep(Duration::from_millis(5));
    }
    peak
}
