//! Time and memory of a command. Talks to processes.

use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
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

/// Runs commands all at once until they have printed so many lines together, and ends them.
pub fn until(commands: Vec<Command>, lines: usize) -> Result<Cost> {
    const PATIENCE: Duration = Duration::from_secs(300);
    let (since, (send, receive)) = (Instant::now(), channel());
    let mut children = Vec::new();
    for mut command in commands {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child =
            command.spawn().map_err(|error| format!("cannot start {}: {error}", shell::line(&command)));
        let mut child = child?;
        if let Some(out) = child.stdout.take() {
            let send = send.clone();
            std::thread::spawn(move || count(out, &send));
        }
        children.push(child);
    }
    drop(send);
    let mut seen = 0;
    while seen < lines
        && let Ok(more) = receive.recv_timeout(PATIENCE)
    {
        seen += more;
    }
    let seconds = since.elapsed().as_secs_f64();
    let peak = children.iter().filter_map(|child| peak_until_now(child.id())).sum();
    for child in &mut children {
        let _ = child.kill().and_then(|()| child.wait());
    }
    match seen < lines {
        true => Err(format!("only {seen} of {lines} lines have come")),
        false => Ok(Cost { seconds, peak, stdout: String::new() }),
    }
}

/// Tells how many lines come, as they come.
fn count(mut out: impl std::io::Read, tell: &Sender<usize>) {
    let mut buffer = [0; 64 * 1024];
    while let Ok(read @ 1..) = out.read(&mut buffer) {
        let lines = buffer[..read].iter().filter(|byte| **byte == b'\n').count();
        if tell.send(lines).is_err() {
            return;
        }
    }
}

/// The kernel keeps the highest mark itself, so looking now and then is enough.
fn peak_of(id: u32) -> f64 {
    let mut peak = 0.0;
    while let Some(mark) = peak_until_now(id) {
        peak = mark;
        std::thread::sleep(Duration::from_millis(5));
    }
    peak
}

/// The most memory that a process has had at once, in MB; none when it is gone.
fn peak_until_now(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0);
    Some(kilobytes * 1024.0 / 1e6)
}
